// What surrounds a knee joint, arthritic or not: soft tissue, patella, subchondral plate, fabella, calcified vessels.
import { add, type Canvas, coverage, overlay, type Plane } from '../drawing/canvas.ts'
import { at, clamp, curve, ellipse, type Point, places } from '../drawing/geometry.ts'
import type { Random } from '../drawing/random.ts'

export function kneeSoftTissue(canvas: Canvas, random: Random): Plane {
  const half = random.between(0.62, 0.78)
  const thickness = random.between(0.5, 0.75)
  const plane = canvas.plane()
  canvas.visit(null, (i, x, y) => {
    const width = half + 0.06 * y * y - 0.04 * Math.cos(y * 2.4)
    plane[i] = thickness * Math.sqrt(clamp(1 - (x / width) ** 2, 0, 1))
  })
  return plane
}

export function addPatella(canvas: Canvas, plane: Plane, random: Random): void {
  const shape = ellipse(at(random.normal(0, 0.04), random.normal(-0.4, 0.06)), 0.2, 0.22)
  add(plane, coverage(canvas, shape, 0.05), random.between(0.08, 0.18))
}

/** A dense band below the joint. Normal knees have a paler one. */
export function addSclerosis(
  canvas: Canvas,
  plane: Plane,
  options: { readonly at: Point; readonly amount: number },
): void {
  add(plane, coverage(canvas, ellipse(options.at, 0.2, 0.05), 0.05), options.amount)
}

/** A fabella behind the condyle, calcified vessels: bright, but no sign of arthritis. */
export function addKneeConfounders(canvas: Canvas, plane: Plane, random: Random): void {
  if (random.chance(0.3)) {
    const spot = at(random.between(0.3, 0.42), random.between(-0.3, -0.2))
    add(plane, coverage(canvas, ellipse(spot, 0.045, 0.055), 0.02), 0.25)
  }
  if (random.chance(0.3)) {
    const x = random.sign() * random.between(0.05, 0.3)
    const knots = places([
      [x, -1.1],
      [x + 0.06, -0.4],
      [x - 0.05, 0.3],
      [x, 1.1],
    ])
    const points = curve(knots, { steps: 12 })
    const scratch = canvas.plane()
    for (let i = 0; i + 2 < points.length; i += random.integer(2, 4)) {
      overlay(canvas, plane, { scratch, points: points.slice(i, i + 2), from: 0.012, amount: 0.16 })
    }
  }
}
