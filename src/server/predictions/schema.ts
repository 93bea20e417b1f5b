// What programs send and get about predictions.
import { z } from 'zod'
import { EXPLAIN_METHODS } from '../../inference/explain/explain.ts'
import { choiceOf, fileField, numberIn, pageOf, paging } from '../operations/shared-schemas.ts'

const fraction = z.number().min(0).max(1)
const finding = z.object({
  label: z.string(),
  positive: z.boolean(),
  threshold: z.number().nullable(),
})

export const predictionShape = {
  id: z.string(),
  condition: z.string(),
  version: z.string().meta({ examples: ['pneumonia/densenet121-standard@3'] }),
  sha256: z.string(),
  role: z.enum(['active', 'challenger', 'requested']),
  classes: z.array(
    z.object({
      label: z.string(),
      probability: fraction,
      uncalibrated: fraction.nullable(),
      logit: z.number().nullable(),
    }),
  ),
  decision: z.object({
    label: z.string(),
    positive: z.boolean(),
    threshold: z.number().nullable(),
    operatingPoint: z.string().nullable(),
    findings: z.array(finding),
  }),
  confidence: fraction.describe('calibrated probability of decision.label'),
  calibration: z
    .object({
      method: z.string(),
      temperature: z.number(),
      eceBefore: z.number().nullable(),
      eceAfter: z.number().nullable(),
    })
    .nullable(),
  heatmap: z
    .object({
      url: z.string(),
      method: z.string(),
      layer: z.string().nullable(),
      target: z.string(),
      weak: z
        .boolean()
        .optional()
        .describe('the evidence is too weak to draw attention to a place'),
      scale: z.number().optional().describe('value of the map that is drawn in full colour'),
    })
    .nullable(),
  image: z.object({
    width: z.int().describe('after orientation'),
    height: z.int(),
    sha256: z.string().describe('of the bytes that were sent'),
    format: z.string(),
    passport: z
      .object({
        steps: z.array(z.string()),
        tags: z.array(z.object({ name: z.string(), value: z.string() })),
      })
      .optional()
      .describe('what was done to the pixels, step by step'),
  }),
  familiarity: z.object({ score: z.number(), outOfDistribution: z.boolean() }).nullable(),
  preprocessing: z.string().describe('SHA-256 of its configuration'),
  precision: z.string(),
  activation: z.string().nullable().describe('under which an active version answered'),
  at: z.string(),
  warnings: z.array(z.string()),
  timings: z
    .object({
      decode: z.number(),
      preprocess: z.number(),
      infer: z.number(),
      explain: z.number(),
      total: z.number(),
    })
    .describe('milliseconds'),
  notice: z.string().nullish().describe('shown wherever the result is'),
}

export const PredictionSchema = z.object(predictionShape).meta({ id: 'Prediction' })

export const FeedbackSchema = z
  .object({
    verdict: z.enum(['agree', 'disagree', 'unsure']),
    label: z.string().nullable(),
    comment: z.string().nullable(),
    at: z.string(),
    by: z.string(),
  })
  .meta({ id: 'Feedback' })

/** One by itself. */
export const KeptPredictionSchema = z.object({
  ...predictionShape,
  expiresAt: z.string().nullable().describe('when it and its image are forgotten'),
  feedback: z.array(FeedbackSchema),
})

export const PredictionPageSchema = pageOf(PredictionSchema)

export const FeedbackBodySchema = z.object({
  verdict: z.enum(['agree', 'disagree', 'unsure']),
  label: z.string().min(1).max(100).nullish(),
  comment: z.string().max(5000).nullish(),
})

export const ComparisonSchema = z
  .object({
    a: PredictionSchema,
    b: PredictionSchema,
    agree: z.boolean().describe('whether both decide for the same label'),
    deltas: z.record(z.string(), z.number()).describe('b minus a, by label'),
  })
  .meta({ id: 'Comparison' })

export const imageField = fileField('DICOM, JPEG, PNG, WebP or TIFF')
export const conditionField = z
  .string()
  .describe('id of the condition')
  .meta({ examples: ['pneumonia'] })
export const versionField = z.string().describe('condition/name@n; need not be active')

export const explainFields = {
  frame: z
    .string()
    .regex(/^[1-9]\d{0,5}$/)
    .optional()
    .describe('frame of a file that holds several, counted from 1; the first by default'),
  operatingPoint: z.string().optional().describe('name of one of the version’s operating points'),
  explain: z.enum(EXPLAIN_METHODS).optional().describe('gradcam by default'),
  layer: z.string().optional().describe('layer to explain'),
  target: z.string().optional().describe('class to explain; the decided one by default'),
}

export const PredictForm = z.object({
  image: imageField,
  condition: conditionField,
  version: versionField.optional(),
  ...explainFields,
})

export const CompareForm = z.object({
  image: imageField,
  condition: conditionField,
  a: versionField,
  b: versionField,
  ...explainFields,
})

export const PredictionQuery = z.object({
  condition: z.string().optional().describe('id of a condition'),
  version: z.string().optional().describe('condition/name@n'),
  format: choiceOf(['json', 'csv'])
    .optional()
    .describe('csv: the page as a table, the address of the next in the header Link'),
  ...paging,
})

export const HeatmapQuery = z.object({
  composite: choiceOf(['0', '1', 'true', 'false'])
    .optional()
    .describe('1: image and overlay in one'),
  scale: numberIn({ min: 1e-12, max: 1e12 })
    .optional()
    .describe('value of the map to be drawn in full colour, to show two results alike'),
})
