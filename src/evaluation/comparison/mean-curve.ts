// One curve for several classes: the mean of their heights at each place (vertical averaging, Fawcett 2006).
type Point = readonly [number, number]
const STEPS = 200

/** Of curves whose first coordinate does not fall. One curve stays as it is; none gives none. */
export function meanCurve(curves: readonly (readonly Point[])[]): [number, number][] {
  const known = curves.filter((curve) => curve.length > 1)
  const [only] = known
  if (!only) return []
  if (known.length === 1) return only.map(([x, y]) => [x, y])
  return Array.from({ length: STEPS + 1 }, (_, i) => {
    const x = i / STEPS
    const heights = known.map((curve) => heightAt(curve, x))
    return [x, heights.reduce((sum, y) => sum + y, 0) / heights.length]
  })
}

/** The last of several points at a place; between points along a straight line. */
function heightAt(curve: readonly Point[], x: number): number {
  const after = curve.findIndex(([place]) => place > x)
  if (after === -1) return curve.at(-1)?.[1] ?? 0
  const right = curve[after] as Point
  const left = curve[after - 1]
  if (!left) return right[1]
  return left[1] + ((right[1] - left[1]) * (x - left[0])) / (right[0] - left[0])
}
