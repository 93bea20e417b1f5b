// How one patient's chest is built; drawn by thorax.ts.
import type { Random } from '../drawing/random.ts'

/** One patient's build; the same in all of the patient's images. */
export interface Build {
  readonly width: number
  readonly height: number
  /** Height of the two domes of the diaphragm, right and left. */
  readonly domes: readonly [number, number]
  readonly ribPitch: number
  readonly ribTilt: number
  /** Soft tissue beside the ribs, half-image units. */
  readonly flesh: number
  readonly texture: Random
}

export function drawBuild(patient: Random): Build {
  const random = patient.fork('build')
  return {
    width: random.normal(1, 0.06),
    height: random.normal(1, 0.07),
    domes: [random.normal(0.38, 0.05), random.normal(0.42, 0.05)],
    ribPitch: random.normal(0.135, 0.008),
    ribTilt: random.normal(0.2, 0.05),
    flesh: random.between(0.14, 0.3),
    texture: patient.fork('texture'),
  }
}
