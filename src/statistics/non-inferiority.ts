// How much worse one version may still be than another, given what was seen: the lower end of the 95% interval of the
// difference of two fractions right. Pure.

/** The 97.5th percentile of the standard normal distribution. */
const Z = 1.959964

export interface Difference {
  /** Fraction right of the second minus that of the first, as seen. */
  readonly seen: number
  /** Ends of the two-sided 95% interval. */
  readonly lower: number
  readonly upper: number
}

/**
 * Both have read the same `n` images; `b` only the first has right, `c` only the second. Half a case is added to each of
 * the four cells, which keeps the interval honest with few cases. Agresti and Min 2005.
 */
export function pairedDifference({ n, b, c }: { n: number; b: number; c: number }): Difference {
  const cases = n + 2
  const difference = (c - b) / cases
  const variance = (b + c + 1 - (c - b) ** 2 / cases) / cases ** 2
  return {
    seen: n === 0 ? 0 : (c - b) / n,
    lower: Math.max(-1, difference - Z * Math.sqrt(variance)),
    upper: Math.min(1, difference + Z * Math.sqrt(variance)),
  }
}

/**
 * Mean of `n` >= 2 paired differences with its t interval (quantile to order n^-2: Abramowitz and Stegun 26.7.5).
 * Undefined for fewer.
 */
export function meanDifference(differences: readonly number[]): Difference | undefined {
  const n = differences.length
  if (n < 2) return undefined
  const mean = differences.reduce((sum, one) => sum + one, 0) / n
  const variance = differences.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (n - 1)
  const df = n - 1
  const t = Z + (Z ** 3 + Z) / (4 * df) + (5 * Z ** 5 + 16 * Z ** 3 + 3 * Z) / (96 * df ** 2)
  const half = t * Math.sqrt(variance / n)
  return { seen: mean, lower: mean - half, upper: mean + half }
}

interface Counted {
  readonly n: number
  readonly right: number
}

/** Each has read images of its own. A case right and one wrong are added to both. Agresti and Caffo 2000. */
export function unpairedDifference(first: Counted, second: Counted): Difference {
  const [p1, p2] = [(first.right + 1) / (first.n + 2), (second.right + 1) / (second.n + 2)]
  const variance = (p1 * (1 - p1)) / (first.n + 2) + (p2 * (1 - p2)) / (second.n + 2)
  const share = ({ n, right }: Counted): number => (n === 0 ? 0 : right / n)
  return {
    seen: share(second) - share(first),
    lower: Math.max(-1, p2 - p1 - Z * Math.sqrt(variance)),
    upper: Math.min(1, p2 - p1 + Z * Math.sqrt(variance)),
  }
}
