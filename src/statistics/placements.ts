// Where each score stands among those of the other side: what the area under the ROC curve and DeLong's variances are made of
// (DeLong, DeLong and Clarke-Pearson 1988). One area is in roc.ts, two areas compared in delong.ts. Pure.

export interface Ranked {
  /** Higher means more likely positive. */
  readonly scores: readonly number[]
  /** True for the positive images, in the order of the scores. */
  readonly positives: readonly boolean[]
}

export interface Placements {
  /** P(positive scores above negative), ties counted half. */
  readonly auc: number
  /** For each positive image the share of negative ones below it, in their order. */
  readonly ofPositives: readonly number[]
  /** For each negative image the share of positive ones above it, in their order. */
  readonly ofNegatives: readonly number[]
}

/** Null with one class only. */
export function placements({ scores, positives }: Ranked): Placements | null {
  const above = scores.filter((_, index) => positives[index])
  const below = scores.filter((_, index) => !positives[index])
  if (above.length === 0 || below.length === 0) return null
  const [sortedAbove, sortedBelow] = [
    Float64Array.from(above).sort(),
    Float64Array.from(below).sort(),
  ]
  const ofPositives = above.map((score) => shareBelow(sortedBelow, score))
  const ofNegatives = below.map((score) => 1 - shareBelow(sortedAbove, score))
  return { auc: mean(ofPositives), ofPositives, ofNegatives }
}

/** Share of values below `score`, ties as half. */
function shareBelow(ascending: Float64Array, score: number): number {
  const less = firstAt(ascending, (value) => value >= score)
  const upTo = firstAt(ascending, (value) => value > score)
  return (less + upTo) / 2 / ascending.length
}

function firstAt(ascending: Float64Array, isThere: (value: number) => boolean): number {
  let [low, high] = [0, ascending.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (isThere(ascending[middle] as number)) high = middle
    else low = middle + 1
  }
  return low
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Divided by n - 1; 0 for fewer than two values. */
export function sampleVariance(values: readonly number[]): number {
  if (values.length < 2) return 0
  const centre = mean(values)
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1)
}
