// Two predictions of each image, summed up: where they agree, and where the truth is known, which is right more often
// and which ranks better. Pure.
import { type PairedAuc, pairedAuc } from './delong.ts'
import { cohenKappa, type LabelPair, type McNemar, mcnemar } from './paired-statistics.ts'

export interface PairedSide {
  readonly label: string
  /** Calibrated, by label. */
  readonly probabilities: Readonly<Record<string, number>>
}

export interface PairedPrediction {
  /** A file or a prediction. */
  readonly image: string
  readonly a: PairedSide
  readonly b: PairedSide
  /** null where it is not known. */
  readonly truth: string | null
}

export interface PairedSummary {
  readonly n: number
  readonly agreeing: number
  /** Fraction; null without images. */
  readonly agreement: number | null
  readonly kappa: number | null
  /** Mean |a - b| of the calibrated probability of the class that a decides for. */
  readonly meanGap: number | null
  readonly decisions: readonly LabelPair[]
  readonly truth: {
    readonly n: number
    readonly aRight: number
    readonly bRight: number
    /** Accuracy of b minus that of a. */
    readonly accuracyDifference: number | null
    readonly mcnemar: McNemar
  }
  /** One against the rest, for each class that the truth both has and lacks. */
  readonly auc: readonly (PairedAuc & { readonly label: string })[]
}

export function summarisePairs(
  pairs: readonly PairedPrediction[],
  labels: readonly string[],
): PairedSummary {
  const n = pairs.length
  const agreeing = pairs.filter((pair) => pair.a.label === pair.b.label).length
  const known = pairs.filter((pair) => pair.truth !== null)
  const aRight = known.filter((pair) => pair.a.label === pair.truth)
  const bRight = known.filter((pair) => pair.b.label === pair.truth)
  const gap = (pair: PairedPrediction): number => {
    const { label } = pair.a
    return Math.abs((pair.a.probabilities[label] ?? 0) - (pair.b.probabilities[label] ?? 0))
  }
  const decisions = decisionsOf(pairs)
  return {
    n,
    agreeing,
    agreement: n === 0 ? null : agreeing / n,
    kappa: cohenKappa(decisions),
    meanGap: n === 0 ? null : pairs.reduce((sum, pair) => sum + gap(pair), 0) / n,
    decisions,
    truth: {
      n: known.length,
      aRight: aRight.length,
      bRight: bRight.length,
      accuracyDifference:
        known.length === 0 ? null : (bRight.length - aRight.length) / known.length,
      mcnemar: mcnemar({
        b: aRight.filter((pair) => pair.b.label !== pair.truth).length,
        c: bRight.filter((pair) => pair.a.label !== pair.truth).length,
      }),
    },
    auc: labels.flatMap((label) => {
      const scores = (side: 'a' | 'b') => known.map((pair) => pair[side].probabilities[label] ?? 0)
      const positives = known.map((pair) => pair.truth === label)
      const found = pairedAuc({ a: scores('a'), b: scores('b'), positives })
      return found ? [{ label, ...found }] : []
    }),
  }
}

function decisionsOf(pairs: readonly PairedPrediction[]): LabelPair[] {
  const table = new Map<string, LabelPair>()
  for (const { a, b } of pairs) {
    const key = JSON.stringify([a.label, b.label])
    table.set(key, { a: a.label, b: b.label, n: 1 + (table.get(key)?.n ?? 0) })
  }
  return [...table.values()].sort((x, y) => y.n - x.n)
}
