// Two diagnoses of the same image by two versions: do they agree, how far apart are they, and where. Pure.
import type { Diagnosis } from './diagnose.ts'
import { largest } from './explain/evidence.ts'
import type { Heatmap } from './explain/explain.ts'

/** Both evidence maps on one grid and one scale. */
export interface ComparedMaps {
  readonly width: number
  readonly height: number
  readonly a: Float32Array // [height, width]
  readonly b: Float32Array
  /** b - a, within -scale..scale. */
  readonly difference: Float32Array
  /** The value drawn as full colour in all three. */
  readonly scale: number
}

export interface Comparison {
  /** The same decision label. */
  readonly agree: boolean
  /** b - a of calibrated probability, for each class that both have. */
  readonly deltas: Readonly<Record<string, number>>
  readonly maps: ComparedMaps | null
  /** Why there are no maps, or null. */
  readonly note: string | null
}

export function compareDiagnoses(a: Diagnosis, b: Diagnosis): Comparison {
  const deltas: Record<string, number> = {}
  for (const { label, probability } of a.classes) {
    const other = b.classes.find((one) => one.label === label)
    if (other) deltas[label] = other.probability - probability
  }
  const agree = a.decision.label === b.decision.label
  const [left, right] = [comparableMap(a), comparableMap(b)]
  if (!left || !right) return { agree, deltas, maps: null, note: 'No heatmap was asked for.' }
  const note = whyNotComparable(left, right)
  return { agree, deltas, maps: note === null ? compareMaps(left, right) : null, note }
}

function whyNotComparable(a: Heatmap, b: Heatmap): string | null {
  if (a.method !== b.method) {
    return `The heatmaps were made in different ways (${a.method} and ${b.method}), so they cannot be compared.`
  }
  if (a.target !== b.target) {
    return `The heatmaps explain different classes (${a.target} and ${b.target}), so they cannot be compared.`
  }
  return null
}

/** What one needs to know of a map to draw it beside another model's. `temperature` is 1 without calibration. */
export interface MapScale {
  readonly method: string
  readonly width: number
  readonly height: number
  readonly scale: number
  readonly temperature: number
}

/**
 * The values at which two maps are to be drawn in full colour, each in its own units, so that the same colour means
 * the same evidence in both. Neither is drawn stronger than on its own.
 */
export function sharedScales(a: MapScale, b: MapScale): { readonly a: number; readonly b: number } {
  const [unitA, unitB] = [comparableUnit(a), comparableUnit(b)]
  const shared = Math.max(a.scale * unitA, b.scale * unitB)
  return { a: shared / unitA, b: shared / unitB }
}

/**
 * A map's values belong to its model: logit units, a part of the logit for each cell. Times the number of cells
 * (occlusion: as they are) and divided by the calibration's temperature, they mean the same for every model.
 */
function comparableUnit({ method, width, height, temperature }: Omit<MapScale, 'scale'>): number {
  return (method === 'occlusion' ? 1 : width * height) / temperature
}

function comparableMap({ heatmap, calibration }: Diagnosis): Heatmap | null {
  if (!heatmap) return null
  const unit = comparableUnit({ ...heatmap, temperature: calibration?.temperature ?? 1 })
  const grid = heatmap.grid.map((value) => value * unit)
  return { ...heatmap, grid, scale: heatmap.scale * unit }
}

function compareMaps(left: Heatmap, right: Heatmap): ComparedMaps {
  const width = Math.max(left.width, right.width)
  const height = Math.max(left.height, right.height)
  const a = resample(left, { width, height })
  const b = resample(right, { width, height })
  const difference = b.map((value, index) => value - (a[index] ?? 0))
  const scale = Math.max(left.scale, right.scale, largest(a), largest(b))
  return { width, height, a, b, difference, scale }
}

/** Bilinear, cell centres aligned, edges held: the same rule that draws the overlay. */
export function resample(
  map: Pick<Heatmap, 'grid' | 'width' | 'height'>,
  to: { readonly width: number; readonly height: number },
): Float32Array {
  const out = new Float32Array(to.width * to.height)
  for (let y = 0; y < to.height; y++) {
    const [top, bottom, down] = neighbours(y, to.height, map.height)
    for (let x = 0; x < to.width; x++) {
      const [left, right, along] = neighbours(x, to.width, map.width)
      const at = (row: number, column: number) => map.grid[row * map.width + column] ?? 0
      const upper = at(top, left) * (1 - along) + at(top, right) * along
      const lower = at(bottom, left) * (1 - along) + at(bottom, right) * along
      out[y * to.width + x] = upper * (1 - down) + lower * down
    }
  }
  return out
}

function neighbours(index: number, to: number, from: number): [number, number, number] {
  const place = Math.min(from - 1, Math.max(0, ((index + 0.5) * from) / to - 0.5))
  const before = Math.floor(place)
  return [before, Math.min(from - 1, before + 1), place - before]
}
