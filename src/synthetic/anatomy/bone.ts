// How any bone attenuates: a hollow cortex seen edge-on (bright borders), marrow, and trabeculae in it.
// Outlines come from the anatomy files.
import { type Canvas, distances, type Plane } from '../drawing/canvas.ts'
import { clamp, type Shape } from '../drawing/geometry.ts'
import { createNoise } from '../drawing/noise.ts'
import type { Random } from '../drawing/random.ts'

export interface BoneLook {
  /** Thickness of the cortex, half-image units. */
  readonly cortex: number
  /** Attenuation of the marrow cavity with its trabeculae, on average. */
  readonly marrow: number
  /** Contrast of the trabeculae around that average. */
  readonly trabecular: number
  /** Trabeculae per unit; 24 by default. */
  readonly fineness?: number
  /** Radius that the outline's curvature is taken for. */
  readonly radius?: number
}

/** Adds a bone to the attenuation. The trabeculae run along y and are braced across it. */
export function bone(
  canvas: Canvas,
  attenuation: Plane,
  options: { readonly shape: Shape; readonly look: BoneLook; readonly random: Random },
): void {
  const { shape, look } = options
  const texture = trabeculae(options.random, look.fineness ?? 24)
  const radius = look.radius ?? 0.2
  // Deeper than this nothing depends on the depth any more.
  const reach = Math.max(radius, look.cortex + 0.4 * radius) + canvas.pixel
  const distance = distances(canvas, shape, reach)
  canvas.visit(shape.box, (i, x, y) => {
    const depth = canvas.pixel / 2 - (distance[i] as number)
    if (depth <= 0) return
    const edge = clamp(depth / canvas.pixel, 0, 1)
    const shell = 1.15 * shellChord(depth, { radius, wall: look.cortex })
    const inside = clamp((depth - look.cortex) / (0.4 * radius), 0, 1)
    const cancellous = Math.sqrt(inside) * (look.marrow + look.trabecular * texture(x, y))
    attenuation[i] = (attenuation[i] as number) + edge * (shell + 0.1 + cancellous)
  })
}

/** Path through the wall of a hollow cylinder of `radius` at `depth` below its outline, over the radius. */
function shellChord(
  depth: number,
  tube: { readonly radius: number; readonly wall: number },
): number {
  const outer = tube.radius
  const inner = outer - tube.wall
  const fromAxis = Math.max(0, outer - depth)
  const path = Math.sqrt(outer * outer - fromAxis * fromAxis)
  const cavity = fromAxis < inner ? Math.sqrt(inner * inner - fromAxis * fromAxis) : 0
  return (path - cavity) / outer
}

/** Struts along the load and finer cross struts, about -1..1 with mean near zero. */
export function trabeculae(random: Random, fineness: number): (x: number, y: number) => number {
  const along = createNoise(random.fork('along'))
  const across = createNoise(random.fork('across'))
  const sway = createNoise(random.fork('sway'))
  return (x, y) => {
    const bend = 0.05 * sway(x * 3, y * 3)
    const strut = 1 - 2.6 * Math.abs(along((x + bend) * fineness, y * fineness * 0.3))
    const brace = 1 - 2.6 * Math.abs(across(x * fineness * 0.45, (y + bend) * fineness * 0.9))
    return clamp(0.7 * strut + 0.45 * brace - 0.1, -1.2, 1.2)
  }
}
