// Lines that branch and taper, for whatever vessels an anatomy has: of the lung, of a tumour.
import { at, curve, type Point } from './drawing/geometry.ts'
import type { Random } from './drawing/random.ts'

export interface Branch {
  readonly points: readonly Point[]
  readonly from: number
  readonly to: number
}

export interface Growth {
  readonly start: Point
  readonly angle: number
  readonly radius: number
  /** How often it divides in two. */
  readonly levels: number
  readonly length: readonly [number, number]
  /** Deviation of the turn within a branch and range of the turn at a fork, radians. */
  readonly bend: number
  readonly fork: readonly [number, number]
  /** Radius of a daughter over its mother's. */
  readonly taper: readonly [number, number]
}

/** All branches of a tree, the trunk first. */
export function growTree(growth: Growth, random: Random): Branch[] {
  const { start, angle, radius, levels, length, bend, fork, taper } = growth
  const half = random.between(...length) / 2
  const turned = angle + random.normal(0, bend)
  const middle = at(start.x + Math.cos(angle) * half, start.y + Math.sin(angle) * half)
  const end = at(middle.x + Math.cos(turned) * half, middle.y + Math.sin(turned) * half)
  const points = curve([start, middle, end], { steps: 3 })
  const trunk = { points, from: radius, to: radius * taper[1] }
  if (levels === 0) return [trunk]
  const daughters = [-1, 1].flatMap((side) =>
    growTree(
      {
        ...growth,
        start: end,
        angle: turned + side * random.between(...fork),
        radius: radius * random.between(...taper),
        levels: levels - 1,
      },
      random,
    ),
  )
  return [trunk, ...daughters]
}
