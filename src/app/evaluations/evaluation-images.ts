// The labelled images that a version is to be measured on: of a prepared dataset its test split, else of a folder below the
// data root. Split and fingerprint are those of the preparation, so that figures on the same images can be compared.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../errors.ts'
import { type Dataset, findDataset } from '../../registry/runs/datasets.ts'
import type { Version } from '../../registry/versions/versions.ts'
import { datasetFolder, parseDatasetPath } from '../../training/dataset/dataset-path.ts'
import { fingerprint } from '../../training/dataset/fingerprint.ts'
import { findClassIndices, sameLabel } from '../../training/dataset/labels.ts'
import type { PreparedIndex } from '../../training/dataset/prepared.ts'
import { scanDataset } from '../../training/dataset/scan.ts'
import { preparedPlace } from '../datasets/prepared-place.ts'
import type { Uses } from '../services.ts'

export const EVALUATION_SPLITS = ['train', 'validation', 'calibration', 'test', 'all'] as const
export type EvaluationSplit = (typeof EVALUATION_SPLITS)[number]

export interface LabelledFile {
  /** Below the dataset's folder. */
  readonly file: string
  /** Indices of the version's classes. */
  readonly classes: readonly number[]
  /** Patient or lesion, where known. */
  readonly group: string | null
}

export interface EvaluationSet {
  /** Absolute. */
  readonly dir: string
  /** Below the data root. */
  readonly dataset: string
  readonly split: EvaluationSplit
  readonly files: readonly LabelledFile[]
  /** Files that are left out, with the reason. */
  readonly leftOut: readonly { readonly file: string; readonly reason: string }[]
  /** Fingerprint of the dataset's preparation; null for a plain folder. */
  readonly preparation: string | null
}

export interface EvaluationSetRequest {
  /** A path below the data root, or a dataset's id. */
  readonly dataset: string
  /** Of a prepared dataset `test` unless said otherwise, of a plain folder `all`. */
  readonly split?: EvaluationSplit | undefined
}

/** @throws AppError `invalid`, `unknown-dataset`; `conflict` when there is no such image */
export async function evaluationSet(
  services: Uses<'config' | 'db' | 'store'>,
  o: EvaluationSetRequest & { readonly version: Version },
): Promise<EvaluationSet> {
  const { version } = o
  const known = await findDataset(services.db, o.dataset.trim())
  const path = parseDatasetPath(known?.path ?? o.dataset)
  const dir = await datasetFolder(services.config.datasetsDir, path)
  const dataset = known ?? (await findDataset(services.db, path))
  const index = dataset?.prepared
    ? await findPreparation(services, { dataset, version })
    : undefined
  const split = o.split ?? (index ? 'test' : 'all')
  const found = index ? preparedFiles(index, split) : await scannedFiles(dir, { version, split })
  if (found.files.length === 0) {
    const where = split === 'all' ? '' : ` in the split "${split}"`
    const labels = version.classes.map(({ label }) => label).join(', ')
    throw new AppError(
      'conflict',
      `"${path.slice(0, 120)}" has no image${where} that is labelled ${labels.slice(0, 300)}.`,
    )
  }
  return { dir, dataset: path, split, preparation: index?.fingerprint ?? null, ...found }
}

type Found = Pick<EvaluationSet, 'files' | 'leftOut'>

/** That whose test split the version was measured on, where there is one; else the latest. */
async function findPreparation(
  services: Uses<'store'>,
  { dataset, version }: { dataset: Dataset; version: Version },
): Promise<PreparedIndex | undefined> {
  const place = preparedPlace(services.store, dataset.id)
  const found: PreparedIndex[] = []
  for (const name of await readdir(place).catch(() => [])) {
    const text = await readFile(join(place, name, 'index.json'), 'utf8').catch(() => '{}')
    const index = JSON.parse(text) as Partial<PreparedIndex>
    if (index.images && isOfClasses(index, version)) found.push(index as PreparedIndex)
  }
  return (
    found.find((index) => index.testSet === version.metrics?.testSet) ??
    found.find((index) => index.fingerprint === dataset.prepared?.fingerprint)
  )
}

function isOfClasses({ classes }: Partial<PreparedIndex>, version: Version): boolean {
  return (
    classes?.length === version.classes.length &&
    classes.every(({ label }, k) => sameLabel(label, version.classes[k]?.label ?? ''))
  )
}

function preparedFiles({ images }: PreparedIndex, split: EvaluationSplit): Found {
  const wanted = images.filter((image) => split === 'all' || image.split === split)
  return {
    files: wanted.map(({ file, classes, group }) => ({ file, classes, group })),
    leftOut: [],
  }
}

async function scannedFiles(
  dir: string,
  { version, split }: { version: Version; split: EvaluationSplit },
): Promise<Found> {
  const labels = version.classes.map(({ label }) => label)
  const scan = await scanDataset(dir, { classes: labels })
  const wanted = scan.files.filter((one) => split === 'all' || one.split === split)
  const leftOut: { file: string; reason: string }[] = []
  const files = wanted.flatMap(({ file, labels: given, group }) => {
    const classes = findClassIndices(given, version)
    if (classes) return [{ file, classes, group }]
    const words = given.join(', ') || 'nothing'
    leftOut.push({
      file,
      reason: `It is labelled ${words}, which is not a class of ${version.id}.`,
    })
    return []
  })
  return { files, leftOut }
}

/** As a preparation fingerprints its test split; equal for the very same images with the same labels. */
export function testSetOf(
  images: readonly { readonly sha256: string; readonly classes: readonly number[] }[],
): string {
  return fingerprint(images.map((one) => ({ ...one, split: 'test' })))
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
