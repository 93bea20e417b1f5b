// What the API takes and gives about training runs, as zod; the words are those of the contract.
import { z } from 'zod'
import { StoredWeightsSchema } from '../../conversion/pretrained/weights-store.ts'
import { RUN_STATES } from '../../registry/schema/states.ts'
import { GivenHyperparametersSchema } from '../../training/settings.ts'
import { choiceOf, pageOf, paging } from '../operations/shared-schemas.ts'

const { $schema: _, ...described } = z.toJSONSchema(GivenHyperparametersSchema, {
  io: 'input',
  unrepresentable: 'any',
})

const text = z.string()
const name = z.string().min(1).max(500)
const oneOrMore = z.union([name, z.array(name).min(1).max(100)])

export const NewRunSchema = z.strictObject({
  /** Left out: the one that each dataset was prepared for. */
  condition: name.optional(),
  dataset: oneOrMore,
  architecture: oneOrMore,
  preset: oneOrMore,
  // Checked where former names are known, with an error that names the setting; described from the same declarations.
  hyperparameters: z.record(z.string(), z.unknown()).meta(described).optional(),
  initFrom: name.nullish(),
  name: name.optional(),
  tags: z.array(z.string().trim().min(1).max(64)).max(50).optional(),
})

const optional = z.number().nullish()

const EpochSchema = z.object({
  epoch: z.int(),
  trainLoss: z.number(),
  trainAccuracy: z.number(),
  trainPrecision: optional,
  trainRecall: optional,
  trainAuc: optional,
  valLoss: z.number(),
  valAccuracy: z.number(),
  valPrecision: optional,
  valRecall: optional,
  valAuc: z.number().nullable(),
  learningRate: z.number(),
  seconds: z.number(),
  imagesPerSecond: z.number(),
})

const ProgressSchema = z.object({
  phase: z.enum(['preparing', 'training', 'evaluating', 'writing']).nullable(),
  epoch: z.int().describe('0 before the first one'),
  epochs: z.int().describe('0 while unknown'),
  batch: z.int(),
  batches: z.int(),
  prepared: z.object({ done: z.int(), total: z.int() }).nullable(),
  etaSeconds: z.number().nullable(),
  metrics: z
    .object({
      loss: z.number(),
      accuracy: z.number(),
      valLoss: z.number().nullable(),
      valAccuracy: z.number().nullable(),
      valAuc: z.number().nullable(),
    })
    .nullable()
    .describe('of the last batch or epoch'),
  learningRate: z.number().nullable(),
  imagesPerSecond: z.number().nullable(),
  memoryBytes: z.number().nullable(),
  cpuSeconds: z.number().nullable(),
  use: z
    .object({
      cpuCores: z.number(),
      targetCores: z.number(),
      sensors: z.int(),
      cpuCelsius: z.number().nullable(),
      gpuCelsius: z.number().nullable(),
      breaks: z.int(),
      lostSeconds: z.number(),
    })
    .optional(),
  bestEpoch: z.int().nullable(),
  history: z.array(EpochSchema),
  phases: z.record(text, z.number()).describe('seconds of each phase that has ended'),
  resumed: z.object({ exact: z.boolean(), differs: z.array(text) }).optional(),
  notes: z.array(text),
})

export const RunSchema = z
  .object({
    id: text,
    condition: text,
    dataset: text,
    datasetName: text,
    architecture: text,
    preset: text,
    name: text.nullable(),
    hyperparameters: z.record(text, z.unknown()),
    initFrom: text.nullable(),
    tags: z.array(text),
    state: z.enum(RUN_STATES),
    reason: text.nullable(),
    offer: z
      .object({ batchSize: z.int() })
      .nullable()
      .describe('settings that would help, after it was killed for memory'),
    progress: ProgressSchema,
    version: text.nullable(),
    lineage: z.record(text, z.union([text, z.number(), z.null()])),
    attempts: z.int(),
    createdAt: text,
    startedAt: text.nullable(),
    endedAt: text.nullable(),
    by: text,
    via: text,
  })
  .meta({ id: 'Run' })

export const RunPageSchema = pageOf(RunSchema)

export const RunsSchema = z.object({
  runs: z.array(RunSchema),
  set: text.nullable().describe('of the matrix: ask /api/v1/run-sets for how far it is'),
})

export const QueuedSchema = z.union([RunSchema, RunsSchema])

export const RunSetSchema = z.object({
  id: text,
  runs: z.array(z.object({ run: RunSchema, etaSeconds: z.number().nullable() })),
  done: z.number(),
  ended: z.int(),
  etaSeconds: z.number().nullable(),
  phases: z.record(text, z.number()),
})

export const RunQuery = z.object({
  state: choiceOf(RUN_STATES).optional().describe('only in this state'),
  condition: text.optional().describe('id of a condition'),
  set: text.optional().describe('id of a matrix'),
  ...paging,
})

export const RunEventsQuery = z.object({
  lastEventId: text.optional().describe('the same as the header Last-Event-ID'),
})

export const WeightsListSchema = z.object({
  items: z.array(StoredWeightsSchema.omit({ file: true })),
  nextCursor: text.nullable(),
  fetchable: z
    .array(z.object({ key: text, title: text, architecture: text }))
    .describe('what `roentgen weights fetch` takes'),
})
