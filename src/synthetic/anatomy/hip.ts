// A proximal femur in its socket, with or without osteoporosis: the trabecular texture thins out and coarsens and the
// cortex gets thin. Average density is drawn from one range for both, so exposure does not give it away.

import { add, type Canvas, coverage, type Plane, stroke } from '../drawing/canvas.ts'
import {
  at,
  clamp,
  curve,
  ellipse,
  joined,
  type Point,
  places,
  polygon,
  rod,
  type Shape,
  smoothstep,
} from '../drawing/geometry.ts'
import type { Random } from '../drawing/random.ts'
import type { Radiograph, Scene } from '../scene.ts'
import { type BoneLook, bone } from './bone.ts'

export function drawHip(scene: Scene): Radiograph {
  const { canvas, image, patient } = scene
  const porotic = scene.label === 'OSTEOPOROSIS'
  const look = boneLook(patient.fork('look'), porotic)
  const neckAngle = patient.fork('neck').normal(0, 0.07)
  const scale = patient.fork('scale').normal(1, 0.06)

  const attenuation = softTissue(canvas, image.fork('soft'))
  const shape = femur({ scale, neckAngle })
  const texture = patient.fork('trabeculae')
  drawPelvis(canvas, attenuation, { scale, look, random: texture.fork('pelvis') })
  bone(canvas, attenuation, { shape, look, random: texture.fork('femur') })
  addConfounders(canvas, attenuation, image.fork('confounders'))

  const finding = canvas.plane()
  if (porotic) {
    const area = coverage(canvas, shape)
    canvas.visit(shape.box, (i, _x, y) => {
      finding[i] = (area[i] as number) * (1 - smoothstep(0.45, 0.6, y))
    })
  }
  return { attenuation, finding }
}

function boneLook(random: Random, porotic: boolean): BoneLook {
  return {
    cortex: porotic ? random.between(0.016, 0.034) : random.between(0.032, 0.058),
    marrow: random.between(0.22, 0.42),
    trabecular: porotic ? random.between(0.035, 0.105) : random.between(0.095, 0.18),
    fineness: porotic ? random.between(11, 15) : random.between(14, 18),
    radius: 0.2,
  }
}

function softTissue(canvas: Canvas, random: Random): Plane {
  const plane = canvas.plane()
  const edge = random.between(0.7, 1.1)
  const lean = random.normal(0, 0.1)
  const depth = random.between(0.5, 0.8)
  canvas.visit(null, (i, x, y) => {
    const inside = clamp(edge + lean * y - x, 0, 1.6)
    plane[i] = depth * Math.sqrt(smoothstep(-0.1, 1, inside)) + 0.06 * smoothstep(0.2, -0.9, y)
  })
  return plane
}

function femur(build: { readonly scale: number; readonly neckAngle: number }): Shape {
  const s = build.scale
  const head = at(-0.27 * s, -0.36 * s + build.neckAngle)
  return joined(
    [
      ellipse(head, 0.25 * s, 0.24 * s),
      rod(head, at(0.2 * s, 0.08), 0.15 * s, 0.2 * s),
      ellipse(at(0.33 * s, -0.14), 0.13 * s, 0.17 * s, -0.3),
      ellipse(at(0.05 * s, 0.34), 0.09 * s, 0.11 * s, 0.4),
      rod(at(0.22 * s, 0.12), at(0.24 * s, 1.6), 0.19 * s, 0.15 * s),
    ],
    0.07,
  )
}

function drawPelvis(
  canvas: Canvas,
  plane: Plane,
  options: { readonly scale: number; readonly look: BoneLook; readonly random: Random },
): void {
  const { scale: s, look, random } = options
  const ilium = places([
    [-1.4, -1.5],
    [0.25, -1.5],
    [0.12, -1.1],
    [0.03, -0.82],
    [-0.03, -0.68],
    [-0.28, -0.69],
    [-0.52, -0.58],
    [-0.6, -0.36],
    [-0.55, -0.12],
    [-0.62, 0.1],
    [-0.78, 0.2],
    [-0.9, -0.05],
    [-1.4, -0.1],
  ])
  const ischium = places([
    [-0.75, 0],
    [-0.52, 0.3],
    [-0.6, 0.62],
    [-0.85, 0.8],
    [-1.3, 0.72],
    [-0.85, 0.4],
  ])
  const outline = (knots: readonly Point[]) =>
    polygon(
      curve(
        knots.map((p) => at(p.x * s, p.y * s)),
        { steps: 3, closed: true },
      ),
    )
  const shape = joined([outline(ilium), outline(ischium)], 0.05)
  bone(canvas, plane, { shape, look: { ...look, marrow: look.marrow * 0.7 }, random })
  // The roof of the socket, seen as a bright brow above the head.
  const brow = curve([at(-0.56, -0.42), at(-0.47, -0.58), at(-0.28, -0.67), at(-0.06, -0.6)], {
    steps: 6,
  })
  const layer = canvas.plane()
  stroke(canvas, layer, { points: brow.map((p) => at(p.x * s, p.y * s)), from: 0.022 })
  add(plane, layer, 0.22)
}

/** Vessel calcium, a bone island, folds of skin and clothing: in both classes. */
function addConfounders(canvas: Canvas, plane: Plane, random: Random): void {
  if (random.chance(0.3)) {
    const spot = at(random.between(-0.2, 0.3), random.between(-0.3, 0.6))
    add(plane, coverage(canvas, ellipse(spot, 0.03, 0.04, 0.5), 0.02), 0.3)
  }
  if (random.chance(0.35)) {
    const y = random.between(-0.6, 0.6)
    const fold = curve([at(-1.3, y + 0.3), at(0, y), at(1.3, y + random.normal(0.2, 0.2))], {
      steps: 10,
    })
    const layer = canvas.plane()
    stroke(canvas, layer, { points: fold, from: random.between(0.03, 0.09) })
    add(plane, layer, 0.08)
  }
}
