// A frontal chest: body, lungs and heart, with the bones and vessels of thorax-parts.ts. Healthy; pneumonia.ts and
// cardiomegaly.ts add the findings.
import { add, type Canvas, coverage, distances, type Plane } from '../drawing/canvas.ts'
import {
  at,
  clamp,
  curve,
  ellipse,
  joined,
  mix,
  type Point,
  places,
  polygon,
  type Shape,
  smoothstep,
} from '../drawing/geometry.ts'
import { createNoise, octaves } from '../drawing/noise.ts'
import type { Build } from './thorax-build.ts'
import { drawLungVessels, drawThoraxBones } from './thorax-parts.ts'

export interface Heart {
  /** Greatest transverse diameter of the silhouette over the inner width of the thorax. */
  readonly ratio: number
  /** 0: apex low and pointed; 1: globular. */
  readonly roundness: number
  /** Half the length of the ventricle, half-image units. */
  readonly height: number
  readonly shift: number
}

export interface Thorax {
  readonly attenuation: Plane
  /** 0..1: how much lung the ray crosses. */
  readonly lungs: Plane
  /** The heart without the great vessels above it. */
  readonly heartShape: Shape
  readonly heartCentre: Point
  readonly build: Build
}

const INNER_HALF_WIDTH = 0.67

export function drawThorax(canvas: Canvas, build: Build, heart: Heart): Thorax {
  const { shape: heartShape, centre: heartCentre } = heartOutline(build, heart)
  const greatVessels = ellipse(
    at(0.03 + heart.shift * 0.5, -0.28 * build.height),
    0.13 * build.width,
    0.34,
  )
  const mediastinum = coverage(canvas, joined([heartShape, greatVessels], 0.09), 0.03)
  const lungs = coverage(canvas, lungOutline(build, -1), 0.05)
  add(lungs, coverage(canvas, lungOutline(build, 1), 0.05), 1)
  const attenuation = body(canvas, build)
  const texture = octaves(createNoise(build.texture.fork('soft')), 2)
  canvas.visit(null, (i, x, y) => {
    // The lungs wrap around the heart: behind and before it the ray still crosses some air.
    const air = clamp(lungs[i] as number, 0, 1) * (1 - 0.8 * (mediastinum[i] as number))
    attenuation[i] = (attenuation[i] as number) * (1 - 0.66 * air) + 0.05 * texture(x * 4, y * 4)
    lungs[i] = air
  })
  drawThoraxBones(canvas, attenuation, build)
  add(attenuation, drawLungVessels(canvas, build, lungs), 1)
  return { attenuation, lungs, heartShape, heartCentre, build }
}

/** Chord of the trunk with shoulders and neck, and air around it. */
function body(canvas: Canvas, build: Build): Plane {
  const w = build.width * 0.72 + build.flesh
  const right: readonly (readonly [number, number])[] = [
    [w, 1.5],
    [w, 0.5],
    [w, -0.3],
    [w - 0.07, -0.74],
    [0.2, -0.92],
    [0.16, -1.3],
  ]
  const left = right.map(([x, y]) => [-x, y] as const).reverse()
  const trunk = polygon(curve(places([...right, ...left]), { steps: 4, closed: true }))
  const plane = canvas.plane()
  const distance = distances(canvas, trunk, 0.45)
  canvas.visit(trunk.box, (i, _x, y) => {
    const depth = -(distance[i] as number)
    if (depth <= 0) return
    const abdomen = smoothstep(0.4, 0.8, y) * 0.25
    plane[i] = (0.9 + build.flesh + abdomen) * Math.sqrt(smoothstep(-0.05, 0.45, depth))
  })
  return plane
}

/** side -1: the patient's right lung, on the left of the image. */
function lungOutline(build: Build, side: -1 | 1): Shape {
  const dome = build.domes[side === -1 ? 0 : 1]
  const knots = places([
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
  ])
  const stretched = knots.map((p): Point => at(side * p.x * build.width, p.y * build.height))
  return polygon(curve(stretched, { steps: 4, closed: true }))
}

/** Left ventricle and right atrium, resting on the left dome of the diaphragm, two thirds left of the midline. */
function heartOutline(build: Build, heart: Heart): { shape: Shape; centre: Point } {
  const radius = heart.ratio * INNER_HALF_WIDTH * build.width
  const floor = (build.domes[1] + 0.04) * build.height
  const ry = heart.height * build.height
  const centre = at(0.27 * radius + heart.shift, floor - ry * 0.8)
  const ventricle = ellipse(centre, radius, ry, mix(0.5, 0.22, heart.roundness))
  const atriumAt = at(centre.x - radius * 0.45, centre.y - ry * 0.15)
  const shape = joined([ventricle, ellipse(atriumAt, radius * 0.5, ry * 0.75)], 0.09)
  return { shape, centre }
}
