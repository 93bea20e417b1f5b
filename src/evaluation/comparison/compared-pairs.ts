// Every two models of a comparison on the same images: McNemar's test on who is right, DeLong's on the ranking, both
// adjusted for how many pairs were looked at.
import { pairedDifference } from '../../statistics/non-inferiority.ts'
import { type PairedSummary, summarisePairs } from '../../statistics/paired-summary.ts'
import type { SaidOfImage } from './compared-model.ts'
import type { ComparedPair } from './comparison-results.ts'

export interface PairInput {
  readonly id: string
  readonly said: ReadonlyMap<string, SaidOfImage>
}

const Z = 1.959964

/** `curveLabel` is the finding of a binary condition: DeLong's test is for one curve. */
export function comparedPairs(
  models: readonly PairInput[],
  o: {
    readonly labels: readonly string[]
    readonly curveLabel: string | null
    readonly isMulti: boolean
  },
): ComparedPair[] {
  const raw = models.flatMap((a, i) =>
    models.slice(i + 1).map((b) => ({ a, b, summary: summaryOf(a, b, o.isMulti ? [] : o.labels) })),
  )
  const accuracy = holm(raw.map(({ summary }) => summary.truth.mcnemar.p))
  const areas = raw.map(({ summary }) => areaOf(summary, o.curveLabel))
  const known = holm(areas.flatMap(({ p }) => (p === null ? [] : [p])))
  let next = 0
  return raw.map(({ a, b, summary }, i) => {
    const { p = null, difference = null } = areas[i] ?? {}
    return {
      a: a.id,
      b: b.id,
      n: summary.truth.n,
      agreement: summary.agreement,
      accuracyDifference: differenceOf(summary),
      accuracyP: summary.truth.mcnemar.p,
      accuracyAdjustedP: accuracy[i] ?? 1,
      aucDifference: difference,
      aucP: p,
      aucAdjustedP: p === null ? null : (known[next++] ?? null),
      ...(areas[i]?.byClass && { aucByClass: areas[i].byClass }),
    }
  })
}

function summaryOf(a: PairInput, b: PairInput, labels: readonly string[]): PairedSummary {
  const readings = [...a.said].flatMap(([image, first]) => {
    const second = b.said.get(image)
    return second ? [{ image, a: first, b: second, truth: first.truth }] : []
  })
  return summarisePairs(readings, labels)
}

function areaOf({ auc }: PairedSummary, label: string | null) {
  if (auc.length === 0) return { p: null, difference: null, byClass: undefined }
  const one = label === null ? undefined : auc.find((area) => area.label === label)
  if (one) return { p: one.p, difference: one.difference, byClass: undefined }
  const tested = auc.flatMap(({ label, difference: by, p }) => {
    return p === null ? [] : [{ label, difference: by, p }]
  })
  const adjusted = holm(tested.map(({ p }) => p))
  const byClass = tested.map((area, k) => ({ ...area, p: adjusted[k] ?? 1 }))
  const difference = auc.reduce((sum, area) => sum + area.difference, 0) / auc.length
  // That any class differs: the least of the adjusted ones.
  return { p: tested.length === 0 ? null : Math.min(...adjusted), difference, byClass }
}

function differenceOf({ truth: { n, mcnemar, accuracyDifference } }: PairedSummary) {
  if (n === 0) return { value: null, interval: null }
  const { b, c } = mcnemar
  const { lower } = pairedDifference({ n, b, c })
  const cases = n + 2
  const centre = (c - b) / cases
  const half = Z * Math.sqrt((b + c + 1 - (c - b) ** 2 / cases) / cases ** 2)
  return {
    value: accuracyDifference,
    interval: [lower, Math.min(1, centre + half)] as [number, number],
  }
}

/** Step-down Bonferroni (Holm 1979), in the order that was given; at most 1. */
export function holm(ps: readonly number[]): number[] {
  const order = [...ps.keys()].sort((a, b) => (ps[a] ?? 1) - (ps[b] ?? 1))
  const adjusted = new Array<number>(ps.length)
  let least = 0
  order.forEach((at, rank) => {
    least = Math.max(least, Math.min(1, (ps[at] ?? 1) * (ps.length - rank)))
    adjusted[at] = least
  })
  return adjusted
}
