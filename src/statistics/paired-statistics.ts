// What two versions say about the same images, as numbers: agreement, kappa, McNemar's test. Pure.

/** How often `a` said one label and `b` another. */
export interface LabelPair {
  readonly a: string
  readonly b: string
  readonly n: number
}

/**
 * Cohen's kappa, (po - pe) / (1 - pe): agreement beyond what chance alone gives. null without images, and where chance
 * alone agrees always. Cohen 1960.
 */
export function cohenKappa(pairs: readonly LabelPair[]): number | null {
  const total = pairs.reduce((sum, pair) => sum + pair.n, 0)
  if (total === 0) return null
  const observed = sum(pairs.filter((pair) => pair.a === pair.b)) / total
  const labels = new Set(pairs.flatMap((pair) => [pair.a, pair.b]))
  let expected = 0
  for (const label of labels) {
    const byA = sum(pairs.filter((pair) => pair.a === label)) / total
    const byB = sum(pairs.filter((pair) => pair.b === label)) / total
    expected += byA * byB
  }
  return expected >= 1 - 1e-12 ? null : (observed - expected) / (1 - expected)
}

function sum(pairs: readonly LabelPair[]): number {
  return pairs.reduce((total, pair) => total + pair.n, 0)
}

export interface McNemar {
  /** `a` right and `b` wrong. */
  readonly b: number
  /** `a` wrong and `b` right. */
  readonly c: number
  /** `exact`: the binomial test, where b + c is below 25; `chi-square`: with continuity correction. */
  readonly method: 'exact' | 'chi-square'
  /** Two-sided. */
  readonly p: number
  /** Two-sided mid-p, less conservative than the exact one; null with `chi-square`. */
  readonly midP: number | null
}

/** From how many discordant pairs on the chi-square approximation is good. */
const EXACT_BELOW = 25

/** McNemar 1947; mid-p as in Fagerland, Lydersen and Laake 2013. Without discordant pairs p is 1. */
export function mcnemar({ b, c }: { readonly b: number; readonly c: number }): McNemar {
  const n = b + c
  if (n >= EXACT_BELOW) {
    const chi = Math.max(0, Math.abs(b - c) - 1) ** 2 / n
    return { b, c, method: 'chi-square', p: chiSquareTail(chi), midP: null }
  }
  if (n === 0) return { b, c, method: 'exact', p: 1, midP: 1 }
  const fewer = Math.min(b, c)
  let tail = 0
  for (let k = 0; k <= fewer; k++) tail += binomial(n, k)
  const p = Math.min(1, 2 * tail)
  // Where b and c are equal, the whole distribution but half of its middle lies on the two sides.
  const midP = b === c ? 1 - binomial(n, fewer) / 2 : Math.min(1, 2 * tail - binomial(n, fewer))
  return { b, c, method: 'exact', p, midP }
}

/** Of k heads in n throws of a fair coin. */
function binomial(n: number, k: number): number {
  let probability = 0.5 ** n
  for (let i = 0; i < k; i++) probability *= (n - i) / (i + 1)
  return probability
}

/** Upper tail of chi-square with one degree of freedom: P(|Z| > sqrt(x)). */
function chiSquareTail(x: number): number {
  return twoSidedP(Math.sqrt(x))
}

/** P(|Z| > |z|) of a standard normal variable. */
export function twoSidedP(z: number): number {
  return Math.min(1, erfc(Math.abs(z) / Math.SQRT2))
}

/**
 * Complementary error function for x >= 0: the series of erf below 2.5, the continued fraction above, to about 1e-14
 * (Abramowitz and Stegun 7.1.6 and 7.1.14).
 */
function erfc(x: number): number {
  if (x < 2.5) {
    let term = x
    let series = x
    for (let n = 1; n < 200 && Math.abs(term) > 1e-17; n++) {
      term *= (2 * x * x) / (2 * n + 1)
      series += term
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * series
  }
  let fraction = 0
  for (let n = 100; n >= 1; n--) fraction = n / 2 / (x + fraction)
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction)
}
