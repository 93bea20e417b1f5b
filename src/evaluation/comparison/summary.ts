// What may be concluded from a comparison: rankings, spread, and sentences that promise no more than the tests do.
import {
  type ComparedModel,
  type ComparedPair,
  type ComparisonResults,
  METRIC_NAMES,
  METRICS,
} from './comparison-results.ts'

const LEVEL = 0.05

export function summarise(
  models: readonly ComparedModel[],
  o: { readonly pairs: readonly ComparedPair[]; readonly isSameSet: boolean },
): ComparisonResults['summary'] {
  const metrics = Object.fromEntries(
    METRIC_NAMES.map((name) => {
      const known = models.flatMap(({ id, metrics: of }) => {
        const value = of[name]?.value
        return value === null || value === undefined ? [] : [{ id, value }]
      })
      const sign = METRICS[name].better === 'higher' ? -1 : 1
      const ranking = known.toSorted((a, b) => sign * (a.value - b.value)).map(({ id }) => id)
      return [name, { ...spreadOf(known.map(({ value }) => value)), ranking }]
    }),
  )
  return { metrics, conclusions: conclusions(models, { ...o, best: metrics.accuracy?.ranking[0] }) }
}

function spreadOf(values: readonly number[]) {
  if (values.length === 0) return { mean: null, sd: null, least: null, most: null }
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length
  const squares = values.reduce((sum, one) => sum + (one - mean) ** 2, 0)
  const sd = values.length < 2 ? null : Math.sqrt(squares / (values.length - 1))
  return { mean, sd, least: Math.min(...values), most: Math.max(...values) }
}

function conclusions(
  models: readonly ComparedModel[],
  o: {
    readonly pairs: readonly ComparedPair[]
    readonly isSameSet: boolean
    readonly best: string | undefined
  },
): string[] {
  if (!o.isSameSet) {
    return ['Different test sets: not directly comparable.']
  }
  if (models.length < 2 || o.best === undefined) return []
  const worse = models.filter(
    ({ id }) => id !== o.best && isBetter(o.pairs, { id: o.best ?? '', than: id }),
  )
  const others = models.length - 1
  const said =
    worse.length === others
      ? `${o.best} is significantly more accurate than every other version (McNemar, Holm-adjusted p < ${LEVEL}).`
      : worse.length > 0
        ? `${o.best} has the highest accuracy and is better than ${worse.map(({ id }) => id).join(', ')}; other differences are not significant.`
        : `${o.best} has the highest accuracy, but no difference is significant (McNemar, Holm-adjusted p ≥ ${LEVEL}).`
  return [
    said,
    'Single seed and split: another seed would change these metrics by about as much as their intervals.',
  ]
}

/** The model that is better than every other by the paired tests; mostly there is none. */
export function findBest({
  models,
  pairs,
}: Pick<ComparisonResults, 'models' | 'pairs'>): string | undefined {
  const beatsAll = (id: string) =>
    models.every((other) => other.id === id || isBetter(pairs, { id, than: other.id }))
  return models.length > 1 ? models.find(({ id }) => beatsAll(id))?.id : undefined
}

/** Whether the paired test says so. */
export function isBetter(
  pairs: readonly ComparedPair[],
  { id, than }: { readonly id: string; readonly than: string },
): boolean {
  const pair = pairs.find((one) => [one.a, one.b].includes(id) && [one.a, one.b].includes(than))
  const difference = pair?.accuracyDifference.value ?? 0
  const inFavour = pair?.b === id ? difference > 0 : difference < 0
  return pair !== undefined && inFavour && pair.accuracyAdjustedP < LEVEL
}
