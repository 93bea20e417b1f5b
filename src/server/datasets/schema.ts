// What programs send and get about datasets.
import { z } from 'zod'
import { ClassSchema, KindSchema } from '../../package/schema.ts'

const name = z.string().min(1).max(500)
const patterns = z.array(z.string().trim().min(1).max(500)).max(10_000)

export const ScanSchema = z.strictObject({
  path: z
    .string()
    .describe('relative to the data root')
    .meta({ examples: ['chest-xray'] }),
})

export const PrepareSchema = z.strictObject({
  condition: name.nullish().describe('whose classes it is for; read off the labels without it'),
  seed: z.int().min(0).max(2_147_483_647).optional().describe('of the split'),
  maxPerClass: z.int().min(2).nullish(),
  imageSize: z.int().min(16).max(1024).optional(),
  positive: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .nullish()
    .describe(
      'which of two classes is the finding, where no condition is named and their names do not tell',
    ),
  uncertain: z
    .enum(['leave-out', 'positive', 'negative'])
    .optional()
    .describe(
      'what labels count as that a table is not sure about (-1); they are left out by default',
    ),
  exclude: patterns
    .optional()
    .describe('paths below the dataset, or patterns with * and **, to leave out'),
})

export const LabelCheckRequestSchema = z.strictObject({
  version: name
    .nullish()
    .describe('whose features are used; the newest that was trained on the dataset by default'),
})

export const ExcludeSchema = z.strictObject({
  files: patterns.min(1).describe('paths below the dataset'),
})

const spread = z.object({ min: z.number(), median: z.number(), max: z.number() })
const counts = z.record(z.string(), z.int())
const fileReasons = z.object({
  count: z.int(),
  files: z.array(z.object({ file: z.string(), reason: z.string() })),
})

const ScanReportSchema = z.object({
  layout: z.string(),
  images: z.int(),
  bytes: z.int(),
  classes: z.array(z.object({ label: z.string(), count: z.int() })),
  splits: z.array(z.object({ split: z.string(), count: z.int() })),
  unlabelled: z.int(),
  tables: z.array(z.string()),
  formats: counts,
  bitDepths: counts,
  channels: counts,
  sizes: z
    .object({ width: spread, height: spread })
    .nullable()
    .describe('in pixels; null when no image could be decoded'),
  broken: fileReasons,
  duplicates: z.object({ count: z.int(), groups: z.array(z.array(z.string())) }),
  nearDuplicates: z.object({
    count: z.int(),
    pairs: z.array(z.array(z.string()).length(2)),
  }),
  conflicts: z.array(z.array(z.string())).describe('equal images with different labels'),
  groups: z.int().describe('patients, lesions or studies that files could be joined to'),
  leaks: z
    .object({ groups: z.int(), images: z.int() })
    .describe('groups and equal images that lie in more than one of its own splits'),
  sharpness: z
    .object({
      median: z.number(),
      blurred: z.array(z.object({ file: z.string(), score: z.number() })),
    })
    .nullable()
    .describe('variance of the Laplacian at 256 px: the lower, the more blurred'),
  warnings: z.array(z.string()),
})

const PreparationSchema = z.object({
  kind: KindSchema,
  classes: z.array(ClassSchema),
  condition: z.string().nullable(),
  seed: z.int(),
  maxPerClass: z.int().nullable(),
  exclude: z.array(z.string()),
  imageSize: z.int(),
  uncertain: z.enum(['leave-out', 'positive', 'negative']).optional(),
  images: z.int(),
  splits: z.record(z.string(), counts).describe('images of each class in each split'),
  setAside: fileReasons,
  duplicates: z.int(),
  notes: z.array(z.string()),
  warnings: z.array(z.string()),
  fingerprint: z.string(),
  testSet: z.string(),
})

const LabelCheckSchema = z.object({
  version: z.string(),
  fingerprint: z.string().describe('of the preparation that was checked'),
  images: z.int(),
  folds: z.int(),
  accuracy: z.number(),
  count: z.int().describe('all doubtful labels; the list is cut after some hundred'),
  sure: z.int(),
  labels: z.array(
    z.object({
      file: z.string(),
      split: z.string(),
      given: z.string(),
      suggested: z.string(),
      givenProbability: z.number(),
      suggestedProbability: z.number(),
      sure: z.boolean(),
    }),
  ),
})

export const DatasetSchema = z
  .object({
    id: z.string(),
    path: z.string().describe('relative to the data root'),
    name: z.string(),
    state: z.enum(['scanning', 'scanned', 'preparing', 'prepared', 'failed']),
    reason: z.string().nullable(),
    progress: z.object({ done: z.int(), total: z.int() }).nullable(),
    scan: ScanReportSchema.nullable(),
    prepared: PreparationSchema.nullable(),
    labelCheck: LabelCheckSchema.nullable(),
    createdAt: z.string(),
    scannedAt: z.string().nullable(),
    preparedAt: z.string().nullable(),
  })
  .meta({ id: 'Dataset' })

export const DatasetListSchema = z.object({
  items: z.array(DatasetSchema),
  nextCursor: z.string().nullable(),
  folders: z.array(z.string()).describe('folders of the data root that were never scanned'),
})
