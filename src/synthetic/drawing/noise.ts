// Smooth random textures in anatomy coordinates (they turn and zoom with the pose): gradient noise and sums of its octaves.
import { length } from './geometry.ts'
import type { Random } from './random.ts'

/** Roughly -1..1, smooth, with features about one unit wide. */
export type Noise = (x: number, y: number) => number

const PERIOD = 256

/** Gradient noise (Perlin 2002, quintic fade) on a lattice that repeats after 256 units. */
export function createNoise(random: Random): Noise {
  const order = new Uint8Array(PERIOD * 2)
  const gx = new Float32Array(PERIOD)
  const gy = new Float32Array(PERIOD)
  for (let i = 0; i < PERIOD; i++) {
    order[i] = i
    const angle = random.between(0, 2 * Math.PI)
    gx[i] = Math.cos(angle)
    gy[i] = Math.sin(angle)
  }
  for (let i = PERIOD - 1; i > 0; i--) {
    const j = random.integer(0, i)
    const kept = order[i] ?? 0
    order[i] = order[j] ?? 0
    order[j] = kept
  }
  order.copyWithin(PERIOD, 0, PERIOD)

  function corner(ix: number, iy: number, dx: number, dy: number): number {
    const at = order[(order[ix & 255] as number) + (iy & 255)] as number
    return (gx[at] as number) * dx + (gy[at] as number) * dy
  }

  return (x, y) => {
    const ix = Math.floor(x)
    const iy = Math.floor(y)
    const fx = x - ix
    const fy = y - iy
    const u = fx * fx * fx * (fx * (fx * 6 - 15) + 10)
    const v = fy * fy * fy * (fy * (fy * 6 - 15) + 10)
    const top = corner(ix, iy, fx, fy) * (1 - u) + corner(ix + 1, iy, fx - 1, fy) * u
    const low =
      corner(ix, iy + 1, fx, fy - 1) * (1 - u) + corner(ix + 1, iy + 1, fx - 1, fy - 1) * u
    return 1.6 * (top * (1 - v) + low * v)
  }
}

/** Fractal sum: each octave twice as fine and half as strong. */
export function octaves(noise: Noise, count: number): Noise {
  return (x, y) => {
    let [sum, strength, frequency] = [0, 0.6, 1]
    for (let octave = 0; octave < count; octave++) {
      sum += strength * noise(x * frequency + 17.3 * octave, y * frequency - 9.1 * octave)
      strength *= 0.5
      frequency *= 2
    }
    return sum
  }
}

/** Crests of the noise as thin bright lines (1 on a crest, 0 away from it): trabeculae, pigment networks, fissures. */
export function ridges(noise: Noise, sharpness: number): Noise {
  return (x, y) => Math.max(0, 1 - Math.abs(noise(x, y)) * sharpness)
}

export interface Cell {
  /** Distance to the nearest and to the second nearest centre, in cell widths. */
  readonly nearest: number
  readonly second: number
  /** 0..1, the same everywhere in a cell. */
  readonly tint: number
}

/**
 * Cellular noise (Worley 1996), one jittered centre in each unit square: `jitter` 0 is a grid, 1 fully irregular;
 * `staggered` moves every second row by half a cell, as in a honeycomb.
 */
export function createCells(
  random: Random,
  options: { readonly jitter: number; readonly staggered?: boolean },
): (x: number, y: number) => Cell {
  const { jitter, staggered = false } = options
  const centres = Array.from({ length: PERIOD }, () => ({
    x: 0.5 + jitter * random.between(-0.5, 0.5),
    y: 0.5 + jitter * random.between(-0.5, 0.5),
    tint: random.uniform(),
  }))
  const slot = (ix: number, iy: number) => (Math.imul(ix, 73) ^ Math.imul(iy, 151)) & 255
  return (x, y) => {
    const [cx, cy] = [Math.floor(x), Math.floor(y)]
    let [nearest, second, tint] = [Infinity, Infinity, 0]
    for (let iy = cy - 1; iy <= cy + 1; iy++) {
      const shift = staggered && iy & 1 ? 0.5 : 0
      const first = shift > 0 ? cx - 2 : cx - 1
      for (let ix = first; ix <= cx + 1; ix++) {
        const centre = centres[slot(ix, iy)] as (typeof centres)[number]
        const d = length(ix + shift + centre.x - x, iy + centre.y - y)
        if (d < nearest) {
          second = nearest
          nearest = d
          tint = centre.tint
        } else if (d < second) second = d
      }
    }
    return { nearest, second, tint }
  }
}
