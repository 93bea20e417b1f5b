// Labels from CSV files beside the images: dataset.csv, index.csv, HAM10000's metadata, FracAtlas' flags.
// Finds the columns by name and joins rows to files; the folders' own meaning is scan.ts.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseCsv } from '../../package/csv.ts'

/** As a dataset may be dealt already. */
export type GivenSplit = 'train' | 'validation' | 'test'

const FILE_COLUMNS = ['file', 'image', 'image_id', 'filename', 'file_name', 'path', 'image_path']
const LABEL_COLUMNS = [
  'label',
  'labels',
  'class',
  'dx',
  'diagnosis',
  'finding',
  'target',
  'category',
]
const FLAG_COLUMNS = ['fractured', 'abnormal', 'positive', 'osteoporosis', 'pneumonia']
const GROUP_COLUMNS = ['patient', 'patient_id', 'patientid', 'lesion_id', 'subject', 'subject_id']
const SPLIT_COLUMNS = ['split', 'subset', 'fold']
const NOTHING = /^(none|\(none\)|no finding|)$/i

export interface TableLabel {
  readonly labels: readonly string[]
  readonly group: string | null
  readonly split: GivenSplit | null
}

export interface LabelTables {
  /** By the file's path as it was scanned. */
  readonly labels: ReadonlyMap<string, TableLabel>
  /** The tables that were understood. */
  readonly read: readonly string[]
}

/** Joins every understood table to the images, by relative path first and by unique bare name second. */
export async function readLabelTables(
  dir: string,
  tables: readonly string[],
  images: readonly string[],
): Promise<LabelTables> {
  const labels = new Map<string, TableLabel>()
  const read: string[] = []
  const known = new Set(images)
  const byName = indexByName(images)
  for (const table of tables) {
    const rows = parseCsv(await readFile(join(dir, table), 'utf8'))
    const columns = Object.keys(rows[0] ?? {})
    const fileColumn = FILE_COLUMNS.find((name) => columns.includes(name))
    const labelColumn = [...LABEL_COLUMNS, ...FLAG_COLUMNS].find((name) => columns.includes(name))
    if (!fileColumn || !labelColumn) continue
    const groupColumn = GROUP_COLUMNS.find((name) => columns.includes(name))
    const splitColumn = SPLIT_COLUMNS.find((name) => columns.includes(name))
    const folder = table.includes('/') ? table.slice(0, table.lastIndexOf('/') + 1) : ''
    let joined = 0
    for (const row of rows) {
      const named = (row[fileColumn] ?? '').replaceAll('\\', '/')
      const file = known.has(folder + named) ? folder + named : byName.get(stem(named))
      if (!file) continue
      joined++
      labels.set(file, {
        labels: labelsOf(row[labelColumn] ?? '', labelColumn),
        group: (groupColumn && row[groupColumn]) || null,
        split: splitOf((splitColumn && row[splitColumn]) ?? ''),
      })
    }
    if (joined > 0) read.push(table)
  }
  return { labels, read }
}

/** `a|b` holds several labels; 0 and 1 of a flag column become its name and its denial. */
function labelsOf(value: string, column: string): string[] {
  if (FLAG_COLUMNS.includes(column)) {
    return /^(1|true|yes)$/i.test(value) ? [column] : [`not ${column}`]
  }
  return value
    .split('|')
    .map((label) => label.trim())
    .filter((label) => !NOTHING.test(label))
}

function splitOf(value: string): GivenSplit | null {
  if (/^train/i.test(value)) return 'train'
  if (/^(val|dev)/i.test(value)) return 'validation'
  return /^(test|holdout)/i.test(value) ? 'test' : null
}

function stem(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.[a-z]{3,5}$/i, '')
}

/** Bare names without extension; a name that occurs twice joins nothing. */
function indexByName(images: readonly string[]): Map<string, string | undefined> {
  const byName = new Map<string, string | undefined>()
  for (const image of images) {
    const name = stem(image)
    byName.set(name, byName.has(name) ? undefined : image)
  }
  return byName
}
