// The labelled images of a set for two versions: of a prepared dataset the split that training did not see,
// else of a folder below the data root, with its class folders or label table as the truth.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../errors.ts'
import type { Condition } from '../../registry/conditions/conditions.ts'
import { type Dataset, findDataset } from '../../registry/runs/datasets.ts'
import { datasetFolder, parseDatasetPath } from '../../training/dataset/dataset-path.ts'
import { sameLabel } from '../../training/dataset/labels.ts'
import type { PreparedIndex } from '../../training/dataset/prepared.ts'
import { scanDataset } from '../../training/dataset/scan.ts'
import { preparedPlace } from '../datasets/prepared-place.ts'
import type { Uses } from '../services.ts'
import type { LabelledImage } from './paired-predictions.ts'

export const SPLITS = ['train', 'validation', 'calibration', 'test', 'all'] as const
export type WantedSplit = (typeof SPLITS)[number]

export interface ImageSet {
  /** Absolute. */
  readonly dir: string
  /** Below the data root. */
  readonly folder: string
  readonly split: WantedSplit
  readonly images: readonly LabelledImage[]
}

/**
 * `folder`: a path below the data root or a dataset's id. `split`: of a prepared dataset `test` unless said otherwise, of
 * a plain folder `all`. @throws AppError `invalid`, `unknown-dataset`; `conflict` when it has no such image
 */
export async function imageSet(
  services: Uses<'config' | 'db' | 'store'>,
  o: { condition: Condition; folder: string; split: WantedSplit | undefined },
): Promise<ImageSet> {
  const labels = o.condition.classes.map((one) => one.label)
  const dataset = await findDataset(services.db, o.folder.trim())
  const folder = parseDatasetPath(dataset?.path ?? o.folder)
  const dir = await datasetFolder(services.config.datasetsDir, folder)
  const known = dataset ?? (await findDataset(services.db, folder))
  const prepared = known?.prepared && (await preparedImages(services, { dataset: known, labels }))
  const split = o.split ?? (prepared ? 'test' : 'all')
  const images = prepared || (await scannedImages(dir, labels))
  const wanted = images.filter((one) => split === 'all' || one.split === split)
  if (wanted.length === 0) {
    const where = split === 'all' ? '' : ` in the split "${split}"`
    throw new AppError('conflict', `"${folder.slice(0, 120)}" has no image${where}.`)
  }
  return { dir, folder, split, images: wanted.map(({ file, truth }) => ({ file, truth })) }
}

type SplitImage = LabelledImage & { readonly split: string | null }

/** undefined when it was prepared for other classes, or what was written then is gone. */
async function preparedImages(
  services: Uses<'store'>,
  { dataset, labels }: { dataset: Dataset; labels: readonly string[] },
): Promise<SplitImage[] | undefined> {
  const index = await findIndex(
    preparedPlace(services.store, dataset.id),
    dataset.prepared?.fingerprint,
  )
  if (!index?.classes.every(({ label }) => labels.some((one) => sameLabel(one, label)))) {
    return undefined
  }
  return index.images.map(({ file, split, classes }) => ({
    file,
    split,
    truth: truthOf(
      classes.map((one) => index.classes[one]?.label ?? ''),
      labels,
    ),
  }))
}

/** One dataset is prepared in several sizes; the images and their splits are those of the fingerprint. */
async function findIndex(
  place: string,
  fingerprint: string | undefined,
): Promise<PreparedIndex | undefined> {
  for (const name of await readdir(place).catch(() => [])) {
    const text = await readFile(join(place, name, 'index.json'), 'utf8').catch(() => '{}')
    const index = JSON.parse(text) as Partial<PreparedIndex>
    if (index.fingerprint === fingerprint && index.images) return index as PreparedIndex
  }
  return undefined
}

async function scannedImages(dir: string, labels: readonly string[]): Promise<SplitImage[]> {
  const { files, unlabelled } = await scanDataset(dir, { classes: labels })
  return [
    ...files.map(({ file, split, labels: given }) => ({
      file,
      split: split ?? null,
      truth: truthOf(given, labels),
    })),
    ...unlabelled.map((file) => ({ file, split: null, truth: null })),
  ]
}

/** Of several labels none is the one truth. */
function truthOf(given: readonly string[], labels: readonly string[]): string | null {
  const [only, ...more] = given
  if (only === undefined || more.length > 0) return null
  return labels.find((label) => sameLabel(label, only)) ?? null
}
