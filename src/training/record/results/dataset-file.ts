// results/dataset_stats.json and results/dataset_files.csv: what the model learnt from, without the images.
import { z } from 'zod'
import { formatCsv } from '../../../package/csv.ts'
import type { PreparedImage, PreparedIndex } from '../../dataset/prepared.ts'
import { SPLITS } from '../../dataset/split.ts'
import {
  absent,
  DistributionSchema,
  distributionOf,
  SizeSchema,
  sizeOf,
  valueOrReason,
} from '../known.ts'
import { json, type PackageContext, writeFiles } from '../package-context.ts'

const counts = z.record(z.string(), z.int())
const listed = z.array(z.strictObject({ file: z.string(), reason: z.string() }))

export const DatasetFileSchema = z.strictObject({
  schema: z.literal(2),
  name: z.string(),
  layout: z.string(),
  fingerprint: z.string(),
  testSet: z.string(),
  preparedAt: z.iso.datetime(),
  source: z.strictObject({
    folder: valueOrReason(z.string()),
    /** Every image with its path below the folder. */
    files: z.string(),
  }),
  condition: z.strictObject({ id: z.string(), name: z.string(), bodyPart: z.string() }),
  kind: z.string(),
  classes: z.array(
    z.strictObject({
      label: z.string(),
      positive: z.boolean(),
      images: z.int(),
      share: z.number(),
    }),
  ),
  images: z.int(),
  size: SizeSchema,
  splits: z.record(
    z.string(),
    z.strictObject({
      images: z.int(),
      share: z.number(),
      classes: counts,
      patients: valueOrReason(z.int()),
    }),
  ),
  splitRule: z.strictObject({ seed: z.int(), notes: z.array(z.string()) }),
  patients: valueOrReason(z.int()),
  quality: z.strictObject({
    formats: counts,
    bits: counts,
    width: DistributionSchema,
    height: DistributionSchema,
    /** The commonest, as "width x height". */
    sizes: counts,
    setAside: listed,
    duplicates: z.array(z.strictObject({ file: z.string(), of: z.string() })),
    warnings: z.array(z.string()),
  }),
  preprocessing: z.strictObject({
    file: z.string(),
    sha256: z.string(),
    width: z.int(),
    height: z.int(),
    channels: z.int(),
    normalisation: z.string(),
    augmentation: z.string(),
  }),
})

const SIZES_LISTED = 20

export async function writeDataset(c: PackageContext): Promise<void> {
  await writeFiles(c.dir, {
    'results/dataset_stats.json': json(datasetFile(c)),
    'results/dataset_files.csv': filesCsv(c.index),
  })
}

function datasetFile(c: PackageContext): z.infer<typeof DatasetFileSchema> {
  const { index, job } = c
  const { images, preprocessing: p } = index
  const of = (k: number, part: readonly PreparedImage[] = images): number =>
    part.filter((image) => image.classes.includes(k)).length
  const splits = SPLITS.map((split) => {
    const part = images.filter((image) => image.split === split)
    const classes = index.classes.map(({ label }, k) => [label, of(k, part)] as const)
    const share = part.length / images.length
    return [
      split,
      {
        images: part.length,
        share,
        classes: Object.fromEntries(classes),
        patients: patientsOf(part),
      },
    ] as const
  })
  return {
    schema: 2,
    name: index.name,
    layout: index.layout,
    fingerprint: index.fingerprint,
    testSet: index.testSet,
    preparedAt: index.createdAt,
    source: {
      folder: absent('A package travels: the path of the folder on this machine is left out.'),
      files: 'results/dataset_files.csv',
    },
    condition: { id: job.condition.id, name: job.condition.name, bodyPart: job.condition.bodyPart },
    kind: index.kind,
    classes: index.classes.map(({ label, positive }, k) => ({
      label,
      positive,
      images: of(k),
      share: of(k) / images.length,
    })),
    images: images.length,
    size: sizeOf(images.reduce((sum, { bytes }) => sum + bytes, 0)),
    splits: Object.fromEntries(splits),
    splitRule: { seed: index.seed, notes: [...index.notes] },
    patients: patientsOf(images),
    quality: {
      formats: tally(images, ({ format }) => format),
      bits: tally(images, ({ bits }) => String(bits)),
      width: distributionOf(images.map(({ width }) => width)),
      height: distributionOf(images.map(({ height }) => height)),
      sizes: tally(images, ({ width, height }) => `${width}x${height}`),
      setAside: [...index.setAside],
      duplicates: [...index.duplicates],
      warnings: [...index.warnings],
    },
    preprocessing: {
      file: 'configs/preprocessing.json',
      sha256: index.preprocessingSha256,
      width: p.width,
      height: p.height,
      channels: p.channels,
      normalisation: `(value * ${p.scale} - [${p.mean.join(', ')}]) / [${p.std.join(', ')}]`,
      augmentation: c.hyperparameters.augmentation
        ? 'as configs/train.json says, on training images only'
        : 'none',
    },
  }
}

function patientsOf(images: readonly PreparedImage[]) {
  const groups = new Set(images.map(({ group }) => group).filter((group) => group !== null))
  return groups.size > 0 ? groups.size : absent('No patient is known of any image.')
}

/** Commonest first. */
function tally(
  images: readonly PreparedImage[],
  value: (image: PreparedImage) => string,
): Record<string, number> {
  const groups = [...Map.groupBy(images, value)].map(([key, part]) => [key, part.length] as const)
  return Object.fromEntries(groups.sort((a, b) => b[1] - a[1]).slice(0, SIZES_LISTED))
}

/** Patients are numbered, not named. */
function filesCsv({ images, classes }: PreparedIndex): string {
  const groups = [...new Set(images.map(({ group }) => group).filter((group) => group !== null))]
  const numbers = new Map(groups.sort().map((group, k) => [group, k + 1]))
  return formatCsv(
    ['file', 'sha256', 'split', 'label', 'patient', 'width', 'height', 'bits', 'format', 'bytes'],
    images.map((one) => [
      one.file,
      one.sha256,
      one.split,
      one.classes.map((k) => classes[k]?.label).join('|'),
      one.group === null ? '' : numbers.get(one.group),
      one.width,
      one.height,
      one.bits,
      one.format,
      one.bytes,
    ]),
  )
}
