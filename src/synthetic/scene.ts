// The words between the anatomy files and render.ts: what an anatomy is asked for and what it gives back.
import type { Canvas, Plane, Pose } from './drawing/canvas.ts'
import type { Random } from './drawing/random.ts'

export interface Scene {
  readonly canvas: Canvas
  readonly label: string
  /** The patient's own stream: build and trabeculae are the same in all of a patient's images. */
  readonly patient: Random
  /** This image's stream: the finding, confounders, exposure. */
  readonly image: Random
}

export interface Radiograph {
  /** Line integrals of attenuation, before the film. */
  readonly attenuation: Plane
  /** 0..1 where the finding is; all zero in a normal image. */
  readonly finding: Plane
}

/** How much the pose of a body part varies; deviations are of a normal law, in half-image units and radians. */
export interface PoseRange {
  readonly mirrored: number
  readonly angle: number
  readonly zoom: readonly [number, number]
  readonly shift: number
}

export function drawPose(random: Random, range: PoseRange): Pose {
  return {
    mirrored: random.chance(range.mirrored),
    angle: random.normal(0, range.angle),
    zoom: random.between(range.zoom[0], range.zoom[1]),
    dx: random.normal(0, range.shift),
    dy: random.normal(0, range.shift),
  }
}
