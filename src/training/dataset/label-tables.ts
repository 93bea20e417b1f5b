// Labels from tables beside the images: dataset.csv, HAM10000's metadata, FracAtlas' flags, CheXpert, NIH, ISIC, PadChest,
// VinDr, RSNA and the like. Joins rows to files; what columns mean is tables/, the folders' own meaning is scan.ts.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../errors.ts'
import { parseTable, type Table } from '../../package/csv.ts'
import type { UncertainLabels } from '../../registry/runs/datasets.ts'
import { type ColumnRoles, findRoles } from './tables/column-roles.ts'
import { fileIndex } from './tables/file-index.ts'
import { type Flag, findFlag } from './tables/flag-words.ts'
import { tableText } from './tables/table-text.ts'

/** As a dataset may be dealt already. */
export type GivenSplit = 'train' | 'validation' | 'test'

const NOTHING = /^(none|\(none\)|no[ _-]?findings?)$/i

export interface TableLabel {
  /** null: the table says nothing about it, or is not sure; it is left out. */
  readonly labels: readonly string[] | null
  readonly group: string | null
  readonly split: GivenSplit | null
}

export interface LabelTables {
  /** By the file's path as it was scanned. */
  readonly labels: ReadonlyMap<string, TableLabel>
  /** The tables that were understood. */
  readonly read: readonly string[]
  /** Images that are left out because a table is not sure about them. */
  readonly unsure: number
}

interface TablesOptions {
  readonly tables: readonly string[]
  readonly images: readonly string[]
  readonly uncertain?: UncertainLabels
}

/**
 * Joins every understood table to the images. Several rows of one image (boxes, readers) give all of their labels.
 * @throws AppError `invalid` naming row and column of a word that is neither yes nor no
 */
export async function readLabelTables(dir: string, options: TablesOptions): Promise<LabelTables> {
  const { tables, images, uncertain = 'leave-out' } = options
  const found = new Map<string, Mutable>()
  const read: string[] = []
  const index = fileIndex(images)
  for (const name of tables) {
    const table = parseTable(tableText(await readFile(join(dir, name))))
    const folder = name.slice(0, name.lastIndexOf('/') + 1)
    const countJoined = (cells: readonly string[]) =>
      new Set(cells.filter((cell) => index(cell, folder) !== undefined)).size
    const roles = findRoles(table, countJoined)
    if (!roles) continue
    const ofTable = splitOf(name.slice(folder.length))
    for (const [at, row] of table.rows.entries()) {
      const file = index(row[roles.file] ?? '', folder)
      if (file === undefined) continue
      const entry = found.get(file) ?? { said: [], group: null, split: null }
      found.set(file, entry)
      entry.said.push(saidOf(row, { table, roles, where: { name, line: at + 2 } }))
      entry.group ??= (roles.group !== undefined && row[roles.group]) || null
      entry.split ??= splitOf((roles.split !== undefined && row[roles.split]) || '') ?? ofTable
    }
    read.push(name)
  }
  const counts = { unsure: 0 }
  const labels = new Map(
    [...found].map(([file, { said, group, split }]) => {
      const all = labelsOf(said, uncertain)
      if (all === 'uncertain') counts.unsure += 1
      return [file, { labels: all === 'uncertain' ? null : all, group, split }]
    }),
  )
  return { labels: withoutNothing(labels), read, unsure: counts.unsure }
}

interface Mutable {
  readonly said: Said[]
  group: string | null
  split: GivenSplit | null
}

/** What one row says: findings by name, each with its flag. */
type Said = readonly { readonly label: string; readonly flag: Flag }[]

function saidOf(
  row: readonly string[],
  o: {
    readonly table: Table
    readonly roles: ColumnRoles
    readonly where: { readonly name: string; readonly line: number }
  },
): Said {
  const { labels } = o.roles
  if ('column' in labels) {
    return namesIn(row[labels.column] ?? '').map((label) => ({ label, flag: 'yes' }))
  }
  const single = labels.flags.length === 1
  return labels.flags.flatMap((column) => {
    const [cell, label] = [row[column] ?? '', o.table.columns[column] ?? '']
    const flag = findFlag(cell)
    if (flag === undefined) throw neitherYesNorNo({ cell, label, ...o.where })
    // Of one column the denial is a class of its own.
    if (single && flag === 'no') return [{ label: `not ${label}`, flag: 'yes' as const }]
    return [{ label, flag }]
  })
}

/** `a|b` holds several labels, and so does a list as Python writes it (PadChest). */
function namesIn(cell: string): string[] {
  const isList = /^\[.*\]$/.test(cell)
  const parts = isList ? cell.slice(1, -1).split(',') : cell.split('|')
  return parts
    .map((part) =>
      part
        .trim()
        .replace(/^(['"])(.*)\1$/, '$2')
        .trim(),
    )
    .filter((part) => part !== '' && !/^(nan|null|n\/a)$/i.test(part))
}

function labelsOf(
  rows: readonly Said[],
  uncertain: UncertainLabels,
): string[] | null | 'uncertain' {
  const said = rows.flat()
  const asYes = (flag: Flag) => flag === 'yes' || (flag === 'uncertain' && uncertain === 'positive')
  if (uncertain === 'leave-out' && said.some(({ flag }) => flag === 'uncertain')) return 'uncertain'
  const labels = [...new Set(said.filter(({ flag }) => asYes(flag)).map(({ label }) => label))]
  if (labels.length > 0) return labels
  // Nothing was found only where each finding was denied.
  const denied = said.length > 0 && said.every(({ flag }) => flag === 'no' || flag === 'uncertain')
  return denied ? [] : null
}

/** "No finding" is a class among single labels, and the absence of all among several. */
function withoutNothing(labels: ReadonlyMap<string, TableLabel>): Map<string, TableLabel> {
  const names = [...labels.values()].map((one) => one.labels ?? [])
  const findings = names.map((list) => list.filter((label) => !NOTHING.test(label)))
  const several = findings.some((list) => list.length > 1)
  return new Map(
    [...labels].map(([file, one], at) => {
      const onlyFindings = findings[at] ?? []
      const keeps = !several && onlyFindings.length === 0
      return [file, one.labels === null || keeps ? one : { ...one, labels: onlyFindings }]
    }),
  )
}

/** True for the words that say that nothing was found. */
export function saysNothing(label: string): boolean {
  return NOTHING.test(label)
}

export function splitOf(value: string): GivenSplit | null {
  if (/^train/i.test(value)) return 'train'
  if (/^(val|dev)/i.test(value)) return 'validation'
  return /^(test|holdout)/i.test(value) ? 'test' : null
}

function neitherYesNorNo(o: { cell: string; label: string; name: string; line: number }): AppError {
  return new AppError(
    'invalid',
    `Line ${o.line} of ${o.name} says "${o.cell.slice(0, 40)}" in the column "${o.label.slice(0, 40)}", ` +
      'which is neither yes nor no: write 1 or 0, or leave the cell empty.',
  )
}
