// Confident learning (Northcutt, Jiang and Chuang 2021): a label is doubtful when a model that never saw the image is as sure
// of another class as it usually is of images that bear that class.

export interface Doubt {
  /** Place in the list that was given. */
  readonly at: number
  readonly given: number
  readonly suggested: number
  /** Out-of-fold probabilities of both. */
  readonly givenProbability: number
  readonly suggestedProbability: number
}

/** Most doubtful first. `probabilities` are [images][classes], of models that did not see the image. */
export function findDoubts(
  labels: readonly number[],
  probabilities: readonly (readonly number[])[],
): Doubt[] {
  const classes = probabilities[0]?.length ?? 0
  const usual = Array.from({ length: classes }, (_, k) => {
    const own = probabilities.filter((_, at) => labels[at] === k).map((row) => row[k] ?? 0)
    return own.length === 0
      ? Number.POSITIVE_INFINITY
      : own.reduce((sum, one) => sum + one, 0) / own.length
  })
  const doubts: Doubt[] = []
  for (const [at, row] of probabilities.entries()) {
    const given = labels[at] as number
    const sure = [...row.keys()].filter((k) => (row[k] as number) >= (usual[k] as number))
    const suggested = sure.sort((a, b) => (row[b] as number) - (row[a] as number))[0]
    if (suggested === undefined || suggested === given) continue
    const [givenProbability, suggestedProbability] = [row[given] ?? 0, row[suggested] ?? 0]
    doubts.push({ at, given, suggested, givenProbability, suggestedProbability })
  }
  const margin = (one: Doubt): number => one.givenProbability - one.suggestedProbability
  return doubts.sort((a, b) => margin(a) - margin(b) || a.at - b.at)
}
