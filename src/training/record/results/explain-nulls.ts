// Figures of an evaluation have a null where they are not defined; in a file each gets the reason beside it.
import { absent } from '../known.ts'

const REASONS: Readonly<Record<string, string>> = {
  calibration: 'None was fitted: there were too few calibration images.',
  confusion: 'Not defined where an image has several labels.',
  area: 'Not defined: all images of the split are of one kind.',
  auc: 'Not defined: all images of the split are of one kind.',
  averagePrecision: 'Not defined: no image of this class in the split.',
  predicted: 'No image in this bin.',
  observed: 'No image in this bin.',
  eceBefore: 'Not measured.',
  eceAfter: 'Not measured.',
}
const NO_INTERVAL = 'Too few images to draw again, or the figure is not defined.'
const NOT_DEFINED =
  'Not defined: nothing to divide by, for there is no such image or answer in the split.'

/** A copy in which `{ value: null, reason }` stands for each null. */
export function explainNulls(value: unknown, name = ''): unknown {
  if (value === null) return absent(reasonOf(name))
  if (Array.isArray(value)) return value.map((one) => explainNulls(one, name))
  if (typeof value !== 'object') return value
  const entries = Object.entries(value as Record<string, unknown>)
  if ('value' in (value as object) && (value as { value: unknown }).value === null) {
    // A rate or an estimate: the reason stands beside its other fields.
    return { ...(value as object), reason: reasonOf(name) }
  }
  return Object.fromEntries(entries.map(([key, one]) => [key, explainNulls(one, key)]))
}

function reasonOf(name: string): string {
  const known = Object.hasOwn(REASONS, name) ? REASONS[name] : undefined
  return known ?? (/interval$/i.test(name) ? NO_INTERVAL : NOT_DEFINED)
}
