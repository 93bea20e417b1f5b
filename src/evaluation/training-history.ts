// The one reader of what a package says about its epochs, whatever record format it has: schema 1 keeps seconds beside the
// epochs and the best epoch in results_summary.json; schema 2 keeps durations and the best epoch with the history.
import { z } from 'zod'

const figure = z
  .union([z.number(), z.object({ value: z.null() }), z.null()])
  .optional()
  .transform((value) => (typeof value === 'number' ? value : null))

const EpochSchema = z
  .object({
    epoch: z.int().min(1),
    trainLoss: z.number(),
    trainAccuracy: z.number(),
    trainAuc: figure,
    valLoss: z.number(),
    valAccuracy: z.number(),
    valAuc: figure,
    learningRate: z.number().optional(),
    seconds: z.number().optional(),
    duration: z.object({ seconds: z.number() }).optional(),
  })
  .transform(({ seconds, duration, learningRate, ...one }) => ({
    ...one,
    learningRate: learningRate ?? null,
    seconds: duration?.seconds ?? seconds ?? null,
  }))

const HistorySchema = z.object({
  epochs: z.array(EpochSchema).min(1),
  bestEpoch: z.int().optional(),
})
const SummarySchema = z.object({
  bestEpoch: z.int().optional(),
  training: z.object({ bestEpoch: z.int() }).optional(),
})

export type RecordedEpoch = Readonly<z.output<typeof EpochSchema>>

export interface TrainingHistory {
  readonly epochs: readonly RecordedEpoch[]
  readonly bestEpoch: number | null
  /** null where an epoch has no time. */
  readonly seconds: number | null
}

/**
 * @param history text of results/training_history.json
 * @param summary text of results/results_summary.json
 * @returns null where there is none, as for an imported model, or one that is not of these formats
 */
export function readHistory(
  history: string | undefined,
  summary: string | undefined,
): TrainingHistory | null {
  const parsed = HistorySchema.safeParse(jsonOf(history))
  if (!parsed.success) return null
  const { epochs, bestEpoch } = parsed.data
  const about = SummarySchema.safeParse(jsonOf(summary))
  const best = bestEpoch ?? about.data?.bestEpoch ?? about.data?.training?.bestEpoch ?? null
  const times = epochs.map(({ seconds }) => seconds)
  const isTimed = times.every((seconds) => seconds !== null)
  const seconds = isTimed ? times.reduce<number>((sum, one) => sum + (one ?? 0), 0) : null
  return { epochs, bestEpoch: best, seconds }
}

function jsonOf(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}
