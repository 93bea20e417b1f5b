// How much worse one version may still be than another, given what was seen: the lower end of the 95% interval of the
// difference of two fractions right. Pure.

/** The 97.5th percentile of the standard normal distribution. */
const Z = 1.959964

export interface Difference {
  /** Fraction right of the second minus that of the first, as seen. */
  readonly seen: number
  /** Lower end of the two-sided 95% interval. */
  readonly lower: number
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
  }
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
  }
}
