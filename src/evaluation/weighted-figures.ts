// The figures of a report for images that count several times each, as a bootstrap draws them. With every weight 1 they
// are what roc.ts, rates.ts and probabilities.ts give; a test holds them to that.

import type { Ranked } from '../statistics/placements.ts'
import { quotient } from '../statistics/rates.ts'
import type { Forecast } from './probabilities.ts'

export interface Ranking {
  readonly auc: number | null
  readonly averagePrecision: number | null
}

/** Area under the ROC curve and average precision of one ranking; sorts once, then one pass for each draw. */
export function weightedRanking(ranked: Ranked): (weights: Uint16Array) => Ranking {
  const { scores, positives } = ranked
  const order = Uint32Array.from(scores.keys()).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0))
  /** 1 where the next lower score begins. */
  const ends = order.map((image, place) => {
    const next = order[place + 1]
    return next === undefined || scores[next] !== scores[image] ? 1 : 0
  })
  return (weights) => {
    let [tp, fp, area, precision] = [0, 0, 0, 0]
    let [up, right] = [0, 0]
    for (let place = 0; place < order.length; place++) {
      const image = order[place] as number
      const weight = weights[image] as number
      if (positives[image]) up += weight
      else right += weight
      if (ends[place] === 0) continue
      area += right * (tp + up / 2)
      tp += up
      fp += right
      if (up > 0) precision += (up * tp) / (tp + fp)
      up = 0
      right = 0
    }
    return { auc: quotient(area, tp * fp), averagePrecision: quotient(precision, tp) }
  }
}

export interface WeightedRates {
  readonly precision: number | null
  readonly recall: number | null
  readonly specificity: number | null
  readonly f1: number | null
}

/** Of one class: said against is. */
export function weightedRates(
  weights: Uint16Array,
  { said, is }: { readonly said: readonly boolean[]; readonly is: readonly boolean[] },
): WeightedRates {
  let [tp, fp, tn, fn] = [0, 0, 0, 0]
  for (let image = 0; image < weights.length; image++) {
    const weight = weights[image] as number
    if (said[image]) {
      if (is[image]) tp += weight
      else fp += weight
    } else if (is[image]) fn += weight
    else tn += weight
  }
  return {
    precision: quotient(tp, tp + fp),
    recall: quotient(tp, tp + fn),
    specificity: quotient(tn, tn + fp),
    f1: quotient(2 * tp, 2 * tp + fp + fn),
  }
}

export interface BinnedForecast extends Forecast {
  readonly bin: number
}

/** Expected calibration error with the bins that the forecasts carry. */
export function weightedCalibrationError(
  weights: Uint16Array,
  { forecasts, bins }: { readonly forecasts: readonly BinnedForecast[]; readonly bins: number },
): number | null {
  const gaps = new Float64Array(bins)
  let n = 0
  for (const { image, predicted, happened, bin } of forecasts) {
    const weight = weights[image] as number
    gaps[bin] = (gaps[bin] as number) + weight * (Number(happened) - predicted)
    n += weight
  }
  return quotient(
    gaps.reduce((sum, gap) => sum + Math.abs(gap), 0),
    n,
  )
}

export function weightedMean(weights: Uint16Array, values: readonly number[]): number | null {
  let [sum, n] = [0, 0]
  for (let image = 0; image < weights.length; image++) {
    const weight = weights[image] as number
    sum += weight * (values[image] as number)
    n += weight
  }
  return quotient(sum, n)
}
