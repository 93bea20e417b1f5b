// A frontal knee with or without osteoarthritis: one compartment of the joint space narrows, spurs grow at its margins,
// the plate below hardens. Normal knees vary in joint space, pose and cortex, and have a fabella or vessel calcium.
import { type BoneLook, bone } from './bone.ts'
import { add, type Canvas, coverage, type Plane, stroke } from './canvas.ts'
import {
  at,
  clamp,
  curve,
  ellipse,
  joined,
  type Point,
  polygon,
  rod,
  type Shape,
  smoothstep,
} from './geometry.ts'
import type { Random } from './random.ts'
import type { Radiograph, Scene } from './scene.ts'

interface KneeBuild {
  readonly scale: number
  /** Healthy joint space, half-image units. */
  readonly gap: number
  readonly condyle: number
  readonly look: BoneLook
}

export function drawKnee(scene: Scene): Radiograph {
  const { canvas, image } = scene
  const own = scene.patient.fork('knee')
  const build: KneeBuild = {
    scale: own.normal(1, 0.06),
    gap: own.between(0.085, 0.12),
    condyle: own.normal(0, 0.02),
    look: { cortex: own.between(0.035, 0.05), marrow: 0.34, trabecular: own.between(0.1, 0.18) },
  }
  const arthritic = scene.label === 'OSTEOARTHRITIS'
  const finding = image.fork('finding')
  const side = finding.sign()
  const narrowing = arthritic ? finding.between(0.5, 0.92) : finding.between(0, 0.18)

  const attenuation = softTissue(canvas, image.fork('soft'))
  const lower = build.gap * 0.5
  const tilt = (narrowing * build.gap) / 2
  const shapes = { femur: femur(build), tibia: tibia(build, { lower, tilt, side }) }
  const texture = scene.patient.fork('trabeculae')
  bone(canvas, attenuation, {
    shape: shapes.femur,
    look: build.look,
    random: texture.fork('femur'),
  })
  bone(canvas, attenuation, {
    shape: shapes.tibia,
    look: build.look,
    random: texture.fork('tibia'),
  })
  bone(canvas, attenuation, {
    shape: fibula(build),
    look: build.look,
    random: texture.fork('fibula'),
  })
  addPatella(canvas, attenuation, image.fork('patella'))

  const mask = canvas.plane()
  if (arthritic) addSpurs(canvas, { attenuation, mask, build, side, random: finding })
  addSclerosis(canvas, attenuation, {
    build,
    side: arthritic ? side : finding.sign(),
    random: finding,
    amount: arthritic ? finding.between(0.05, 0.2) : finding.between(0, 0.14),
  })
  addConfounders(canvas, attenuation, image.fork('confounders'))
  if (arthritic) {
    const joint = ellipse(at(side * 0.25 * build.scale, 0), 0.25 * build.scale, 0.1)
    const area = coverage(canvas, joint, 0.03)
    for (let i = 0; i < mask.length; i++) mask[i] = Math.max(mask[i] as number, area[i] as number)
  }
  return { attenuation, finding: mask }
}

function softTissue(canvas: Canvas, random: Random): Plane {
  const half = random.between(0.62, 0.78)
  const plane = canvas.plane()
  canvas.visit(null, (i, x, y) => {
    const width = half + 0.06 * y * y - 0.04 * Math.cos(y * 2.4)
    plane[i] = 0.55 * Math.sqrt(clamp(1 - (x / width) ** 2, 0, 1))
  })
  return plane
}

function femur(build: KneeBuild): Shape {
  const s = build.scale
  const floor = -build.gap / 2
  const condyle = (side: number) =>
    ellipse(
      at(side * 0.235 * s, floor - 0.2 + side * build.condyle * 0.3),
      0.235 * s,
      0.2 - side * build.condyle * 0.3,
    )
  return joined([condyle(-1), condyle(1), rod(at(0, -0.3), at(0, -1.4), 0.28 * s, 0.17 * s)], 0.1)
}

function tibia(build: KneeBuild, joint: { lower: number; tilt: number; side: number }): Shape {
  const s = build.scale
  const rise = (x: number) => joint.lower - joint.tilt * 2 * smoothstep(-0.1, 0.2, x * joint.side)
  const top = [-0.47, -0.3, -0.14, -0.05, 0, 0.05, 0.14, 0.3, 0.47].map((x) => {
    const spine = 0.055 * Math.max(0, 1 - Math.abs(Math.abs(x) - 0.05) / 0.06)
    const dish = 0.02 * Math.max(0, 1 - Math.abs(Math.abs(x) - 0.28) / 0.16)
    return at(x * s, rise(x) + dish - spine * 0.7)
  })
  const shaft: Point[] = [
    at(0.47, 0.14),
    at(0.4, 0.26),
    at(0.24, 0.5),
    at(0.18, 0.9),
    at(0.18, 1.4),
  ]
  const right = shaft.map((p) => at(p.x * s, p.y))
  const left = shaft.map((p) => at(-p.x * s, p.y)).reverse()
  return polygon(curve([...top, ...right, ...left], { steps: 4, closed: true }))
}

function fibula(build: KneeBuild): Shape {
  const s = build.scale
  return joined(
    [
      ellipse(at(0.43 * s, 0.36), 0.085, 0.1),
      rod(at(0.42 * s, 0.4), at(0.38 * s, 1.4), 0.05, 0.055),
    ],
    0.04,
  )
}

function addPatella(canvas: Canvas, plane: Plane, random: Random): void {
  const shape = ellipse(at(random.normal(0, 0.04), random.normal(-0.4, 0.06)), 0.2, 0.22)
  add(plane, coverage(canvas, shape, 0.05), random.between(0.1, 0.2))
}

/** Spurs: little beaks of bone that point outward from the joint's margins. */
function addSpurs(
  canvas: Canvas,
  options: { attenuation: Plane; mask: Plane; build: KneeBuild; side: number; random: Random },
): void {
  const { attenuation, mask, build, side, random } = options
  const layer = canvas.plane()
  for (const edge of [side, -side]) {
    for (const row of [-1, 1]) {
      if (edge !== side && random.chance(0.6)) continue
      const length = random.between(0.05, 0.12) * (edge === side ? 1 : 0.7)
      const root = at(
        edge * 0.41 * build.scale,
        row < 0 ? -build.gap / 2 - 0.1 : build.gap / 2 + 0.05,
      )
      const tip = at(root.x + edge * (length + 0.02), root.y - row * length * 0.45)
      stroke(canvas, layer, { points: [root, tip], from: 0.05, to: 0.012 })
    }
  }
  add(attenuation, layer, 0.5)
  for (let i = 0; i < mask.length; i++)
    mask[i] = Math.max(mask[i] as number, (layer[i] as number) > 0.25 ? 1 : 0)
}

function addSclerosis(
  canvas: Canvas,
  plane: Plane,
  options: { build: KneeBuild; side: number; random: Random; amount: number },
): void {
  const { build, side, random, amount } = options
  const y = build.gap / 2 + random.between(0.02, 0.06)
  add(plane, coverage(canvas, ellipse(at(side * 0.26 * build.scale, y), 0.2, 0.05), 0.05), amount)
}

/** A fabella behind the condyle, calcified vessels: bright, but no sign of arthritis. */
function addConfounders(canvas: Canvas, plane: Plane, random: Random): void {
  if (random.chance(0.3)) {
    const spot = at(random.between(0.3, 0.42), random.between(-0.3, -0.2))
    add(plane, coverage(canvas, ellipse(spot, 0.045, 0.055), 0.02), 0.25)
  }
  if (random.chance(0.3)) {
    const x = random.sign() * random.between(0.05, 0.3)
    const points = curve([at(x, -1.1), at(x + 0.06, -0.4), at(x - 0.05, 0.3), at(x, 1.1)], {
      steps: 12,
    })
    const layer = canvas.plane()
    for (let i = 0; i + 2 < points.length; i += random.integer(2, 4)) {
      stroke(canvas, layer, { points: points.slice(i, i + 2), from: 0.012 })
    }
    add(plane, layer, 0.16)
  }
}
