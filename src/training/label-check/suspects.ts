// Labels that a model which never saw the image would have given otherwise. Confident learning (Northcutt, Jiang and Chuang
// 2021) tells how sure that is: as sure as the model usually is of images that bear the class.

export interface Doubt {
  /** Place in the list that was given. */
  readonly at: number
  readonly given: number
  readonly suggested: number
  /** Out-of-fold probabilities of both. */
  readonly givenProbability: number
  readonly suggestedProbability: number
  /** The probability of the suggested class is at least its mean over the images that bear it. */
  readonly sure: boolean
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
    const suggested = row.indexOf(Math.max(...row))
    if (suggested === given) continue
    const [givenProbability, suggestedProbability] = [row[given] ?? 0, row[suggested] ?? 0]
    const sure = suggestedProbability >= (usual[suggested] as number)
    doubts.push({ at, given, suggested, givenProbability, suggestedProbability, sure })
  }
  const margin = (one: Doubt): number => one.givenProbability - one.suggestedProbability
  return doubts.sort((a, b) => margin(a) - margin(b) || a.at - b.at)
}
