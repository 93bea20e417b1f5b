// What crosses the chest: ribs, spine, clavicles, edges of the scapulae, and the vessels of the lung.
import { type Canvas, hollow, overlay, type Plane, stroke } from '../drawing/canvas.ts'
import { at, curve, type Point, places } from '../drawing/geometry.ts'
import { growTree } from '../tree.ts'
import type { Build } from './thorax-build.ts'

const RIB = hollow(0.3)
const SPINE = hollow(0.35)

/** Adds the bones to the attenuation; where two cross, they add up. */
export function drawThoraxBones(canvas: Canvas, plane: Plane, build: Build): void {
  const scratch = canvas.plane()
  for (const side of [-1, 1] as const) {
    const mirror = (points: readonly Point[], steps = 5) =>
      curve(
        points.map((p) => at(side * p.x, p.y)),
        { steps },
      )
    for (let i = 0; i < 10; i++) {
      const { back, front } = ribCurves(build, i)
      const rib = { scratch, from: 0.026, to: 0.03, profile: RIB }
      overlay(canvas, plane, { ...rib, points: mirror(back, 4), amount: 0.17 })
      overlay(canvas, plane, { ...rib, points: mirror(front, 4), amount: 0.1 })
    }
    const { width: w, height: h } = build
    const clavicle = places([
      [0.06 * w, -0.6 * h],
      [0.25 * w, -0.62 * h],
      [0.48 * w, -0.72 * h],
      [0.68 * w, -0.74 * h],
    ])
    const bone = { scratch, from: 0.034, to: 0.028, profile: SPINE }
    overlay(canvas, plane, { ...bone, points: mirror(clavicle), amount: 0.26 })
    const scapula = places([
      [0.52 * w, -0.66],
      [0.66 * w, -0.45],
      [0.74 * w, -0.1],
      [0.7 * w, 0.05],
    ])
    overlay(canvas, plane, { scratch, points: mirror(scapula), from: 0.02, amount: 0.1 })
  }
  for (let i = 0; i < 15; i++) {
    const y = (-0.95 + i * 0.14) * build.height
    const points = [at(-0.055, y), at(0.055, y)]
    overlay(canvas, plane, { scratch, points, from: 0.052, profile: SPINE, amount: 0.22 })
  }
}

/** Rib `i`, counted from the top: the back falls from the spine to the chest wall, the front swings back inward. */
function ribCurves(build: Build, i: number): { back: Point[]; front: Point[] } {
  const { width, height, ribPitch, ribTilt } = build
  const y = (-0.78 + i * ribPitch) * height
  const reach = width * Math.min(0.7, 0.4 + 0.11 * i)
  const drop = ribTilt * (0.7 + 0.1 * i)
  const wall = at(reach, y + drop * 1.25)
  return {
    back: [
      at(0.05, y),
      at(0.2, y - 0.03),
      at(reach * 0.6, y + drop * 0.25),
      at(reach * 0.93, y + drop * 0.8),
      wall,
    ],
    front: [wall, at(reach * 0.9, y + drop * 1.9), at(reach * 0.55, y + drop * 2.6)],
  }
}

/** Vessels branch from the hila and taper; they are seen only against air. */
export function drawLungVessels(canvas: Canvas, build: Build, lungs: Plane): Plane {
  const plane = canvas.plane()
  const random = build.texture.fork('vessels')
  for (const side of [-1, 1] as const) {
    const start = at(side * 0.17 * build.width, side === 1 ? -0.08 : -0.03)
    for (const lean of [-1.15, -0.5, 0.15, 0.75, 1.2]) {
      const angle = (side === 1 ? lean : Math.PI - lean) + random.normal(0, 0.12)
      const tree = growTree(
        {
          start,
          angle,
          radius: random.between(0.018, 0.028),
          levels: 3,
          length: [0.12, 0.2],
          bend: 0.2,
          fork: [0.2, 0.6],
          taper: [0.58, 0.75],
        },
        random,
      )
      for (const branch of tree) stroke(canvas, plane, { ...branch, amount: branch.from * 11 })
    }
  }
  for (let i = 0; i < plane.length; i++) plane[i] = (plane[i] as number) * (lungs[i] as number)
  return plane
}
