// What the API takes and gives about datasets and training runs, as zod; the words are those of the contract.
import { z } from 'zod'
import { StoredWeightsSchema } from '../../conversion/pretrained/weights-store.ts'
import { RUN_STATES } from '../../registry/runs/runs.ts'

const text = z.string()
const name = z.string().min(1).max(500)
const oneOrMore = z.union([name, z.array(name).min(1).max(100)])

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

export const WeightsListSchema = z.object({
  items: z.array(StoredWeightsSchema.omit({ file: true })),
  nextCursor: text.nullable(),
  fetchable: z
    .array(z.object({ key: text, title: text, architecture: text }))
    .describe('what `roentgen weights fetch` takes'),
})
