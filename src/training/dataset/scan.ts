// A folder of labelled images -> what is in it: class folders, train/val/test folders, nesting and CSV labels in any case.
// Opens no image; decoding, duplicates and the split are prepare.ts.
import { readdir, stat } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import { AppError } from '../../errors.ts'
import { type GivenSplit, readLabelTables } from './label-tables.ts'
import { sameLabel } from './labels.ts'

const IMAGE = new Set([
  '.jpg',
  '.jpeg',
  '.jfif',
  '.png',
  '.webp',
  '.tif',
  '.tiff',
  '.dcm',
  '.dicom',
])
const MASKS = /^(masks?|segmentations?|annotations?|contours?)$/i
const PLAIN = /^(images?|imgs?|data|dataset|pictures|photos|x-?rays?)$/i
const SPLITS: readonly (readonly [GivenSplit, RegExp])[] = [
  ['train', /^(train|training|trainset|train_set)$/i],
  ['validation', /^(val|valid|validation|dev)$/i],
  ['test', /^(test|testing|testset|test_set|holdout)$/i],
]

export interface LabelledFile {
  /** Relative to the scanned folder, with forward slashes. */
  readonly file: string
  /** One label, or several of a multi-label table; empty when the table says that nothing was found. */
  readonly labels: readonly string[]
  /** Patient, lesion or study: all of one group go to one side of the split. */
  readonly group: string | null
  readonly split: GivenSplit | null
}

export interface DatasetScan {
  readonly layout: 'class folders' | 'split folders' | 'table'
  readonly files: readonly LabelledFile[]
  /** Labels in alphabetical order with the number of files of each. */
  readonly classes: readonly { readonly label: string; readonly count: number }[]
  readonly unlabelled: readonly string[]
  readonly tables: readonly string[]
  readonly warnings: readonly string[]
}

/**
 * Walks the folder. With `classes` (a condition's labels) a folder of such a name wins at any depth.
 * @throws AppError `invalid` when it cannot be read or holds no labelled image
 */
export async function scanDataset(
  dir: string,
  options: { readonly classes?: readonly string[] } = {},
): Promise<DatasetScan> {
  const { images, tables } = await walk(dir)
  if (images.length === 0) {
    throw new AppError(
      'invalid',
      'The dataset folder holds no image: put images into one folder for each class, ' +
        'or beside a dataset.csv with the columns image and label.',
    )
  }
  const { labels, read } = await readLabelTables(dir, tables, images)
  const placed = placeInFolders(images, options.classes ?? [])
  const byTable = labels.size * 2 >= images.length
  const files: LabelledFile[] = []
  const unlabelled: string[] = []
  for (const place of placed) {
    const row = labels.get(place.file)
    const found = byTable ? row?.labels : folderLabel(place)
    if (!found) unlabelled.push(place.file)
    else {
      files.push({
        file: place.file,
        labels: found,
        group: row?.group ?? groupFromName(place.file),
        split: place.split ?? row?.split ?? null,
      })
    }
  }
  if (files.length === 0) {
    throw new AppError(
      'invalid',
      'No image of the dataset has a label: put images into one folder for each class, ' +
        'or name them in a dataset.csv with the columns image and label.',
    )
  }
  const classes = countLabels(files)
  const byFolderSplit = placed.some((place) => place.split !== null)
  return {
    layout: byTable ? 'table' : byFolderSplit ? 'split folders' : 'class folders',
    files,
    classes,
    unlabelled,
    tables: read,
    warnings: warningsOf(classes, unlabelled.length),
  }
}

interface Place {
  readonly file: string
  readonly split: GivenSplit | null
  readonly folder: string | null
}

function folderLabel({ folder }: Place): readonly string[] | undefined {
  return folder === null ? undefined : [folder]
}

async function walk(dir: string): Promise<{ images: string[]; tables: string[] }> {
  const images: string[] = []
  const tables: string[] = []
  const visit = async (folder: string): Promise<void> => {
    const entries = await readdir(join(dir, folder), { withFileTypes: true })
    entries.sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const entry of entries) {
      if (entry.name.startsWith('.')) continue
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      const kind = entry.isSymbolicLink() ? await stat(join(dir, path)).catch(() => entry) : entry
      if (kind.isDirectory()) {
        if (!MASKS.test(entry.name)) await visit(path)
      } else if (kind.isFile()) {
        const extension = extname(entry.name).toLowerCase()
        if (IMAGE.has(extension)) images.push(path)
        else if (extension === '.csv') tables.push(path)
      }
    }
  }
  try {
    await visit('')
  } catch (error) {
    throw new AppError('invalid', 'The dataset folder does not exist or may not be read.', {
      cause: error,
    })
  }
  return { images: images.map((path) => path.split(sep).join('/')), tables }
}

/** The split is the first folder named like one; the class is the first folder that differs between images. */
function placeInFolders(images: readonly string[], classes: readonly string[]): Place[] {
  const cut = images.map((file) => {
    const folders = file.split('/').slice(0, -1)
    const at = folders.findIndex((name) => SPLITS.some(([, pattern]) => pattern.test(name)))
    const split = SPLITS.find(([, pattern]) => pattern.test(folders[at] ?? ''))?.[0] ?? null
    const rest = folders.filter((name, index) => index !== at && !PLAIN.test(name))
    return { file, split, rest }
  })
  let depth = 0
  const deepest = cut.reduce((most, { rest }) => Math.max(most, rest.length), 0)
  while (depth < deepest && new Set(cut.map(({ rest }) => rest[depth])).size === 1) depth++
  const isClass = (name: string): boolean => classes.some((label) => sameLabel(label, name))
  depth = Math.max(0, Math.min(depth, deepest - 1))
  return cut.map(({ file, split, rest }) => {
    return { file, split, folder: rest.findLast(isClass) ?? rest[depth] ?? null }
  })
}

/** `person123_bacteria_1.jpeg` and the like name their patient. */
function groupFromName(file: string): string | null {
  const name = file.slice(file.lastIndexOf('/') + 1)
  return /^(?:person|patient|subject|pat)[-_]?\d+/i.exec(name)?.[0].toLowerCase() ?? null
}

function countLabels(files: readonly LabelledFile[]): { label: string; count: number }[] {
  const counts = new Map<string, number>()
  for (const { labels } of files) {
    for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1)
  }
  return [...counts]
    .map(([label, count]) => ({ label, count }))
    .sort((a, b) => (a.label.toLowerCase() < b.label.toLowerCase() ? -1 : 1))
}

function warningsOf(
  classes: readonly { label: string; count: number }[],
  unlabelled: number,
): string[] {
  const warnings: string[] = []
  if (unlabelled > 0) warnings.push(`${unlabelled} images have no label and are left out.`)
  for (const { label, count } of classes) {
    if (count < 100) warnings.push(`${label} has ${count} images; at least 100 are advised.`)
  }
  const counts = classes.map(({ count }) => count)
  const [least, most] = [Math.min(...counts), Math.max(...counts)]
  if (most > 3 * least) {
    warnings.push(`The classes are unbalanced: ${most} images of one, ${least} of another.`)
  }
  return warnings
}
