// What programs send and get about two versions on many images.
import { z } from 'zod'
import { SPLITS } from '../../app/comparisons/paired-images.ts'
import { McNemarSchema } from '../conditions/schema.ts'
import { ProblemSchema } from '../operations/problem-schema.ts'

export const AbSchema = z.strictObject({
  a: z.string(),
  b: z.string(),
  folder: z
    .string()
    .describe('below the data root; class folders or a label table say what the images show')
    .meta({ examples: ['chest-xray/test'] }),
  split: z
    .enum(SPLITS)
    .optional()
    .describe('test of a prepared dataset and all of a plain folder by default'),
})

export const RereadSchema = z.strictObject({
  with: z.string().describe('the version to predict with'),
  limit: z.int().min(1).max(100_000).optional().describe('at most so many of the newest'),
})

const side = z.object({ label: z.string(), probabilities: z.record(z.string(), z.number()) })

export const PairedLineSchema = z.union([
  z.object({
    image: z.string(),
    a: side,
    b: side,
    truth: z.string().nullable(),
    agree: z.boolean(),
  }),
  z.object({ image: z.string(), problem: ProblemSchema }),
  z.object({
    summary: z.object({
      n: z.int(),
      agreeing: z.int(),
      agreement: z.number().nullable(),
      kappa: z.number().nullable(),
      meanGap: z.number().nullable(),
      decisions: z.array(z.object({ a: z.string(), b: z.string(), n: z.int() })),
      truth: z.object({
        n: z.int(),
        aRight: z.int(),
        bRight: z.int(),
        accuracyDifference: z.number().nullable(),
        mcnemar: McNemarSchema,
      }),
      auc: z.array(
        z.object({
          label: z.string(),
          a: z.number(),
          b: z.number(),
          difference: z.number(),
          standardError: z.number(),
          p: z.number().nullable(),
        }),
      ),
      failed: z.int(),
    }),
  }),
])
