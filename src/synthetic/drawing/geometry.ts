// Analytic outlines as signed distances (negative inside), in anatomy units: the image spans -1..1, y grows downward.
// Knows nothing of pixels; canvas.ts rasterises.

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Box {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

export interface Shape {
  /** Where the distance may be negative. */
  readonly box: Box
  /** Signed distance, negative inside; exact or close. */
  readonly distance: (x: number, y: number) => number
  /** By how much `distance` may jump or stray between near places; 0 when left out. */
  readonly slack?: number
}

export const at = (x: number, y: number): Point => ({ x, y })

/** A list of points from pairs of numbers. */
export function places(pairs: readonly (readonly [number, number])[]): Point[] {
  return pairs.map(([x, y]) => at(x, y))
}

export function mix(a: number, b: number, t: number): number {
  return a + (b - a) * t
}

export function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value
}

/** `Math.hypot` guards against overflow, which costs ten times as much and cannot happen here. */
export function length(x: number, y: number): number {
  return Math.sqrt(x * x + y * y)
}

/** 0 below `from`, 1 above `to`, cubic between. */
export function smoothstep(from: number, to: number, value: number): number {
  const t = clamp((value - from) / (to - from), 0, 1)
  return t * t * (3 - 2 * t)
}

export function ellipse(centre: Point, rx: number, ry: number, angle = 0): Shape {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const reach = Math.max(rx, ry)
  return {
    box: boundsOf([centre], reach),
    distance(x, y) {
      const px = (x - centre.x) * cos + (y - centre.y) * sin
      const py = (y - centre.y) * cos - (x - centre.x) * sin
      const k = length(px / rx, py / ry)
      const slope = length(px / (rx * rx), py / (ry * ry))
      return slope < 1e-9 ? -Math.min(rx, ry) : (k * (k - 1)) / slope
    },
  }
}

/** A rod with round ends whose radius goes from `ra` to `rb`. */
export function rod(a: Point, b: Point, ra: number, rb = ra): Shape {
  const [bx, by] = [b.x - a.x, b.y - a.y]
  const length2 = bx * bx + by * by || 1e-12
  return {
    box: boundsOf([a, b], Math.max(ra, rb)),
    distance(x, y) {
      const h = clamp(((x - a.x) * bx + (y - a.y) * by) / length2, 0, 1)
      return length(x - a.x - h * bx, y - a.y - h * by) - mix(ra, rb, h)
    },
  }
}

/** The inside of a closed polygon, even-odd rule; exact distance. */
export function polygon(points: readonly Point[]): Shape {
  const n = points.length
  const xs = Float64Array.from(points, (p) => p.x)
  const ys = Float64Array.from(points, (p) => p.y)
  return {
    box: boundsOf(points, 0),
    distance(x, y) {
      let [nearest, inside] = [Infinity, false]
      for (let i = 0, j = n - 1; i < n; j = i++) {
        const [ax, ay] = [xs[i] as number, ys[i] as number]
        const ex = (xs[j] as number) - ax
        const ey = (ys[j] as number) - ay
        const wx = x - ax
        const wy = y - ay
        const h = clamp((wx * ex + wy * ey) / (ex * ex + ey * ey || 1e-12), 0, 1)
        const [dx, dy] = [wx - ex * h, wy - ey * h]
        nearest = Math.min(nearest, dx * dx + dy * dy)
        if (ay > y !== ay + ey > y && x < ax + (ex * (y - ay)) / ey) inside = !inside
      }
      return inside ? -Math.sqrt(nearest) : Math.sqrt(nearest)
    },
  }
}

/** Joined outline with a rounded seam of about `radius` (polynomial smooth minimum). */
export function joined(shapes: readonly [Shape, ...Shape[]], radius: number): Shape {
  return {
    box: boxOf(shapes.map((shape) => shape.box)),
    slack: Math.max(...shapes.map((shape) => shape.slack ?? 0)),
    distance(x, y) {
      let d = shapes[0].distance(x, y)
      for (let i = 1; i < shapes.length; i++) {
        const other = (shapes[i] as Shape).distance(x, y)
        const h = clamp(0.5 + (0.5 * (other - d)) / radius, 0, 1)
        d = mix(other, d, h) - radius * h * (1 - h)
      }
      return d
    },
  }
}

/** The same outline with its edge displaced by `offset(x, y)` (positive grows), at most `reach`. */
export function displaced(
  shape: Shape,
  options: { readonly reach: number; readonly offset: (x: number, y: number) => number },
): Shape {
  const { box } = shape
  const { reach, offset } = options
  return {
    box: {
      left: box.left - reach,
      top: box.top - reach,
      right: box.right + reach,
      bottom: box.bottom + reach,
    },
    slack: 2 * reach + (shape.slack ?? 0),
    distance: (x, y) => shape.distance(x, y) - clamp(offset(x, y), -reach, reach),
  }
}

/** Points of a Catmull-Rom spline through `knots`, `steps` for each span. */
export function curve(
  knots: readonly Point[],
  options: { readonly steps: number; readonly closed?: boolean },
): Point[] {
  const { steps, closed = false } = options
  const n = knots.length
  const knot = (i: number) => knots[closed ? (i + n) % n : clamp(i, 0, n - 1)] as Point
  const spans = closed ? n : n - 1
  const points: Point[] = []
  for (let i = 0; i < spans; i++) {
    const [a, b, c, d] = [knot(i - 1), knot(i), knot(i + 1), knot(i + 2)]
    for (let step = 0; step < steps; step++) {
      const t = step / steps
      points.push(at(spline(a.x, b.x, c.x, d.x, t), spline(a.y, b.y, c.y, d.y, t)))
    }
  }
  if (!closed) points.push(knot(n - 1))
  return points
}

function spline(a: number, b: number, c: number, d: number, t: number): number {
  return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
}

/** The smallest box around `points`, grown by `margin`. */
export function boundsOf(points: readonly Point[], margin: number): Box {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const { x, y } of points) {
    left = Math.min(left, x - margin)
    right = Math.max(right, x + margin)
    top = Math.min(top, y - margin)
    bottom = Math.max(bottom, y + margin)
  }
  return { left, top, right, bottom }
}

function boxOf(boxes: readonly Box[]): Box {
  return boundsOf(
    boxes.flatMap(({ left, top, right, bottom }) => [at(left, top), at(right, bottom)]),
    0,
  )
}
