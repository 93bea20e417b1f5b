// Images that are the same picture again: saved anew, made smaller, brightened, mirrored, cropped by a few percent or turned by
// a few degrees. Told by the correlation of small grey thumbnails, aligned; two films of one patient correlate less.

/** Blocks along each side of a thumbnail. */
export const BLOCKS = 32
/** Blocks at each border that are not compared: turning and cropping bring in what was not there. */
const BORDER = 3
const INNER = BLOCKS - 2 * BORDER
/**
 * From this correlation on it is the same picture. Measured on 500 real images: the most alike of different ones reach .967
 * (skin) and .962 (chest); the same ones after each change above .971 and more.
 */
const MIN_CORRELATION = 0.97
/** Before alignment; what is below it is not looked at closer. */
const MIN_ROUGH_CORRELATION = 0.85
/** Turned and scaled, but not shifted yet. */
const MIN_COARSE_CORRELATION = 0.93
/** Coefficients of the same picture differ by less: their vectors lie closer together than this. */
const MAX_COEFFICIENT_DIFFERENCE = 0.35
/**
 * Of the details alone (the thumbnail less its surroundings): knees of two people are alike as a whole and differ in these.
 * Measured: different drawn knees and hips at most .90, the same image after a change mostly above .92.
 */
const MIN_DETAIL_CORRELATION = 0.91
/** Blocks along each side of a detail's surroundings. */
const SURROUNDINGS = 5
const TURNS_DEG = [0, -3, 3]
const SCALES = [1, 0.97, 1.03, 0.94, 1.06]
const SHIFTS_BLOCKS = [0, -0.5, 0.5]
/** Of the images that are roughly alike, so many are aligned coarsely, and so many of those finely. */
const MAX_COARSE = 24
const MAX_FINE = 6
/** Of one image: a picture of nothing is like every other one. */
const MIN_DEVIATION = 1

export interface Thumbnail {
  /** BLOCKS x BLOCKS mean greys, 0 to 255, row by row. */
  readonly blocks: Uint8Array
}

interface Prepared {
  readonly index: number
  readonly blocks: Uint8Array
  /** Inner blocks, mean 0 and length 1. */
  readonly vector: Float32Array
  /** The same mirrored. */
  readonly mirrored: Float32Array
  readonly detail: () => Float32Array
  readonly mirroredDetail: () => Float32Array
  /** Low frequencies that mirroring does not change. */
  readonly coefficients: Float32Array
}

/** Pairs of indices. A hundred thousand images take some seconds: most pairs differ in a few low frequencies already. */
export function nearDuplicates(images: readonly Thumbnail[]): [number, number][] {
  const prepared = images
    .flatMap(({ blocks }, index) => prepare(blocks, index) ?? [])
    .sort((a, b) => first(a) - first(b) || a.index - b.index)
  const pairs: [number, number][] = []
  for (const [place, one] of prepared.entries()) {
    const near: { readonly other: Prepared; readonly rough: number }[] = []
    for (let next = place + 1; next < prepared.length; next++) {
      const other = prepared[next] as Prepared
      if (first(other) - first(one) > MAX_COEFFICIENT_DIFFERENCE) break
      const rough = roughCorrelation(one, other)
      if (rough >= MIN_ROUGH_CORRELATION) near.push({ other, rough })
    }
    for (const other of closest(one, near)) {
      pairs.push([Math.min(one.index, other.index), Math.max(one.index, other.index)])
    }
  }
  return pairs.sort(([a, b], [c, d]) => a - c || b - d)
}

/** Those of the nearest that are the same picture; only so many are looked at closely, however alike all of a dataset are. */
function closest(
  one: Prepared,
  near: readonly { readonly other: Prepared; readonly rough: number }[],
): Prepared[] {
  if (near.length === 0) return []
  const coarse = alignments(one.blocks, [0])
  const aligned = near
    .toSorted((a, b) => b.rough - a.rough)
    .slice(0, MAX_COARSE)
    .map(({ other }) => ({
      other,
      best: Math.max(...coarse.map((variant) => alike(variant, other))),
    }))
    .filter(({ best }) => best >= MIN_COARSE_CORRELATION)
    .sort((a, b) => b.best - a.best)
    .slice(0, MAX_FINE)
  if (aligned.length === 0) return []
  const fine = alignments(one.blocks, SHIFTS_BLOCKS)
  return aligned
    .map(({ other }) => other)
    .filter((other) => fine.some((variant) => isSame(variant, other)))
}

/** A thumbnail in one alignment. */
interface Aligned {
  readonly whole: Float32Array
  /** Worked out when it is asked for. */
  readonly detail: () => Float32Array
}

function alike({ whole }: Aligned, { vector, mirrored }: Prepared): number {
  return Math.max(correlation(whole, vector), correlation(whole, mirrored))
}

function isSame(one: Aligned, other: Prepared): boolean {
  const pairs = [
    [other.vector, other.detail],
    [other.mirrored, other.mirroredDetail],
  ] as const
  return pairs.some(
    ([whole, detail]) =>
      correlation(one.whole, whole) >= MIN_CORRELATION &&
      correlation(one.detail(), detail()) >= MIN_DETAIL_CORRELATION,
  )
}

function first({ coefficients }: Prepared): number {
  return coefficients[0] as number
}

function prepare(blocks: Uint8Array, index: number): Prepared | undefined {
  const vector = inner(blocks)
  if (vector === undefined) return undefined
  const mirrored = Float32Array.from(vector, (_, i) => {
    const [x, y] = [i % INNER, Math.floor(i / INNER)]
    return vector[y * INNER + INNER - 1 - x] as number
  })
  return {
    index,
    blocks,
    vector,
    mirrored,
    detail: once(() => detailOf(vector)),
    mirroredDetail: once(() => detailOf(mirrored)),
    coefficients: coefficientsOf(vector),
  }
}

function inner(blocks: Uint8Array): Float32Array | undefined {
  const values = new Float32Array(INNER * INNER)
  for (let y = 0, to = 0; y < INNER; y++) {
    for (let x = 0; x < INNER; x++, to++) {
      values[to] = blocks[(y + BORDER) * BLOCKS + x + BORDER] as number
    }
  }
  return normalise(values)
}

/** In place; undefined for a picture of one grey. */
function normalise(values: Float32Array): Float32Array | undefined {
  let sum = 0
  for (const value of values) sum += value
  const mean = sum / values.length
  let squares = 0
  for (let i = 0; i < values.length; i++) {
    const centred = (values[i] as number) - mean
    values[i] = centred
    squares += centred * centred
  }
  const length = Math.sqrt(squares)
  if (length < MIN_DEVIATION * Math.sqrt(values.length)) return undefined
  for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) / length
  return values
}

function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}

/** Each block less the mean of its surroundings; length 1. */
function detailOf(whole: Float32Array): Float32Array {
  const reach = (SURROUNDINGS - 1) / 2
  const clamp = (at: number): number => Math.min(Math.max(at, 0), INNER - 1)
  const detail = Float32Array.from(whole, (value, i) => {
    const [x, y] = [i % INNER, Math.floor(i / INNER)]
    let sum = 0
    for (let dy = -reach; dy <= reach; dy++) {
      for (let dx = -reach; dx <= reach; dx++) {
        sum += whole[clamp(y + dy) * INNER + clamp(x + dx)] as number
      }
    }
    return value - sum / SURROUNDINGS ** 2
  })
  const length = Math.sqrt(detail.reduce((sum, value) => sum + value * value, 0)) || 1
  return detail.map((value) => value / length)
}

/** Cosines along x and y (as in the DCT); those that are odd along x change their sign with the mirror, so it is left out. */
function coefficientsOf(vector: Float32Array): Float32Array {
  return Float32Array.from(FREQUENCIES, ([u, v]) => {
    let sum = 0
    for (let i = 0; i < vector.length; i++) {
      sum += (vector[i] as number) * cosine(u, i % INNER) * cosine(v, Math.floor(i / INNER))
    }
    return u % 2 === 0 ? sum : Math.abs(sum)
  })
}

const FREQUENCIES = [
  [0, 1],
  [2, 0],
  [0, 2],
  [1, 0],
  [1, 1],
  [2, 1],
] as const

const COSINES = [0, 1, 2].map((frequency) =>
  Float32Array.from({ length: INNER }, (_, at) => {
    const scale = Math.sqrt((frequency === 0 ? 1 : 2) / INNER)
    return scale * Math.cos((Math.PI * frequency * (at + 0.5)) / INNER)
  }),
)

function cosine(frequency: number, at: number): number {
  return COSINES[frequency]?.[at] as number
}

/** Before any alignment; -1 where low frequencies differ already. */
function roughCorrelation(a: Prepared, b: Prepared): number {
  for (let i = 1; i < a.coefficients.length; i++) {
    const difference = (a.coefficients[i] as number) - (b.coefficients[i] as number)
    if (Math.abs(difference) > MAX_COEFFICIENT_DIFFERENCE) return -1
  }
  return Math.max(correlation(a.vector, b.vector), correlation(a.vector, b.mirrored))
}

function correlation(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number)
  return sum
}

/** The thumbnail turned, scaled and shifted in every combination. */
function alignments(blocks: Uint8Array, shifts: readonly number[]): Aligned[] {
  return TURNS_DEG.flatMap((degrees) =>
    SCALES.flatMap((scale) =>
      shifts.flatMap((dx) =>
        shifts.flatMap((dy) => {
          const whole = warped(blocks, { degrees, scale, dx, dy })
          return whole ? [{ whole, detail: once(() => detailOf(whole)) }] : []
        }),
      ),
    ),
  )
}

interface Alignment {
  readonly degrees: number
  readonly scale: number
  /** Blocks. */
  readonly dx: number
  readonly dy: number
}

function warped(
  blocks: Uint8Array,
  { degrees, scale, dx, dy }: Alignment,
): Float32Array | undefined {
  const angle = (degrees * Math.PI) / 180
  const [cos, sin] = [Math.cos(angle) / scale, Math.sin(angle) / scale]
  const centre = (BLOCKS - 1) / 2
  const values = new Float32Array(INNER * INNER)
  for (let y = 0, to = 0; y < INNER; y++) {
    for (let x = 0; x < INNER; x++, to++) {
      const [right, down] = [x + BORDER - centre, y + BORDER - centre]
      values[to] = sample(
        blocks,
        centre + dx + cos * right + sin * down,
        centre + dy - sin * right + cos * down,
      )
    }
  }
  return normalise(values)
}

/** Bilinear; the border goes on outside. Called some hundred million times for a large dataset: it makes no objects. */
function sample(blocks: Uint8Array, x: number, y: number): number {
  const left = Math.floor(x)
  const top = Math.floor(y)
  const fx = x - left
  const fy = y - top
  const c0 = left < 0 ? 0 : left > BLOCKS - 1 ? BLOCKS - 1 : left
  const c1 = left + 1 < 0 ? 0 : left + 1 > BLOCKS - 1 ? BLOCKS - 1 : left + 1
  const r0 = (top < 0 ? 0 : top > BLOCKS - 1 ? BLOCKS - 1 : top) * BLOCKS
  const r1 = (top + 1 < 0 ? 0 : top + 1 > BLOCKS - 1 ? BLOCKS - 1 : top + 1) * BLOCKS
  const above = (blocks[r0 + c0] as number) * (1 - fx) + (blocks[r0 + c1] as number) * fx
  const below = (blocks[r1 + c0] as number) * (1 - fx) + (blocks[r1 + c1] as number) * fx
  return above * (1 - fy) + below * fy
}
