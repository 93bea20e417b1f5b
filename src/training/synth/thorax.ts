// A frontal chest: body, lungs, spine, ribs, clavicles, heart, vessels. Healthy; chest.ts adds the findings.
import { add, type Canvas, chord, coverage, hollow, type Plane, stroke } from './canvas.ts'
import {
  at,
  clamp,
  curve,
  ellipse,
  joined,
  mix,
  type Point,
  polygon,
  type Shape,
  smoothstep,
} from './geometry.ts'
import { createNoise, octaves } from './noise.ts'
import type { Random } from './random.ts'

/** One patient's build; the same in all of the patient's images. */
export interface Build {
  readonly width: number
  readonly height: number
  /** Height of the two domes of the diaphragm, right and left. */
  readonly domes: readonly [number, number]
  readonly ribPitch: number
  readonly ribTilt: number
  readonly fat: number
  readonly seedRandom: Random
}

export interface Heart {
  /** Greatest transverse diameter of the silhouette over the inner width of the thorax. */
  readonly ratio: number
  /** 0: apex low and pointed; 1: globular. */
  readonly roundness: number
  readonly shift: number
}

export interface Thorax {
  readonly attenuation: Plane
  /** 0..1: how much lung the ray crosses. */
  readonly lungs: Plane
  readonly heart: Plane
  readonly heartShape: Shape
  readonly build: Build
}

export const INNER_HALF_WIDTH = 0.67

export function drawBuild(patient: Random): Build {
  const random = patient.fork('build')
  return {
    width: random.normal(1, 0.06),
    height: random.normal(1, 0.07),
    domes: [random.normal(0.38, 0.05), random.normal(0.42, 0.05)],
    ribPitch: random.normal(0.135, 0.008),
    ribTilt: random.normal(0.2, 0.05),
    fat: random.between(0, 1),
    seedRandom: patient.fork('texture'),
  }
}

export function drawThorax(canvas: Canvas, build: Build, heart: Heart): Thorax {
  const heartShape = heartOutline(build, heart)
  const heartPlane = coverage(canvas, heartShape, 0.03)
  const lungs = canvas.plane()
  for (const side of [-1, 1] as const) {
    add(lungs, coverage(canvas, lungOutline(build, side), 0.05), 1)
  }
  const attenuation = body(canvas, build)
  const texture = octaves(createNoise(build.seedRandom.fork('soft')), 3)
  canvas.visit(null, (i, x, y) => {
    const lung = clamp(lungs[i] as number, 0, 1)
    const cardiac = heartPlane[i] as number
    // The lungs wrap around the heart: behind and before it the ray still crosses some air.
    const air = lung * (1 - 0.72 * cardiac)
    attenuation[i] = (attenuation[i] as number) * (1 - 0.66 * air) + 0.05 * texture(x * 4, y * 4)
    lungs[i] = air
  })
  const bones = canvas.plane()
  drawRibs(canvas, bones, build)
  drawSpine(canvas, bones, build)
  drawClavicles(canvas, bones, build)
  add(attenuation, bones, 1)
  add(attenuation, drawVessels(canvas, build, lungs), 1)
  return { attenuation, lungs, heart: heartPlane, heartShape, build }
}

/** Chord of the trunk with shoulders and neck, and air around it. */
function body(canvas: Canvas, build: Build): Plane {
  const plane = canvas.plane()
  const w = build.width * (0.9 + 0.06 * build.fat)
  const trunk = polygon(
    curve(
      [
        at(-0.16, -1.3),
        at(-0.2, -0.92),
        at(-0.85, -0.74),
        at(-w, -0.3),
        at(-w, 0.5),
        at(-w, 1.5),
      ].concat([
        at(w, 1.5),
        at(w, 0.5),
        at(w, -0.3),
        at(0.85, -0.74),
        at(0.2, -0.92),
        at(0.16, -1.3),
      ]),
      { steps: 4, closed: true },
    ),
  )
  canvas.visit(trunk.box, (i, x, y) => {
    const depth = -trunk.distance(x, y)
    if (depth <= 0) return
    const abdomen = smoothstep(0.4, 0.8, y) * 0.25
    plane[i] = (1.05 + 0.2 * build.fat + abdomen) * Math.sqrt(smoothstep(-0.05, 0.45, depth))
  })
  return plane
}

/** side -1: the patient's right lung, on the left of the image. */
export function lungOutline(build: Build, side: -1 | 1): Shape {
  const { width: w, height: h } = build
  const dome = build.domes[side === -1 ? 0 : 1]
  const knots: readonly (readonly [number, number])[] = [
    [0.27, -0.8],
    [0.42, -0.68],
    [0.56, -0.4],
    [0.64, -0.05],
    [INNER_HALF_WIDTH, 0.28],
    [0.66, dome + 0.16],
    [0.5, dome + 0.03],
    [0.32, dome - 0.01],
    [0.17, dome + 0.06],
    [0.13, 0.2],
    [0.12, -0.12],
    [0.11, -0.45],
    [0.15, -0.68],
  ]
  const points = knots.map(([x, y]) => at(side * x * w, y * h))
  return polygon(curve(points, { steps: 4, closed: true }))
}

function heartOutline(build: Build, heart: Heart): Shape {
  const diameter = 2 * heart.ratio * INNER_HALF_WIDTH * build.width
  const radius = diameter / 2
  const floor = (build.domes[1] + 0.04) * build.height
  const ry = mix(0.25, 0.3, heart.roundness) * build.height * (0.8 + 0.45 * heart.ratio)
  const centre = at(0.1 * build.width + heart.shift, floor - ry * 0.8)
  const tilt = mix(0.5, 0.22, heart.roundness)
  const ventricle = ellipse(centre, radius, ry, tilt)
  const atrium = ellipse(
    at(centre.x - radius * 0.45, centre.y - ry * 0.15),
    radius * 0.5,
    ry * 0.75,
  )
  const vessels = ellipse(at(0.03 + heart.shift * 0.5, -0.28 * build.height), 0.13, 0.34)
  return joined([ventricle, atrium, vessels], 0.09)
}

function drawRibs(canvas: Canvas, plane: Plane, build: Build): void {
  const { width: w, height: h } = build
  for (const side of [-1, 1] as const) {
    for (let i = 0; i < 10; i++) {
      const y = (-0.78 + i * build.ribPitch) * h
      const reach = w * Math.min(0.7, 0.4 + 0.11 * i)
      const drop = build.ribTilt * (0.7 + 0.1 * i)
      const back = [
        at(0.05, y),
        at(0.2, y - 0.03),
        at(reach * 0.6, y + drop * 0.25),
        at(reach * 0.93, y + drop * 0.8),
      ]
      const wall = at(reach, y + drop * 1.25)
      const front = [wall, at(reach * 0.9, y + drop * 1.9), at(reach * 0.55, y + drop * 2.6)]
      rib(canvas, plane, { points: [...back, wall], side, strength: 0.17 })
      rib(canvas, plane, { points: front, side, strength: 0.1 })
    }
  }
}

function rib(
  canvas: Canvas,
  plane: Plane,
  options: { readonly points: readonly Point[]; readonly side: number; readonly strength: number },
): void {
  const layer = canvas.plane()
  const points = options.points.map((p) => at(p.x * options.side, p.y))
  stroke(canvas, layer, {
    points: curve(points, { steps: 5 }),
    from: 0.026,
    to: 0.03,
    profile: hollow(0.3),
  })
  add(plane, layer, options.strength)
}

function drawSpine(canvas: Canvas, plane: Plane, build: Build): void {
  for (let i = 0; i < 15; i++) {
    const y = -0.95 + i * 0.14
    const layer = canvas.plane()
    const points = [at(-0.055, y * build.height), at(0.055, y * build.height)]
    stroke(canvas, layer, { points, from: 0.052, profile: hollow(0.35) })
    add(plane, layer, 0.22)
  }
}

function drawClavicles(canvas: Canvas, plane: Plane, build: Build): void {
  for (const side of [-1, 1] as const) {
    const knots = [at(0.06, -0.6), at(0.25, -0.62), at(0.48, -0.72), at(0.68, -0.74)]
    const points = curve(
      knots.map((p) => at(side * p.x * build.width, p.y * build.height)),
      { steps: 5 },
    )
    const layer = canvas.plane()
    stroke(canvas, layer, { points, from: 0.034, to: 0.028, profile: hollow(0.35) })
    add(plane, layer, 0.26)
    const scapula = curve([at(0.52, -0.66), at(0.66, -0.45), at(0.74, -0.1), at(0.7, 0.05)], {
      steps: 5,
    })
    const edge = canvas.plane()
    stroke(canvas, edge, {
      points: scapula.map((p) => at(side * p.x * build.width, p.y)),
      from: 0.02,
    })
    add(plane, edge, 0.1)
  }
}

/** Vessels branch from the hila and taper; they are seen only against air. */
function drawVessels(canvas: Canvas, build: Build, lungs: Plane): Plane {
  const plane = canvas.plane()
  const random = build.seedRandom.fork('vessels')
  const grow = (from: Point, way: { angle: number; radius: number; level: number }): void => {
    const { angle, radius, level } = way
    const length = random.between(0.12, 0.2) * (level === 0 ? 1.2 : 1)
    const bend = angle + random.normal(0, 0.2)
    const middle = at(
      from.x + Math.cos(angle) * length * 0.5,
      from.y + Math.sin(angle) * length * 0.5,
    )
    const end = at(
      middle.x + Math.cos(bend) * length * 0.5,
      middle.y + Math.sin(bend) * length * 0.5,
    )
    const points = curve([from, middle, end], { steps: 4 })
    stroke(canvas, plane, {
      points,
      from: radius,
      to: radius * 0.72,
      amount: radius * 11,
      profile: chord,
    })
    if (level >= 3) return
    for (const turn of [-1, 1]) {
      const next = bend + turn * random.between(0.2, 0.6)
      grow(end, { angle: next, radius: radius * random.between(0.58, 0.75), level: level + 1 })
    }
  }
  for (const side of [-1, 1] as const) {
    const hilum = at(side * 0.17 * build.width, -0.05 + (side === 1 ? -0.03 : 0.02))
    for (const lean of [-1.15, -0.5, 0.15, 0.75, 1.2]) {
      const angle = side === 1 ? lean : Math.PI - lean
      grow(hilum, {
        angle: angle + random.normal(0, 0.12),
        radius: random.between(0.018, 0.028),
        level: 0,
      })
    }
  }
  for (let i = 0; i < plane.length; i++) plane[i] = (plane[i] as number) * (lungs[i] as number)
  return plane
}
