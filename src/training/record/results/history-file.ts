// results/training_history.json: every epoch. The table of the same for spreadsheets is training_history.csv.
import { z } from 'zod'
import { absent, DurationSchema, durationOf, valueOrReason } from '../known.ts'
import { json, type PackageContext, writeFiles } from '../package-context.ts'

const share = z.number().min(0).max(1)
const shareOr = valueOrReason(share)

export const HistoryFileSchema = z.strictObject({
  schema: z.literal(2),
  bestEpoch: z.int(),
  endedBy: z.string(),
  epochs: z
    .array(
      z.strictObject({
        epoch: z.int().min(1),
        trainLoss: z.number(),
        trainAccuracy: share,
        trainPrecision: shareOr,
        trainRecall: shareOr,
        trainAuc: shareOr,
        valLoss: z.number(),
        valAccuracy: share,
        valPrecision: shareOr,
        valRecall: shareOr,
        valAuc: shareOr,
        learningRate: z.number(),
        duration: DurationSchema,
        imagesPerSecond: z.number(),
      }),
    )
    .min(1),
})

const NO_IMAGE = 'Not defined: only one class has images in the split.'

export async function writeHistory({ dir, trained }: PackageContext): Promise<void> {
  const file: z.infer<typeof HistoryFileSchema> = {
    schema: 2,
    bestEpoch: trained.bestEpoch,
    endedBy: trained.endedBy,
    epochs: trained.history.map(({ seconds, ...one }) => ({
      ...one,
      trainPrecision: one.trainPrecision ?? absent(NO_IMAGE),
      trainRecall: one.trainRecall ?? absent(NO_IMAGE),
      trainAuc: one.trainAuc ?? absent(NO_IMAGE),
      valPrecision: one.valPrecision ?? absent(NO_IMAGE),
      valRecall: one.valRecall ?? absent(NO_IMAGE),
      valAuc: one.valAuc ?? absent(NO_IMAGE),
      duration: durationOf(seconds),
    })),
  }
  await writeFiles(dir, { 'results/training_history.json': json(file) })
}
