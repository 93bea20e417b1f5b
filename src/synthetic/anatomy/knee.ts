// A frontal knee with or without osteoarthritis: one compartment of the joint space narrows, spurs grow at its margins,
// the plate below hardens. Normal knees vary in joint space, pose and cortex; knee-parts.ts adds what surrounds the joint.

import { type Canvas, coverage, type Plane } from '../drawing/canvas.ts'
import {
  at,
  curve,
  ellipse,
  joined,
  places,
  polygon,
  rod,
  type Shape,
  smoothstep,
} from '../drawing/geometry.ts'
import type { Random } from '../drawing/random.ts'
import type { Radiograph, Scene } from '../scene.ts'
import { type BoneLook, bone } from './bone.ts'
import { addKneeConfounders, addPatella, addSclerosis, kneeSoftTissue } from './knee-parts.ts'

interface Knee {
  readonly scale: number
  /** Healthy joint space, half-image units. */
  readonly gap: number
  readonly unequal: number
  /** The worse compartment, and the share of its joint space that is lost. */
  readonly side: -1 | 1
  readonly narrowing: number
}

export function drawKnee(scene: Scene): Radiograph {
  const { canvas, image, patient } = scene
  const own = patient.fork('knee')
  const finding = image.fork('finding')
  const arthritic = scene.label === 'OSTEOARTHRITIS'
  const narrowing = arthritic ? finding.between(0.36, 0.82) : finding.between(0, 0.3)
  const knee: Knee = {
    scale: own.normal(1, 0.08),
    // Both compartments together are as wide in either class; arthritis is one of them being narrower.
    gap: own.between(0.065, 0.11) / (1 - narrowing / 2),
    unequal: own.normal(0, 0.008),
    side: finding.sign(),
    narrowing,
  }
  const look: BoneLook = {
    cortex: own.between(0.035, 0.05),
    marrow: own.between(0.2, 0.36),
    trabecular: own.between(0.08, 0.16),
    fineness: 20,
  }
  const spurs = arthritic ? growSpurs(knee, finding.fork('spurs')) : { upper: [], lower: [] }

  const attenuation = kneeSoftTissue(canvas, image.fork('soft'))
  const texture = patient.fork('trabeculae')
  const bones: readonly Shape[] = [
    joined([femur(knee), ...spurs.upper], 0.03),
    joined([tibia(knee), ...spurs.lower], 0.03),
    fibula(knee.scale),
  ]
  bones.forEach((shape, i) => {
    bone(canvas, attenuation, { shape, look, random: texture.fork(i) })
  })
  addPatella(canvas, attenuation, image.fork('patella'))
  addSclerosis(canvas, attenuation, {
    at: at(knee.side * 0.26 * knee.scale, knee.gap / 2 + finding.between(0.02, 0.06)),
    amount: finding.between(0, arthritic ? 0.17 : 0.14),
  })
  addKneeConfounders(canvas, attenuation, image.fork('confounders'))
  const marks: [Shape, ...Shape[]] = [jointSpace(knee), ...spurs.upper, ...spurs.lower]
  return { attenuation, finding: arthritic ? marked(canvas, marks) : canvas.plane() }
}

function marked(canvas: Canvas, shapes: readonly [Shape, ...Shape[]]): Plane {
  return coverage(canvas, joined(shapes, 0.02), 0.03)
}

function jointSpace(knee: Knee): Shape {
  return ellipse(at(knee.side * 0.26 * knee.scale, 0), 0.25 * knee.scale, 0.1)
}

function femur(knee: Knee): Shape {
  const { scale: s, gap, unequal } = knee
  const condyle = (side: number) => {
    const height = 0.2 + side * unequal
    return ellipse(at(side * 0.235 * s, -gap / 2 - height), 0.235 * s, height)
  }
  return joined([condyle(-1), condyle(1), rod(at(0, -0.3), at(0, -1.4), 0.28 * s, 0.17 * s)], 0.1)
}

/** The plate rises on the worse side, with the spines of the eminence between the compartments. */
function tibia(knee: Knee): Shape {
  const { scale: s, gap, narrowing, side } = knee
  const plate = [-0.47, -0.3, -0.14, -0.05, 0, 0.05, 0.14, 0.3, 0.47].map((x) => {
    const rise = narrowing * gap * smoothstep(-0.1, 0.2, x * side)
    const spine = 0.038 * Math.max(0, 1 - Math.abs(Math.abs(x) - 0.05) / 0.06)
    const dish = 0.02 * Math.max(0, 1 - Math.abs(Math.abs(x) - 0.28) / 0.16)
    return at(x * s, gap / 2 - rise + dish - spine)
  })
  const shaft = places([
    [0.47, 0.14],
    [0.4, 0.26],
    [0.24, 0.5],
    [0.18, 0.9],
    [0.18, 1.4],
  ])
  const right = shaft.map((p) => at(p.x * s, p.y))
  const left = shaft.map((p) => at(-p.x * s, p.y)).reverse()
  return polygon(curve([...plate, ...right, ...left], { steps: 4, closed: true }))
}

function fibula(scale: number): Shape {
  const head = ellipse(at(0.43 * scale, 0.36), 0.085, 0.1)
  return joined([head, rod(at(0.42 * scale, 0.4), at(0.38 * scale, 1.4), 0.05, 0.055)], 0.04)
}

/** Beaks of bone that grow outward from the margins of the joint, mostly on the worse side. */
function growSpurs(knee: Knee, random: Random): { upper: Shape[]; lower: Shape[] } {
  const { scale: s, gap, side, narrowing } = knee
  const upper: Shape[] = []
  const lower: Shape[] = []
  const rise = narrowing * gap
  for (const edge of [side, -side]) {
    const worse = edge === side
    const reach = () => 0.47 * s + random.between(-0.018, 0.055) * (worse ? 1 : 0.7)
    if (worse || random.chance(0.3)) {
      const root = at(edge * 0.36 * s, -gap / 2 - 0.12)
      upper.push(rod(root, at(edge * reach(), -gap / 2 - random.between(0.02, 0.08)), 0.07, 0.012))
    }
    if (worse || random.chance(0.3)) {
      const top = gap / 2 - (worse ? rise : 0)
      const root = at(edge * 0.36 * s, top + 0.1)
      lower.push(rod(root, at(edge * reach(), top + random.between(0, 0.05)), 0.06, 0.012))
    }
  }
  return { upper, lower }
}
