// What the folders above an image mean: its split, its class, its patient. Which level holds the classes is decided for the
// whole dataset; opens no file.
import { AppError } from '../../errors.ts'
import type { GivenSplit } from './label-tables.ts'
import { isHealthyLabel, sameLabel } from './labels.ts'

const PLAIN = /^(images?|imgs?|data|dataset|pictures|photos|x-?rays?|jpe?gs?|pngs?|dicoms?)$/i
const FOLD = /^(fold|cv|part|batch)[-_ ]?\d+$/i
const SPLITS: readonly (readonly [GivenSplit, RegExp])[] = [
  ['train', /^(train|training|trainset|train_set)$/i],
  ['validation', /^(val|valid|validation|dev)$/i],
  ['test', /^(test|testing|testset|test_set|holdout)$/i],
]
/** `study1_positive` of MURA: the study is no part of the label. */
const STUDY = /^(?:study|series|exam|visit)[-_ ]?\d+[-_ ]+(?=\D)/i
const PATIENT = /^(?:person|patient|subject|pat|case)[-_ ]?[a-z]?\d+/i
/** Names that number something, as patients, studies and series are. */
const NUMBERED = /^(?:[a-z]{0,12}[-_ ]?)?\d+([-_ .].*)?$/i
const MAX_OBVIOUS_CLASSES = 12
/** Fewer images in a folder than this, on average, over many folders: people and not classes. */
const FEW_IMAGES = 10
/** Shared classes of two folders, of all that they have: below it they are different datasets. */
const ALIKE = 1 / 3

export interface Place {
  readonly file: string
  readonly split: GivenSplit | null
  /** The label that its folders give; null: none. */
  readonly label: string | null
  /** The patient that its path names. */
  readonly group: string | null
}

/** Split and patient of each image where a table gives the labels. */
export function placeByPath(images: readonly string[]): Place[] {
  return images.map((file) => {
    return { file, split: cutPath(file).split, label: null, group: patientOf(file) }
  })
}

interface Cut {
  readonly file: string
  readonly split: GivenSplit | null
  /** Folders that may be the class, outermost first. */
  readonly rest: readonly string[]
}

/**
 * Places for all images. With `classes` (a condition's labels) a folder of such a name wins at any depth.
 * @throws AppError `invalid` when the folders look like patients, or hold several datasets
 */
export function placeInFolders(images: readonly string[], classes: readonly string[]): Place[] {
  const cuts = images.map(cutPath)
  const isClass = (name: string): boolean => classes.some((label) => sameLabel(label, name))
  const usual = classes.length > 0 ? firstDifferent(cuts) : classLevel(cuts)
  return cuts.map((cut) => ({
    file: cut.file,
    split: cut.split,
    label: cut.rest.findLast(isClass) ?? usual(cut.rest) ?? null,
    group: patientOf(cut.file),
  }))
}

function cutPath(file: string): Cut {
  const folders = file.split('/').slice(0, -1)
  const at = folders.findIndex((name) => SPLITS.some(([, pattern]) => pattern.test(name)))
  const split = SPLITS.find(([, pattern]) => pattern.test(folders[at] ?? ''))?.[0] ?? null
  const rest = folders
    .filter((name, index) => index !== at && !PLAIN.test(name) && !FOLD.test(name))
    // Archives are often unpacked into a folder of their own name.
    .filter((name, index, all) => name !== all[index - 1])
    .map((name) => name.replace(STUDY, ''))
  return { file, split, rest }
}

type Level = (rest: readonly string[]) => string | undefined

/** The first folder that differs between images, from the top. */
function firstDifferent(cuts: readonly Cut[]): Level {
  const deepest = Math.max(0, ...cuts.map(({ rest }) => rest.length))
  let depth = 0
  while (depth < deepest && new Set(cuts.map(({ rest }) => rest[depth])).size === 1) depth++
  const at = Math.max(0, Math.min(depth, deepest - 1))
  return (rest) => rest[at]
}

/** @throws AppError `invalid` */
function classLevel(cuts: readonly Cut[]): Level {
  const labelled = cuts.filter(({ rest }) => rest.length > 0)
  const depths = new Set(labelled.map(({ rest }) => rest.length))
  if (labelled.length === 0) return () => undefined
  // Where some classes have folders of their own inside, only the top is at the same depth for all.
  if (depths.size > 1) return checked(labelled, firstDifferent(labelled))
  const [depth = 0] = depths
  const levels: Level[] = Array.from({ length: depth }, (_, up) => (rest) => rest.at(-1 - up))
  const different = levels.filter((level) => namesAt(labelled, level).size > 1)
  if (different.length === 0) return (rest) => rest.at(-1)
  refuseSeveralDatasets(labelled)
  const possible = different.filter((level) => !looksLikePatients(labelled, level))
  const telling = possible.find((level) => [...namesAt(labelled, level)].some(isHealthyLabel))
  return checked(labelled, telling ?? possible[0] ?? (different[0] as Level))
}

function checked(cuts: readonly Cut[], level: Level): Level {
  if (!looksLikePatients(cuts, level)) return level
  const count = namesAt(cuts, level).size
  throw new AppError(
    'invalid',
    `The ${count} folders look like patients or studies (few images in each), not like classes: put the images ` +
      'into one folder for each class, or name image, label and patient in a dataset.csv.',
  )
}

function looksLikePatients(cuts: readonly Cut[], level: Level): boolean {
  const names = namesAt(cuts, level)
  if (names.size <= MAX_OBVIOUS_CLASSES) return false
  const numbered = [...names].filter((name) => NUMBERED.test(name)).length
  const average = cuts.length / names.size
  return average < FEW_IMAGES && (numbered * 2 > names.size || average < 3)
}

/** @throws AppError `invalid` naming the folders that have classes of their own, as `ARM`, `CHEST` and `KNEE` */
function refuseSeveralDatasets(cuts: readonly Cut[]): void {
  const top = firstDifferent(cuts)
  const parts = [...Map.groupBy(cuts, ({ rest }) => top(rest) ?? '')]
  if (parts.length < 2 || parts.length > MAX_OBVIOUS_CLASSES) return
  const sets = parts.map(([, part]) => {
    const inside = part.map((cut) => ({
      ...cut,
      rest: cut.rest.slice(cut.rest.indexOf(top(cut.rest) ?? '') + 1),
    }))
    const within = inside.filter(({ rest }) => rest.length > 0)
    if (within.length < part.length) return new Set<string>()
    const leaf: Level = (rest) => rest.at(-1)
    return looksLikePatients(within, leaf) ? new Set<string>() : namesAt(within, leaf)
  })
  const isDataset = sets.every((set) => set.size > 1)
  const differ = sets.some((a, i) => sets.some((b, k) => k > i && likeness(a, b) <= ALIKE))
  if (!isDataset || !differ) return
  const names = parts.map(([name]) => name)
  throw new AppError(
    'invalid',
    `This folder holds ${parts.length} datasets with classes of their own: ${names.join(', ')}. Scan one of them.`,
    { extra: { datasets: names } },
  )
}

function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  return a.intersection(b).size / a.union(b).size
}

/** Names of a level, whatever their case. */
function namesAt(cuts: readonly Cut[], level: Level): Set<string> {
  return new Set(cuts.map(({ rest }) => (level(rest) ?? '').normalize('NFC').toLowerCase()))
}

/** `patient00012/…` and `person123_bacteria_1.jpeg` name their patient. */
function patientOf(file: string): string | null {
  const parts = file.split('/')
  const found = parts.map((part) => PATIENT.exec(part)?.[0]).find((name) => name !== undefined)
  return found?.toLowerCase() ?? null
}
