// Do two models rank the same images equally well? DeLong, DeLong and Clarke-Pearson 1988: the difference of two areas
// under the ROC curve, with the covariance that comes from the images being the same. Pure.
import { twoSidedP } from './paired-statistics.ts'

export interface PairedScores {
  readonly a: readonly number[]
  readonly b: readonly number[]
  /** True for the positive images, in the order of the scores. */
  readonly positives: readonly boolean[]
}

export interface PairedAuc {
  readonly a: number
  readonly b: number
  /** b - a */
  readonly difference: number
  /** Of the difference. */
  readonly standardError: number
  /** Two-sided; 1 where the two rank all images alike, null where it cannot be told. */
  readonly p: number | null
}

/** null without positive or without negative images. */
export function pairedAuc({ a, b, positives }: PairedScores): PairedAuc | null {
  const [first, second] = [components(a, positives), components(b, positives)]
  if (!first || !second) return null
  const difference = second.auc - first.auc
  const ofPositives = first.positive.map((value, i) => (second.positive[i] ?? 0) - value)
  const ofNegatives = first.negative.map((value, i) => (second.negative[i] ?? 0) - value)
  const [m, n] = [ofPositives.length, ofNegatives.length]
  const areas = { a: first.auc, b: second.auc, difference }
  if (m < 2 || n < 2) return { ...areas, standardError: 0, p: null }
  // The variance of a difference is S11 + S22 - 2 S12, which is the variance of the differences.
  const standardError = Math.sqrt(variance(ofPositives) / m + variance(ofNegatives) / n)
  const p =
    standardError > 1e-12 ? twoSidedP(difference / standardError) : difference === 0 ? 1 : null
  return { ...areas, standardError, p }
}

/** For each positive the share of negatives below it, and for each negative the share of positives above it; ties half. */
function components(
  scores: readonly number[],
  positives: readonly boolean[],
): { auc: number; positive: number[]; negative: number[] } | null {
  const above = scores.filter((_, i) => positives[i])
  const below = scores.filter((_, i) => !positives[i])
  if (above.length === 0 || below.length === 0) return null
  const [sortedAbove, sortedBelow] = [
    Float64Array.from(above).sort(),
    Float64Array.from(below).sort(),
  ]
  const positive = above.map((score) => shareBelow(sortedBelow, score))
  const negative = below.map((score) => 1 - shareBelow(sortedAbove, score))
  return {
    auc: positive.reduce((sum, value) => sum + value, 0) / positive.length,
    positive,
    negative,
  }
}

/** Share of the sorted values that are below, those that are equal counted half. */
function shareBelow(values: Float64Array, score: number): number {
  const less = firstAt(values, (value) => value >= score)
  const upTo = firstAt(values, (value) => value > score)
  return (less + upTo) / 2 / values.length
}

function firstAt(values: Float64Array, isThere: (value: number) => boolean): number {
  let [low, high] = [0, values.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (isThere(values[middle] ?? 0)) high = middle
    else low = middle + 1
  }
  return low
}

/** Of a sample: divided by n - 1. */
function variance(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)
}
