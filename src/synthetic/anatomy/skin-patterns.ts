// The dermoscopic structures of the seven kinds of lesion, each a function of place: pigment network, blotches, branching
// vessels, scale and follicles, fissures and cysts, central scar, lacunae. Terms: Kittler et al. 2016 (third consensus).
import { add, type Canvas, type Plane, stroke } from '../drawing/canvas.ts'
import { at, clamp, type Point, smoothstep } from '../drawing/geometry.ts'
import { createCells, createNoise, octaves, ridges } from '../drawing/noise.ts'
import type { Random } from '../drawing/random.ts'
import { growTree } from '../tree.ts'

export interface Look {
  /** Changes to the lesion's pigment and blood; they cancel over the lesion, so that its mean colour says little. */
  readonly melanin: number
  readonly blood: number
  /** Grey-blue of deep pigment. */
  readonly depth: number
  /** Share of white: scale, scar, cysts. */
  readonly white: number
}

export interface Pattern {
  /** `radial`: 0 at the centre of the lesion, 1 at its border. */
  readonly at: (x: number, y: number, radial: number) => Look
  /** Lines of blood to be stroked, where the pattern has vessels. */
  readonly draw?: (canvas: Canvas) => Plane
}

export interface Border {
  readonly wobble: number
  readonly pitch: number
  readonly softness: number
}

export function borderOf(label: string, random: Random): Border {
  const soft = random.between(0.05, 0.14)
  if (label === 'MEL') return { wobble: random.between(0.12, 0.24), pitch: 4, softness: soft }
  if (label === 'BKL') return { wobble: random.between(0.04, 0.12), pitch: 4, softness: 0.035 }
  if (label === 'AKIEC' || label === 'BCC')
    return { wobble: random.between(0.05, 0.16), pitch: 3, softness: soft }
  return { wobble: random.between(0.02, 0.09), pitch: 3, softness: soft }
}

/** What is typical of `label`, often with some of what is typical of another: few lesions are textbook cases. */
export function mixedPattern(label: string, random: Random, centre: Point) {
  const others = Object.keys(PATTERNS).filter((one) => one !== label)
  const other = others[random.integer(0, others.length - 1)] as string
  const typical = random.between(0.36, 1)
  const foreign = random.chance(0.65) ? (1 - typical) * random.between(0.45, 1) : 0
  const parts = [
    { weight: typical, pattern: patternOf(label, random.fork('own'), centre) },
    { weight: foreign, pattern: patternOf(other, random.fork('other'), centre) },
  ].filter((part) => part.weight > 0)
  return {
    at(x: number, y: number, radial: number): Look {
      const sum = { melanin: 0, blood: 0, depth: 0, white: 0 }
      for (const { weight, pattern } of parts) {
        const look = pattern.at(x, y, radial)
        sum.melanin += weight * look.melanin
        sum.blood += weight * look.blood
        sum.depth += weight * look.depth
        sum.white += weight * look.white
      }
      return sum
    },
    vessels(canvas: Canvas): Plane {
      const plane = canvas.plane()
      for (const { weight, pattern } of parts) {
        if (pattern.draw) add(plane, pattern.draw(canvas), weight)
      }
      return plane
    },
  }
}

function patternOf(label: string, random: Random, centre: Point): Pattern {
  const make = PATTERNS[label]
  if (!make) throw new Error(`no pattern for ${label}`)
  return make(random, centre)
}

const PATTERNS: Readonly<Record<string, (random: Random, centre: Point) => Pattern>> = {
  NV: network,
  MEL: blotches,
  BCC: branchingVessels,
  AKIEC: scaleAndFollicles,
  BKL: fissuresAndCysts,
  DF: centralScar,
  VASC: lacunae,
}

/** Regular honeycomb of pigment that fades towards the border. */
function network(random: Random): Pattern {
  const mesh = honeycomb(random, random.between(11, 14))
  const strength = random.between(0.4, 0.7)
  return {
    at: (x, y, radial) => ({
      melanin: strength * mesh(x, y) * (1.15 - 0.6 * radial),
      blood: 0,
      depth: 0,
      white: 0,
    }),
  }
}

function honeycomb(random: Random, pitch: number): (x: number, y: number) => number {
  const cells = createCells(random.fork('mesh'), { jitter: 0.5, staggered: true })
  return (x, y) => {
    const cell = cells(x * pitch, y * pitch)
    return 1 - smoothstep(0.05, 0.4, cell.second - cell.nearest) - 0.42
  }
}

/** Several colours in patches of different size, black dots, a blue-white veil: no order. */
function blotches(random: Random): Pattern {
  const patches = octaves(createNoise(random.fork('patches')), 2)
  const veil = createNoise(random.fork('veil'))
  const dots = createCells(random.fork('dots'), { jitter: 1 })
  return {
    at(x, y) {
      const patch = clamp(patches(x * 4.5, y * 4.5) * 2.2, -1, 1)
      const dot = dots(x * 8, y * 8)
      const black = dot.tint > 0.55 ? 1 - smoothstep(0.16, 0.28, dot.nearest) : 0
      const blue = smoothstep(0.05, 0.35, veil(x * 3.1, y * 3.1))
      return {
        melanin: 0.5 * patch + 0.9 * black - 0.05,
        blood: -0.12 * patch,
        depth: 0.4 * blue,
        white: 0.22 * blue,
      }
    },
  }
}

/** Bright red vessels that branch like a tree, and blue-grey nests. */
function branchingVessels(random: Random, centre: Point): Pattern {
  const nests = createCells(random.fork('nests'), { jitter: 1 })
  const nestStrength = random.between(0.1, 0.75)
  return {
    at(x, y) {
      const nest = nests(x * 3.6, y * 3.6)
      const blue = nest.tint > 0.6 ? 1 - smoothstep(0.2, 0.36, nest.nearest) : 0
      return { melanin: -0.1, blood: -0.12, depth: nestStrength * blue, white: 0.08 }
    },
    draw(canvas) {
      const plane = canvas.plane()
      for (let i = 0; i < 4; i++)
        drawVessel(canvas, plane, { centre, random: random.fork('vessel', i) })
      return plane
    },
  }
}

/** One tree that enters from the border of the lesion. */
function drawVessel(
  canvas: Canvas,
  plane: Plane,
  options: { centre: Point; random: Random },
): void {
  const { centre, random } = options
  const angle = random.between(0, 2 * Math.PI)
  const tree = growTree(
    {
      start: at(centre.x - Math.cos(angle) * 0.45, centre.y - Math.sin(angle) * 0.45),
      angle: angle + random.normal(0, 0.5),
      radius: random.between(0.018, 0.026),
      levels: 3,
      length: [0.16, 0.26],
      bend: 0.5,
      fork: [0.3, 0.9],
      taper: [0.7, 0.8],
    },
    random,
  )
  for (const branch of tree) stroke(canvas, plane, branch)
}

/** Red pseudo-network around pale follicles ("strawberry") with yellow-white scale. */
function scaleAndFollicles(random: Random): Pattern {
  const follicles = createCells(random.fork('follicles'), { jitter: 0.8 })
  const flakes = octaves(createNoise(random.fork('flakes')), 3)
  return {
    at(x, y) {
      const follicle = follicles(x * 7.5, y * 7.5)
      const opening = 1 - smoothstep(0.16, 0.3, follicle.nearest)
      const scale = smoothstep(0.18, 0.42, flakes(x * 7, y * 7))
      return {
        melanin: -0.08,
        blood: 0.22 - 0.4 * opening,
        depth: 0,
        white: clamp(0.45 * scale + 0.4 * opening, 0, 0.8),
      }
    },
  }
}

/** Brain-like furrows, white cysts and dark openings. */
function fissuresAndCysts(random: Random): Pattern {
  const furrows = ridges(createNoise(random.fork('furrows')), 4)
  const spots = createCells(random.fork('spots'), { jitter: 1 })
  return {
    at(x, y) {
      const spot = spots(x * 5, y * 5)
      const round = 1 - smoothstep(0.12, 0.22, spot.nearest)
      const cyst = spot.tint > 0.55 ? round : 0
      const opening = spot.tint < 0.25 ? round : 0
      const furrow = furrows(x * 5, y * 5)
      return { melanin: 0.6 * furrow - 0.2 + 0.7 * opening, blood: 0, depth: 0, white: 0.65 * cyst }
    },
  }
}

/** A white scar-like centre within a ring of fine network. */
function centralScar(random: Random): Pattern {
  const mesh = honeycomb(random, random.between(12, 15))
  const size = random.between(0.3, 0.5)
  const strands = octaves(createNoise(random.fork('strands')), 2)
  return {
    at(x, y, radial) {
      const scar = 1 - smoothstep(size - 0.12, size + 0.12, radial + 0.15 * strands(x * 8, y * 8))
      return {
        melanin: 0.16 + 0.5 * mesh(x, y) * (1 - scar),
        blood: 0.06,
        depth: 0,
        white: 0.5 * scar,
      }
    },
  }
}

/** Sharply bounded red to purple pools with pale septa between them. */
function lacunae(random: Random): Pattern {
  const pools = createCells(random.fork('pools'), { jitter: 0.85 })
  return {
    at(x, y) {
      const pool = pools(x * 4.4, y * 4.4)
      const inside =
        smoothstep(0.06, 0.18, pool.second - pool.nearest) *
        (1 - smoothstep(0.42, 0.55, pool.nearest))
      const purple = pool.tint > 0.5 ? 0.35 : 0
      return {
        melanin: -0.12,
        blood: 0.85 * inside - 0.35,
        depth: purple * inside,
        white: 0.16 * (1 - inside),
      }
    },
  }
}
