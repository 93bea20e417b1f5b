// What programs send and get about evaluations of a version.
import { z } from 'zod'
import { EVALUATION_SPLITS } from '../../app/evaluations/evaluation-images.ts'
import { MetricsSchema } from '../../package/schema.ts'
import { ProblemSchema } from '../operations/problem-schema.ts'
import { listOf, VersionParams } from '../operations/shared-schemas.ts'

export const EvaluateSchema = z.strictObject({
  dataset: z
    .string()
    .min(1)
    .max(500)
    .describe('a path below the data root, or the id of a dataset')
    .meta({ examples: ['chest-xray/test'] }),
  split: z
    .enum(EVALUATION_SPLITS)
    .optional()
    .describe('test of a prepared dataset and all of a plain folder by default'),
})

const shape = {
  id: z.string(),
  version: z.string(),
  sha256: z.string(),
  dataset: z.string().describe('path below the data root'),
  split: z.string(),
  metrics: MetricsSchema,
  isEvidence: z.boolean().describe('enough images of both kinds to count in the gate'),
  at: z.string(),
  by: z.string(),
  via: z.string(),
}

export const EvaluationListSchema = listOf(z.object(shape))

export const EvaluationSchema = z
  .object({
    ...shape,
    report: z.object({
      assessment: z
        .record(z.string(), z.unknown())
        .describe('every figure with its 95% interval, for all operating points and each class'),
      figures: z.record(z.string(), z.unknown()).describe('what the plots are drawn from'),
      warnings: z.array(z.string()),
      leftOut: z.object({
        count: z.int(),
        files: z.array(z.object({ file: z.string(), reason: z.string() })),
      }),
      seconds: z.number(),
    }),
  })
  .meta({ id: 'Evaluation' })

/** The last is an evaluation, or a problem when there is none. */
export const EvaluationLineSchema = z.union([
  z.object({ done: z.int(), total: z.int() }),
  z.object({ image: z.string(), problem: ProblemSchema }),
  z.object({ evaluation: EvaluationSchema }),
  z.object({ problem: ProblemSchema }),
])

export const EvaluationParams = VersionParams.extend({ id: z.string() })
