// The mean difference of paired outcomes with its 95 % interval; images of one patient (and of several seeds) count as one.

export interface Outcome {
  /** Patient, or the image where none is known. */
  readonly group: string
  /** 1 right, 0 wrong. */
  readonly ours: number
  readonly theirs: number
}

/** Normal approximation with the variance of group totals (Liang & Zeger 1986). Shares, not percent. */
export function pairedInterval(outcomes: readonly Outcome[]): {
  readonly difference: number
  readonly low: number
  readonly high: number
} {
  const n = outcomes.length
  const difference = outcomes.reduce((sum, { ours, theirs }) => sum + ours - theirs, 0) / n
  const totals = new Map<string, number>()
  for (const { group, ours, theirs } of outcomes) {
    totals.set(group, (totals.get(group) ?? 0) + ours - theirs - difference)
  }
  const squares = [...totals.values()].reduce((sum, total) => sum + total * total, 0)
  const half = (1.959964 * Math.sqrt((squares * totals.size) / (totals.size - 1))) / n
  return { difference, low: difference - half, high: difference + half }
}
