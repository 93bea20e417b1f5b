// A folder of labelled images -> what is in it: class folders, train/val/test folders, nesting and CSV labels in any case.
// Opens no image; decoding, duplicates and the split are prepare.ts.
import { extname } from 'node:path'
import { AppError } from '../../errors.ts'
import type { UncertainLabels } from '../../registry/runs/datasets.ts'
import { walkFolder } from './files/walk-folder.ts'
import { placeByPath, placeInFolders } from './folder-layout.ts'
import { type GivenSplit, readLabelTables, saysNothing } from './label-tables.ts'
import { commonSpellings, sameLabel } from './labels.ts'

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
/** `x_mask.png` beside `x.png` */
const MASK_NAME = /^(.+)[-_ .](mask|masks|seg|segmentation|annotation)(\.[^.]+)$/i

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

export interface ScanOptions {
  /** A condition's labels, which win over other folder names. */
  readonly classes?: readonly string[]
  readonly uncertain?: UncertainLabels
  /** Told of each file while folders are walked. */
  readonly onFound?: (files: number) => void
}

/**
 * Walks the folder. With `classes` (a condition's labels) a folder of such a name wins at any depth.
 * @throws AppError `invalid` when it cannot be read, holds no labelled image or several datasets, or when its folders look
 * like patients
 */
export async function scanDataset(dir: string, options: ScanOptions = {}): Promise<DatasetScan> {
  const { classes = [], uncertain } = options
  const walked = await walk(dir, options.onFound)
  const { images, masks } = withoutMasks(walked.images)
  if (images.length === 0) {
    throw new AppError(
      'invalid',
      'The dataset folder holds no image: put images into one folder for each class, ' +
        'or beside a dataset.csv with the columns image and label.',
    )
  }
  const { tables } = walked
  const table = await readLabelTables(dir, { tables, images, ...(uncertain && { uncertain }) })
  const byTable = table.labels.size * 2 >= images.length
  const placed = byTable ? placeByPath(images) : placeInFolders(images, classes)
  const files: LabelledFile[] = []
  const unlabelled: string[] = []
  for (const place of placed) {
    const row = table.labels.get(place.file)
    const found = byTable ? row?.labels : place.label === null ? null : [place.label]
    if (!found) unlabelled.push(place.file)
    else {
      files.push({
        file: place.file,
        labels: classes.length > 0 ? withoutNothing(found, classes) : found,
        group: row?.group ?? place.group,
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
  const named = oneSpelling(files)
  const counts = countLabels(named)
  const byFolderSplit = placed.some((place) => place.split !== null)
  return {
    layout: byTable ? 'table' : byFolderSplit ? 'split folders' : 'class folders',
    files: named,
    classes: counts,
    unlabelled,
    tables: table.read,
    warnings: [
      ...linkWarning(walked.links),
      ...(table.unsure > 0
        ? [`${table.unsure} images have an uncertain label and are left out.`]
        : []),
      ...(masks > 0 ? [`${masks} masks beside their images are not used as images.`] : []),
      ...warningsOf(counts, unlabelled.length - (byTable ? table.unsure : 0)),
    ],
  }
}

/** Against the classes of a condition "no finding" is the absence of all, unless it is one of them. */
function withoutNothing(labels: readonly string[], classes: readonly string[]): readonly string[] {
  return labels.filter(
    (label) => !saysNothing(label) || classes.some((one) => sameLabel(one, label)),
  )
}

function withoutMasks(images: readonly string[]): { images: string[]; masks: number } {
  const stems = new Set(images.map((file) => file.replace(/\.[^./]+$/, '')))
  const kept = images.filter((file) => {
    const base = MASK_NAME.exec(file)?.[1]
    return base === undefined || !stems.has(base)
  })
  return { images: kept, masks: images.length - kept.length }
}

function oneSpelling(files: readonly LabelledFile[]): LabelledFile[] {
  const spelling = commonSpellings(files.flatMap(({ labels }) => labels))
  return files.map((file) => ({
    ...file,
    labels: [...new Set(file.labels.map((label) => spelling.get(label) ?? label))],
  }))
}

async function walk(
  dir: string,
  onFound?: (files: number) => void,
): Promise<{ images: string[]; tables: string[]; links: number }> {
  const enters = (name: string): boolean => !MASKS.test(name)
  const { files, links } = await walkFolder(dir, { enters, ...(onFound && { onFound }) })
  const endingOf = (file: string): string => extname(file).toLowerCase()
  return {
    images: files.filter((file) => IMAGE.has(endingOf(file))),
    tables: files.filter((file) => ['.csv', '.tsv'].includes(endingOf(file))),
    links,
  }
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

function linkWarning(links: number): string[] {
  if (links === 0) return []
  const what = links === 1 ? '1 link leads' : `${links} links lead`
  return [`${what} out of the folder, back into it or nowhere; not followed.`]
}

function warningsOf(
  classes: readonly { label: string; count: number }[],
  unlabelled: number,
): string[] {
  const warnings: string[] = []
  if (unlabelled > 0) warnings.push(`${unlabelled} images have no label and are excluded.`)
  for (const { label, count } of classes) {
    if (count < 100) warnings.push(`${label} has ${count} images; at least 100 are recommended.`)
  }
  const counts = classes.map(({ count }) => count)
  const [least, most] = [Math.min(...counts), Math.max(...counts)]
  if (most > 3 * least) {
    warnings.push(`The classes are unbalanced: ${most} images of one, ${least} of another.`)
  }
  return warnings
}
