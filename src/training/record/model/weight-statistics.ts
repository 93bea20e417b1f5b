// results/weight_statistics.json: numbers about the numbers of each layer, at the best epoch.
import { z } from 'zod'
import { absent, DistributionSchema, distributionOf, valueOrReason } from '../known.ts'
import { json, type PackageContext, writeFiles } from '../package-context.ts'

export const WeightStatisticsSchema = z.strictObject({
  schema: z.literal(2),
  epoch: z.int(),
  totals: z.strictObject({ weights: z.int(), parameters: z.int(), bytes: z.int() }),
  layers: z.array(
    z.strictObject({
      name: z.string(),
      type: z.string(),
      parameters: z.int(),
      weights: valueOrReason(
        z.array(
          z.strictObject({
            name: z.string(),
            shape: z.array(z.int()),
            dtype: z.string(),
            parameters: z.int(),
            trainable: z.boolean(),
            distribution: DistributionSchema,
            /** Euclidean. */
            norm: z.number(),
            zeros: z.int(),
          }),
        ),
      ),
    }),
  ),
})
type WeightStatistics = z.infer<typeof WeightStatisticsSchema>

export async function writeWeightStatistics(c: PackageContext): Promise<void> {
  const layers = c.model.layers.map((layer) => {
    const trained = new Set(layer.trainableWeights)
    const weights = layer.weights.map((weight) => {
      const values = Array.from(weight.read().dataSync() as Float32Array)
      return {
        name: weight.originalName,
        shape: weight.shape.map((side) => side ?? 0),
        dtype: weight.dtype,
        parameters: values.length,
        trainable: trained.has(weight),
        distribution: distributionOf(values),
        norm: Math.sqrt(values.reduce((sum, value) => sum + value * value, 0)),
        zeros: values.reduce((count, value) => count + (value === 0 ? 1 : 0), 0),
      }
    })
    return {
      name: layer.name,
      type: layer.getClassName(),
      parameters: layer.countParams(),
      weights: weights.length > 0 ? weights : absent('The layer has no weights.'),
    }
  })
  const parameters = c.model.countParams()
  const file: WeightStatistics = {
    schema: 2,
    epoch: c.trained.bestEpoch,
    totals: { weights: c.model.weights.length, parameters, bytes: 4 * parameters },
    layers,
  }
  await writeFiles(c.dir, { 'results/weight_statistics.json': json(file) })
}
