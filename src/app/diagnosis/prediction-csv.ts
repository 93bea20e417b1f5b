// Predictions as comma-separated values, for people with a spreadsheet: RFC 4180, a header line, and no cell that a
// spreadsheet would take for a formula.
import type { Prediction } from '../../registry/predictions/predictions.ts'
import type { Problem } from '../problem.ts'

export const CSV_TYPE = 'text/csv; charset=utf-8; header=present'

export interface CsvEntry {
  /** Place among the images that were sent, counted from 1. */
  readonly n: number
  /** As the sender named it; given back to nobody else. */
  readonly file?: string | undefined
  readonly result: Prediction | Problem
}

type Value = string | number | boolean | null | undefined
type Column = readonly [name: string, of: (entry: CsvEntry, prediction?: Prediction) => Value]

const MAX_NAME = 200

/** A writer for predictions with these classes; other classes are left out. */
export function predictionCsv(labels: readonly string[]): {
  readonly header: string
  line(entry: CsvEntry): string
} {
  const columns = columnsOf(labels)
  return {
    header: csvLine(columns.map(([name]) => name)),
    line(entry) {
      const { result } = entry
      const prediction = 'classes' in result ? result : undefined
      return csvLine(columns.map(([, of]) => of(entry, prediction)))
    },
  }
}

/** Stored predictions as a whole table; the columns hold every class that occurs among them. */
export function predictionTable(predictions: readonly Prediction[]): string {
  const labels = new Set(predictions.flatMap(({ classes }) => classes.map(({ label }) => label)))
  const { header, line } = predictionCsv([...labels])
  return header + predictions.map((result, i) => line({ n: i + 1, result })).join('')
}

function columnsOf(labels: readonly string[]): Column[] {
  const score = (prediction: Prediction | undefined, label: string) =>
    prediction?.classes.find((one) => one.label === label)
  return [
    ['n', ({ n }) => n],
    ['file', ({ file }) => file?.slice(0, MAX_NAME)],
    ['status', ({ result }) => ('code' in result ? result.code : 'read')],
    ['condition', (_, p) => p?.condition],
    ['version', (_, p) => p?.version],
    ['decision', (_, p) => p?.decision.label],
    ['positive', (_, p) => p?.decision.positive],
    ['operating_point', (_, p) => p?.decision.operatingPoint],
    ['threshold', (_, p) => p?.decision.threshold],
    ['confidence', (_, p) => p?.confidence],
    ...labels.map(
      (label): Column => [`probability ${label}`, (_, p) => score(p, label)?.probability],
    ),
    ...labels.map((label): Column => [`raw ${label}`, (_, p) => score(p, label)?.uncalibrated]),
    ['warnings', (_, p) => p?.warnings.join(' | ')],
    ['detail', ({ result }) => ('detail' in result ? result.detail : undefined)],
    ['width', (_, p) => p?.image.width],
    ['height', (_, p) => p?.image.height],
    ['format', (_, p) => p?.image.format],
    ['image_sha256', (_, p) => p?.image.sha256],
    ['package_sha256', (_, p) => p?.sha256],
    ['prediction', (_, p) => p?.id],
    ['at', (_, p) => p?.at],
  ]
}

function csvLine(values: readonly Value[]): string {
  return `${values.map(cell).join(',')}\r\n`
}

/** Numbers and words of ours stay bare. Text that begins like a formula gets an apostrophe, as spreadsheets have it. */
function cell(value: Value): string {
  if (value === null || value === undefined) return ''
  if (typeof value !== 'string') return String(value)
  const text = value.replaceAll(/\p{Cc}+/gu, ' ')
  const safe = /^\s*[=+\-@＝＋－＠|%]/.test(text) ? `'${text}` : text
  return /[",;\s]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
