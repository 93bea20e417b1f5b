// A square grid of floats and the pose that maps its pixels to anatomy units: the rasteriser of this room.
// What is drawn is up to the anatomy files; how it looks on film is up to film.ts.
import { type Box, boundsOf, clamp, type Point, rod, type Shape } from './geometry.ts'

export type Plane = Float32Array

/** Anatomy to image: mirrored, turned (radians), scaled, moved (in half-image units). */
export interface Pose {
  readonly mirrored: boolean
  readonly angle: number
  readonly zoom: number
  readonly dx: number
  readonly dy: number
}

export const IDENTITY: Pose = { mirrored: false, angle: 0, zoom: 1, dx: 0, dy: 0 }

/** A stroke's value from the distance to its axis and its radius there; see `chord` and `flat`. */
export type Profile = (distance: number, radius: number) => number

export interface Block {
  readonly row: number
  readonly column: number
  readonly x: number
  readonly y: number
  readonly xStep: Point
  readonly yStep: Point
}

export interface Canvas {
  readonly size: number
  /** Width of a pixel in anatomy units: the softest edge that is still sharp. */
  readonly pixel: number
  plane(): Plane
  /** The same for square blocks of pixels: the first pixel, the place of the middle and the step from pixel to pixel. */
  blocks(box: Box, side: number, visit: (block: Block) => void): void
  /** Calls `visit(index, x, y)` for every pixel whose anatomy position lies in `box` (grown by one pixel). */
  visit(box: Box | null, visit: (index: number, x: number, y: number) => void): void
  /** Image position (-1..1) of a point of the anatomy. */
  project(point: Point): Point
}

export function createCanvas(size: number, pose: Pose): Canvas {
  const pixel = 2 / (size * pose.zoom)
  const [cos, sin] = [Math.cos(pose.angle), Math.sin(pose.angle)]
  const flip = pose.mirrored ? -1 : 1

  function project({ x, y }: Point): Point {
    const mx = x * flip
    return {
      x: pose.zoom * (mx * cos - y * sin) + pose.dx,
      y: pose.zoom * (mx * sin + y * cos) + pose.dy,
    }
  }

  function columns(box: Box) {
    const corners = [
      project({ x: box.left, y: box.top }),
      project({ x: box.right, y: box.top }),
      project({ x: box.left, y: box.bottom }),
      project({ x: box.right, y: box.bottom }),
    ]
    const toPixel = (v: number) => ((v + 1) / 2) * size
    const xs = corners.map((corner) => toPixel(corner.x))
    const ys = corners.map((corner) => toPixel(corner.y))
    return {
      x0: clamp(Math.floor(Math.min(...xs)) - 1, 0, size),
      x1: clamp(Math.ceil(Math.max(...xs)) + 1, 0, size),
      y0: clamp(Math.floor(Math.min(...ys)) - 1, 0, size),
      y1: clamp(Math.ceil(Math.max(...ys)) + 1, 0, size),
    }
  }

  return {
    size,
    pixel,
    project,
    plane: () => new Float32Array(size * size),
    blocks(box, side, visit) {
      const { x0, x1, y0, y1 } = columns(box)
      const xStep = { x: flip * cos * pixel, y: -sin * pixel }
      const yStep = { x: flip * sin * pixel, y: cos * pixel }
      for (let row = y0; row < y1; row += side) {
        const v = (((row + side / 2) / size) * 2 - 1 - pose.dy) / pose.zoom
        for (let column = x0; column < x1; column += side) {
          const u = (((column + side / 2) / size) * 2 - 1 - pose.dx) / pose.zoom
          const [x, y] = [flip * (u * cos + v * sin), v * cos - u * sin]
          visit({ row, column, x, y, xStep, yStep })
        }
      }
    },
    visit(box, visit) {
      const { x0, x1, y0, y1 } = box ? columns(box) : { x0: 0, x1: size, y0: 0, y1: size }
      for (let row = y0; row < y1; row++) {
        const v = (((row + 0.5) / size) * 2 - 1 - pose.dy) / pose.zoom
        for (let column = x0; column < x1; column++) {
          const u = (((column + 0.5) / size) * 2 - 1 - pose.dx) / pose.zoom
          visit(row * size + column, flip * (u * cos + v * sin), v * cos - u * sin)
        }
      }
    },
  }
}

const BLOCK = 8

/**
 * Signed distances to a shape, cut at `reach` to either side. Only blocks of pixels that the outline may cross are
 * sampled pixel by pixel; nearby ones are interpolated from their corners and far ones filled, so that a polygon costs
 * its outline and not its area.
 */
export function distances(canvas: Canvas, shape: Shape, reach: number): Plane {
  const { size, pixel } = canvas
  const plane = canvas.plane().fill(reach)
  const blockRadius = pixel * BLOCK * Math.SQRT1_2
  const near = 1.6 * blockRadius + (shape.slack ?? 0)
  const far = 1.5 * (reach + blockRadius) + (shape.slack ?? 0)
  const { left, top, right, bottom } = shape.box
  const box = { left: left - reach, top: top - reach, right: right + reach, bottom: bottom + reach }
  canvas.blocks(box, BLOCK, ({ row, column, x, y, xStep, yStep }) => {
    // u and v count pixels from the middle of the block.
    const sample = (u: number, v: number) =>
      shape.distance(x + u * xStep.x + v * yStep.x, y + u * xStep.y + v * yStep.y)
    const middle = Math.abs(sample(0, 0))
    const half = BLOCK / 2
    let value = sample
    if (middle > far) {
      const side = sample(0, 0) < 0 ? -reach : reach
      value = () => side
    } else if (middle > near) {
      const [a, b] = [sample(-half, -half), sample(half, -half)]
      const [c, d] = [sample(-half, half), sample(half, half)]
      value = (u, v) => {
        const [s, t] = [u / BLOCK + 0.5, v / BLOCK + 0.5]
        return (1 - t) * (a + s * (b - a)) + t * (c + s * (d - c))
      }
    }
    for (let r = 0; r < BLOCK && row + r < size; r++) {
      for (let col = 0; col < BLOCK && column + col < size; col++) {
        const distance = value(col - half + 0.5, r - half + 0.5)
        plane[(row + r) * size + column + col] = clamp(distance, -reach, reach)
      }
    }
  })
  return plane
}

/** How much of a pixel lies inside: 1 deep inside, 0 outside, a ramp of `softness` (at least a pixel) across the edge. */
export function coverage(canvas: Canvas, shape: Shape, softness = 0): Plane {
  const width = Math.max(softness, canvas.pixel)
  const plane = distances(canvas, shape, width)
  for (let i = 0; i < plane.length; i++) {
    const t = clamp(0.5 - (plane[i] as number) / width, 0, 1)
    plane[i] = t * t * (3 - 2 * t)
  }
  return plane
}

/** Path of a ray through a solid rod, 1 on its axis and 0 at its edge. */
export const chord: Profile = (distance, radius) =>
  distance >= radius ? 0 : Math.sqrt(1 - (distance / radius) ** 2)

/** Path of a ray through a hollow rod whose wall is `wall` of its radius: two bright borders, a paler middle. */
export function hollow(wall: number): Profile {
  const inner = 1 - wall
  return (distance, radius) => {
    const t = distance / radius
    if (t >= 1) return 0
    return Math.sqrt(1 - t * t) - (t < inner ? Math.sqrt(inner * inner - t * t) * 0.9 : 0)
  }
}

/** Draws a line through `points` whose radius goes from `from` to `to`; where it crosses itself the stronger value stays. */
export function stroke(
  canvas: Canvas,
  plane: Plane,
  options: {
    readonly points: readonly Point[]
    readonly from: number
    readonly to?: number
    readonly profile?: Profile
    readonly amount?: number
  },
): void {
  const { points, from, to = from, profile = chord, amount = 1 } = options
  const last = points.length - 1
  for (let i = 0; i < last; i++) {
    const ra = from + ((to - from) * i) / last
    const rb = from + ((to - from) * (i + 1)) / last
    // A line thinner than a pixel is drawn a pixel wide and paler, so that it neither breaks up nor gains weight.
    const least = canvas.pixel * 0.75
    const radius = Math.max(least, (ra + rb) / 2)
    const weight = (amount * Math.min(1, (ra + rb) / 2 / least)) as number
    const segment = rod(points[i] as Point, points[i + 1] as Point, radius)
    canvas.visit(segment.box, (index, x, y) => {
      const value = weight * profile(segment.distance(x, y) + radius, radius)
      if (value > (plane[index] as number)) plane[index] = value
    })
  }
}

/** Adds one stroke to what is there, as two things in the beam add up, at the cost of its own pixels only. */
export function overlay(
  canvas: Canvas,
  target: Plane,
  options: Parameters<typeof stroke>[2] & { readonly scratch: Plane },
): void {
  const { scratch, points, from, to = from } = options
  stroke(canvas, scratch, options)
  const margin = Math.max(from, to, canvas.pixel)
  canvas.visit(boundsOf(points, margin), (i) => {
    target[i] = (target[i] as number) + (scratch[i] as number)
    scratch[i] = 0
  })
}

/** target += amount * source, in place. */
export function add(target: Plane, source: Plane, amount: number): void {
  for (let i = 0; i < target.length; i++) {
    target[i] = (target[i] as number) + amount * (source[i] as number)
  }
}

/** Two passes of a running mean in both directions: close to a Gaussian of standard deviation 0.8 * radius (pixels). */
export function blurred(plane: Plane, options: { readonly size: number; readonly radius: number }) {
  const { size } = options
  const radius = Math.max(0, Math.round(options.radius))
  if (radius === 0) return plane.slice()
  let current = plane
  for (let pass = 0; pass < 2; pass++) {
    current = boxPass(boxPass(current, { size, radius, step: 1, line: size }), {
      size,
      radius,
      step: size,
      line: 1,
    })
  }
  return current
}

function boxPass(
  source: Plane,
  way: {
    readonly size: number
    readonly radius: number
    readonly step: number
    readonly line: number
  },
): Plane {
  const { size, radius, step, line } = way
  const result = new Float32Array(source.length)
  const width = 2 * radius + 1
  for (let k = 0; k < size; k++) {
    const start = k * line
    const value = (i: number) => source[start + clamp(i, 0, size - 1) * step] as number
    let sum = 0
    for (let i = -radius; i <= radius; i++) sum += value(i)
    for (let i = 0; i < size; i++) {
      result[start + i * step] = sum / width
      sum += value(i + radius + 1) - value(i - radius)
    }
  }
  return result
}
