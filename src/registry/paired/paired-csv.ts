// Pairs of readings as a table for spreadsheets: RFC 4180, and no cell that a spreadsheet would take for a formula. Pure.
import type { PairedPair } from './paired-jobs.ts'

export function pairedCsv(pairs: readonly PairedPair[]): string {
  const labels = Object.keys(pairs[0]?.a.probabilities ?? {})
  const head = ['image', 'truth', 'a', 'b', 'agree']
  const columns = [...head, ...labels.flatMap((label) => [`a ${label}`, `b ${label}`])]
  const rows = pairs.map((pair) => [
    pair.image,
    pair.truth ?? '',
    pair.a.label,
    pair.b.label,
    String(pair.agree),
    ...labels.flatMap((label) => [pair.a.probabilities[label], pair.b.probabilities[label]]),
  ])
  return [columns, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('')
}

/** Quoted where needed; what a spreadsheet would take for a formula is kept as text. */
function cell(value: string | number | undefined): string {
  const text = String(value ?? '')
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
