// Ranking quality of scores against the truth: ROC curve, area with DeLong's interval, average precision.
// Formulas as scikit-learn and DeLong et al. 1988 have them. What is undefined (one class only) is null, never 0.
import { placements, type Ranked, sampleVariance } from './placements.ts'
import { wilsonInterval, Z95 } from './wilson.ts'

export interface RocPoint {
  /** An image counts as positive when its score is at least this. */
  readonly threshold: number
  readonly falsePositiveRate: number
  readonly truePositiveRate: number
  /** Counts at this threshold. */
  readonly tp: number
  readonly fp: number
}

/** One point for each distinct score, descending, after the point (0, 0) at +Infinity. Rates are NaN with one class only. */
export function rocCurve({ scores, positives }: Ranked): RocPoint[] {
  const order = scores.map((_, index) => index).sort((a, b) => at(scores, b) - at(scores, a))
  const total = positives.filter(Boolean).length
  const negatives = positives.length - total
  const points: RocPoint[] = []
  let tp = 0
  let fp = 0
  const add = (threshold: number): void => {
    const [falsePositiveRate, truePositiveRate] = [fp / negatives, tp / total]
    points.push({ threshold, falsePositiveRate, truePositiveRate, tp, fp })
  }
  add(Number.POSITIVE_INFINITY)
  order.forEach((index, place) => {
    if (positives[index]) tp++
    else fp++
    const next = order[place + 1]
    if (next === undefined || at(scores, next) !== at(scores, index)) add(at(scores, index))
  })
  return points
}

export interface AreaUnderCurve {
  readonly auc: number
  readonly variance: number
  /** 95%, on the logit scale so that it stays in 0..1; of a perfect ranking Wilson's for the rarer side. */
  readonly interval: readonly [number, number]
}

/** P(positive scores above negative) with ties as half, and DeLong's variance (sample variances, ddof 1). Null with one class only. */
export function areaUnderCurve(ranked: Ranked): AreaUnderCurve | null {
  const placed = placements(ranked)
  if (!placed) return null
  const { auc, ofPositives, ofNegatives } = placed
  const rarer = Math.min(ofPositives.length, ofNegatives.length)
  // One image on a side has no sample variance: the largest that an area can have (Bamber 1975).
  const variance =
    rarer < 2
      ? auc * (1 - auc)
      : sampleVariance(ofPositives) / ofPositives.length +
        sampleVariance(ofNegatives) / ofNegatives.length
  // Without a single wrong pair the variance is nought, which a small test set does not deserve.
  const interval = variance > 0 ? logitInterval(auc, variance) : wilsonInterval(auc * rarer, rarer)
  return { auc, variance, interval }
}

function logitInterval(auc: number, variance: number): [number, number] {
  const centre = Math.log(auc / (1 - auc))
  const half = (Z95 * Math.sqrt(variance)) / (auc * (1 - auc))
  return [1 / (1 + Math.exp(half - centre)), 1 / (1 + Math.exp(-half - centre))]
}

/** Sum of precision over the steps of recall, not interpolated. Null without a positive. */
export function averagePrecision(ranked: Ranked): number | null {
  const total = ranked.positives.filter(Boolean).length
  if (total === 0) return null
  let area = 0
  let before = 0
  for (const { tp, fp } of rocCurve(ranked).slice(1)) {
    area += ((tp - before) / total) * (tp / (tp + fp))
    before = tp
  }
  return area
}

function at(values: readonly number[], index: number): number {
  return values[index] as number
}
