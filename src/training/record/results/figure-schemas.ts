// The shapes of figures in results_summary.json: rates, intervals, classes, operating points, calibration.
import { z } from 'zod'
import { valueOrReason } from '../known.ts'

const interval = z.tuple([z.number(), z.number()])
const intervalOr = valueOrReason(interval)
export const figure = valueOrReason(z.number())
const counts = z.strictObject({ tp: z.int(), fp: z.int(), tn: z.int(), fn: z.int() })

/** A share with its Wilson interval; where nothing was counted the reason stands beside. */
export const RateSchema = z.union([
  z.looseObject({ value: z.number(), interval: intervalOr, n: z.int() }),
  z.looseObject({ value: z.null(), reason: z.string() }),
])
/** A figure with a bootstrap interval. */
export const EstimateSchema = z.union([
  z.looseObject({ value: z.number(), interval: intervalOr }),
  z.looseObject({ value: z.null(), reason: z.string() }),
])

export const BinaryRatesSchema = z.looseObject({
  counts,
  accuracy: RateSchema,
  sensitivity: RateSchema,
  specificity: RateSchema,
  ppv: RateSchema,
  npv: RateSchema,
  balancedAccuracy: figure,
  f1: figure,
  mcc: figure,
})

export const ClassFiguresSchema = z.looseObject({
  label: z.string(),
  positive: z.boolean(),
  support: z.int(),
  precision: RateSchema,
  recall: RateSchema,
  specificity: RateSchema,
  f1: figure,
  area: valueOrReason(z.looseObject({ auc: z.number(), interval: intervalOr })),
  averagePrecision: figure,
})

export const QualitySchema = z.looseObject({
  nll: z.number(),
  ece: z.number(),
  brier: z.number(),
  bins: z.array(
    z.looseObject({
      from: z.number(),
      to: z.number(),
      count: z.int(),
      predicted: figure,
      observed: figure,
    }),
  ),
})

export const PointSchema = z.looseObject({
  name: z.string(),
  thresholds: z.record(z.string(), z.number()),
  calibration: BinaryRatesSchema,
  test: BinaryRatesSchema,
})
