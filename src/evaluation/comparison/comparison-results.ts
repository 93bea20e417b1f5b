// comparison_results.json: several models on the same test images, whole, so that tables and plots can be made again from
// it without a model.
import { z } from 'zod'
import { AppError } from '../../errors.ts'
import { KindSchema } from '../../package/schema.ts'

const interval = z.tuple([z.number(), z.number()])
/** A fraction (or an error, a time) with its 95% interval; null where it is undefined. */
const FigureSchema = z.strictObject({ value: z.number().nullable(), interval: interval.nullable() })
export type Figure = Readonly<z.infer<typeof FigureSchema>>

/** In the order of tables; `better` says which way is. */
export const METRICS = {
  accuracy: { title: 'Accuracy', better: 'higher' },
  balancedAccuracy: { title: 'Balanced accuracy', better: 'higher' },
  auc: { title: 'AUC', better: 'higher' },
  averagePrecision: { title: 'Average precision', better: 'higher' },
  sensitivity: { title: 'Sensitivity', better: 'higher' },
  specificity: { title: 'Specificity', better: 'higher' },
  precision: { title: 'Precision', better: 'higher' },
  f1: { title: 'F1', better: 'higher' },
  eceBefore: { title: 'ECE before calibration', better: 'lower' },
  ece: { title: 'ECE', better: 'lower' },
  brier: { title: 'Brier score', better: 'lower' },
} as const
export type MetricName = keyof typeof METRICS
export const METRIC_NAMES = Object.keys(METRICS) as MetricName[]

const EpochSchema = z.looseObject({
  epoch: z.int(),
  trainLoss: z.number(),
  trainAccuracy: z.number(),
  valLoss: z.number(),
  valAccuracy: z.number(),
})
const points = z.array(z.tuple([z.number(), z.number()]))

export const ComparedModelSchema = z.strictObject({
  /** `condition/name@n`, or a name where it is not registered. */
  id: z.string(),
  architecture: z.string(),
  parameters: z.int().nullable(),
  sizeBytes: z.int(),
  /** Median of one image on the machine that compared; null where it was not measured. */
  latencyMs: z.number().nullable(),
  trainingSeconds: z.number().nullable(),
  /** What it was trained with, by name. */
  configuration: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  history: z.array(EpochSchema),
  bestEpoch: z.int().nullable(),
  temperature: z.number().nullable(),
  metrics: z.record(z.string(), FigureSchema),
  classes: z.array(
    z.strictObject({
      label: z.string(),
      support: z.int(),
      precision: FigureSchema,
      recall: FigureSchema,
      f1: FigureSchema,
      auc: FigureSchema,
    }),
  ),
  /** Of the calibrated probability: mean predicted and observed share of each bin that holds images, and how many. */
  reliability: z.array(
    z.strictObject({ predicted: z.number(), observed: z.number(), count: z.int() }),
  ),
  /** Rows: truth, columns: answer; null for several labels. */
  confusion: z.array(z.array(z.int())).nullable(),
  /** [false positive rate, true positive rate] and [recall, precision]: of the finding, else the mean over the classes. */
  roc: points,
  pr: points,
})
export type ComparedModel = Readonly<z.infer<typeof ComparedModelSchema>>

const PairSchema = z.strictObject({
  a: z.string(),
  b: z.string(),
  n: z.int(),
  agreement: z.number().nullable(),
  /** Accuracy of b less that of a, 95% interval (Agresti and Min 2005). */
  accuracyDifference: FigureSchema,
  /** McNemar's test, two-sided; `adjusted` over all pairs (Holm 1979). */
  accuracyP: z.number(),
  accuracyAdjustedP: z.number(),
  /**
   * AUC of b less that of a, of the finding or the mean over the classes. DeLong's test: of the finding, or for each class
   * against the rest, where the p of the pair is that of any class differing (the least, times their number; Holm 1979).
   */
  aucDifference: z.number().nullable(),
  aucP: z.number().nullable(),
  aucAdjustedP: z.number().nullable(),
  /** One class against the rest; `p` adjusted over the classes. Absent for one curve, and in older files. */
  aucByClass: z
    .array(z.strictObject({ label: z.string(), difference: z.number(), p: z.number() }))
    .optional(),
})
export type ComparedPair = Readonly<z.infer<typeof PairSchema>>

const SummarySchema = z.strictObject({
  /** Over the models: mean, sample standard deviation, least and most. */
  metrics: z.record(
    z.string(),
    z.strictObject({
      mean: z.number().nullable(),
      sd: z.number().nullable(),
      least: z.number().nullable(),
      most: z.number().nullable(),
      /** Ids, best first; those without a value are left out. */
      ranking: z.array(z.string()),
    }),
  ),
  /** Sentences: what may be concluded, and what not. */
  conclusions: z.array(z.string()),
})

export const ComparisonResultsSchema = z.strictObject({
  schema: z.literal(1),
  createdAt: z.string(),
  condition: z.string(),
  kind: KindSchema,
  classes: z.array(z.strictObject({ label: z.string(), positive: z.boolean() })),
  dataset: z.string().nullable(),
  /** Fingerprint of the test images that all were measured on; null when they differ. */
  testSet: z.string().nullable(),
  images: z.int(),
  models: z.array(ComparedModelSchema).min(1).max(50),
  /** None when the models were measured on other images. */
  pairs: z.array(PairSchema),
  summary: SummarySchema,
})
export type ComparisonResults = Readonly<z.infer<typeof ComparisonResultsSchema>>

/** @throws AppError `invalid` naming the first thing that is wrong */
export function parseComparison(text: string): ComparisonResults {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new AppError('invalid', 'The comparison results file is not valid JSON.', {
      cause,
    })
  }
  const result = ComparisonResultsSchema.safeParse(json)
  // As it was written, with its order: what is made from it is the same to the byte.
  if (result.success) return json as ComparisonResults
  const issue = result.error.issues[0]
  const where = issue?.path.join('.') || 'its top'
  throw new AppError(
    'invalid',
    `Not a Roentgen comparison_results.json: at ${where}, ${issue?.message ?? 'something is wrong'}.`,
  )
}
