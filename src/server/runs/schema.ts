// What the API takes and gives about datasets and training runs, as zod; the words are those of the contract.
import { z } from 'zod'
import { RUN_STATES } from '../../registry/runs/runs.ts'

const text = z.string()
const name = z.string().min(1).max(500)
const oneOrMore = z.union([name, z.array(name).min(1).max(100)])

export const ScanSchema = z.strictObject({
  /** Relative to the data root. */
  path: text,
})

export const PrepareSchema = z.strictObject({
  condition: name.nullish(),
  seed: z.int().min(0).max(2_147_483_647).optional(),
  maxPerClass: z.int().min(2).nullish(),
  imageSize: z.int().min(16).max(1024).optional(),
  /** Paths below the dataset, or patterns with `*` and `**`, to leave out. */
  exclude: z.array(z.string().trim().min(1).max(500)).max(10_000).optional(),
})

export const LabelCheckRequestSchema = z.strictObject({
  /** Whose features are used; the newest that was trained on the dataset by default. */
  version: name.nullish(),
})

export const ExcludeSchema = z.strictObject({
  /** Below the dataset. */
  files: z.array(z.string().trim().min(1).max(500)).min(1).max(10_000),
})

export const NewRunSchema = z.strictObject({
  /** Left out: the one that each dataset was prepared for. */
  condition: name.optional(),
  dataset: oneOrMore,
  architecture: oneOrMore,
  preset: oneOrMore,
  hyperparameters: z.record(z.string(), z.unknown()).optional(),
  initFrom: name.nullish(),
  name: name.optional(),
  tags: z.array(z.string().trim().min(1).max(64)).max(50).optional(),
})

export const DatasetSchema = z.looseObject({
  id: text,
  path: text,
  name: text,
  state: z.enum(['scanning', 'scanned', 'preparing', 'prepared', 'failed']),
  reason: text.nullable(),
  progress: z.object({ done: z.int(), total: z.int() }).nullable(),
  scan: z
    .looseObject({
      layout: text,
      images: z.int(),
      classes: z.array(z.object({ label: text, count: z.int() })),
      warnings: z.array(text),
    })
    .nullable(),
  prepared: z
    .looseObject({ images: z.int(), splits: z.looseObject({}), fingerprint: text })
    .nullable(),
  labelCheck: z
    .looseObject({
      version: text,
      fingerprint: text,
      count: z.int(),
      labels: z.array(z.looseObject({})),
    })
    .nullable(),
  createdAt: text,
})

export const DatasetListSchema = z.looseObject({
  items: z.array(DatasetSchema),
  nextCursor: text.nullable(),
  /** Folders of the data root that were never scanned. */
  folders: z.array(text),
})

export const RunSchema = z.looseObject({
  id: text,
  condition: text,
  dataset: text,
  architecture: text,
  preset: text,
  hyperparameters: z.looseObject({}),
  initFrom: text.nullable(),
  state: z.enum(RUN_STATES),
  reason: text.nullable(),
  offer: z.object({ batchSize: z.int() }).nullable(),
  progress: z.looseObject({
    phase: text.nullable(),
    epoch: z.int(),
    epochs: z.int(),
    batch: z.int(),
    batches: z.int(),
    etaSeconds: z.number().nullable(),
    metrics: z.looseObject({}).nullable(),
    history: z.array(z.looseObject({ epoch: z.int() })),
  }),
  version: text.nullable(),
  createdAt: text,
})

export const RunsSchema = z.object({
  runs: z.array(RunSchema),
  /** Of the matrix: ask /api/v1/run-sets for how far it is. */
  set: text.nullable(),
})

export const RunSetSchema = z.object({
  id: text,
  runs: z.array(z.object({ run: RunSchema, etaSeconds: z.number().nullable() })),
  done: z.number(),
  ended: z.int(),
  etaSeconds: z.number().nullable(),
  phases: z.record(text, z.number()),
})
