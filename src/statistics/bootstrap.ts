// Percentile intervals of figures that have no formula: images (or whole patients) are drawn again with replacement, and
// each figure is computed anew. Counter-based draws, so that the same images give the same interval on every machine.
import { uniforms } from '../engine/random/counter-random.ts'

export type Interval = readonly [number, number]

/** A figure with its 95% interval; null where it is undefined. */
export interface Estimate {
  readonly value: number | null
  readonly interval: Interval | null
}

export interface Resampling {
  /** Number of images. */
  readonly n: number
  /** Patient or lesion of each image; null: the image stands for itself. */
  readonly groups?: readonly (string | null)[] | undefined
  readonly replicates?: number
}

/** Figures by name; null where a draw leaves one undefined. `weights` says how often each image was drawn. */
export type Figures<K extends string> = (weights: Uint16Array) => Readonly<Record<K, number | null>>

const REPLICATES = 1000
const SEED = 20_260_101
/** With fewer usable draws an interval says nothing. */
const MIN_SHARE = 0.5

/** 2.5th to 97.5th percentile of each figure; null when most draws leave it undefined. */
export function bootstrap<K extends string>(
  figures: Figures<K>,
  { n, groups, replicates = REPLICATES }: Resampling,
): Readonly<Record<K, Estimate>> {
  const units = unitsOf(n, groups)
  const weights = new Uint16Array(n)
  const draws = new Map<K, number[]>()
  const whole = figures(weights.fill(1))
  for (let replicate = 0; replicate < replicates; replicate++) {
    weights.fill(0)
    for (const draw of uniforms(units.length, SEED, replicate)) {
      const unit = units[Math.min(units.length - 1, Math.floor(draw * units.length))] ?? []
      for (const image of unit) weights[image] = (weights[image] ?? 0) + 1
    }
    for (const [name, value] of entries(figures(weights))) {
      if (value === null) continue
      const list = draws.get(name) ?? []
      list.push(value)
      draws.set(name, list)
    }
  }
  const estimates = entries(whole).map(([name, value]) => {
    const found = draws.get(name) ?? []
    const enough = value !== null && n > 1 && found.length >= MIN_SHARE * replicates
    return [name, { value, interval: enough ? middle95(found) : null }] as const
  })
  return Object.fromEntries(estimates) as Record<K, Estimate>
}

/** What is drawn: the images of each patient together. */
function unitsOf(n: number, groups: Resampling['groups']): readonly (readonly number[])[] {
  const images = Array.from({ length: n }, (_, at) => at)
  return [...Map.groupBy(images, (at) => groups?.[at] ?? at).values()]
}

function middle95(values: readonly number[]): Interval {
  const ascending = Float64Array.from(values).sort()
  const at = (share: number): number => {
    const place = share * (ascending.length - 1)
    const low = ascending[Math.floor(place)] ?? Number.NaN
    const high = ascending[Math.ceil(place)] ?? Number.NaN
    return low + (place - Math.floor(place)) * (high - low)
  }
  return [at(0.025), at(0.975)]
}

function entries<K extends string, V>(record: Readonly<Record<K, V>>): [K, V][] {
  return Object.entries(record) as [K, V][]
}
