// Do two models rank the same images equally well? DeLong, DeLong and Clarke-Pearson 1988: the difference of two areas
// under the ROC curve, with the covariance that comes from the images being the same. Pure.
import { twoSidedP } from './paired-statistics.ts'
import { placements, sampleVariance } from './placements.ts'

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
  const first = placements({ scores: a, positives })
  const second = placements({ scores: b, positives })
  if (!first || !second) return null
  const difference = second.auc - first.auc
  const ofPositives = first.ofPositives.map((value, i) => (second.ofPositives[i] ?? 0) - value)
  const ofNegatives = first.ofNegatives.map((value, i) => (second.ofNegatives[i] ?? 0) - value)
  const [m, n] = [ofPositives.length, ofNegatives.length]
  const areas = { a: first.auc, b: second.auc, difference }
  if (m < 2 || n < 2) return { ...areas, standardError: 0, p: null }
  // The variance of a difference is S11 + S22 - 2 S12, which is the variance of the differences.
  const standardError = Math.sqrt(sampleVariance(ofPositives) / m + sampleVariance(ofNegatives) / n)
  const p =
    standardError > 1e-12 ? twoSidedP(difference / standardError) : difference === 0 ? 1 : null
  return { ...areas, standardError, p }
}
