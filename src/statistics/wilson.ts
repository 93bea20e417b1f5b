// The interval of a share.

/** Normal quantile of a two-sided 95% interval. */
export const Z95 = 1.959963984540054

/** Wilson's score interval (1927) of `successes` among `n` > 0, 95%. */
export function wilsonInterval(successes: number, n: number): readonly [number, number] {
  const p = successes / n
  const z2 = Z95 ** 2
  const centre = (p + z2 / (2 * n)) / (1 + z2 / n)
  const half = (Z95 * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n))) / (1 + z2 / n)
  return [Math.max(0, centre - half), Math.min(1, centre + half)]
}
