// ROC and precision-recall curves of each class as points to draw.
import type { ClassLabel } from '../package/schema.ts'
import type { Ranked } from '../statistics/placements.ts'
import {
  type AreaUnderCurve,
  areaUnderCurve,
  averagePrecision,
  rocCurve,
} from '../statistics/roc.ts'
import { columnsOf, rankedColumn } from './operating-points.ts'
import type { Outputs } from './probabilities.ts'

export type Point = readonly [x: number, y: number]

/** Of one class against the rest. Empty curves where one of the two is lacking. */
export interface ClassCurve {
  readonly label: string
  readonly positive: boolean
  /** False positive rate and true positive rate, from (0, 0) to (1, 1). */
  readonly roc: readonly Point[]
  /** Recall and precision, from (0, 1); each point holds back to the recall before it. */
  readonly pr: readonly Point[]
  readonly auc: number | null
  readonly aucInterval: AreaUnderCurve['interval'] | null
  readonly averagePrecision: number | null
  /** Share of images of the class: what guessing gives as precision. */
  readonly prevalence: number
}

export function classCurves(
  outputs: Outputs,
  o: { readonly classes: readonly ClassLabel[]; readonly temperature: number },
): ClassCurve[] {
  const columns = columnsOf(outputs.kind, o.classes)
  return o.classes.map(({ label, positive }) => {
    const column = columns.find((one) => one.label === label)?.column
    const ranked =
      column === undefined
        ? turned(rankedColumn(outputs, { column: 0, temperature: o.temperature }))
        : rankedColumn(outputs, { column, temperature: o.temperature })
    const area = areaUnderCurve(ranked)
    const total = ranked.positives.filter(Boolean).length
    const points = area ? rocCurve(ranked) : []
    return {
      label,
      positive,
      roc: points.map((one) => [one.falsePositiveRate, one.truePositiveRate] as const),
      pr: points.map(({ tp, fp }) => [tp / total, tp + fp === 0 ? 1 : tp / (tp + fp)] as const),
      auc: area?.auc ?? null,
      aucInterval: area?.interval ?? null,
      averagePrecision: averagePrecision(ranked),
      prevalence: ranked.positives.length === 0 ? 0 : total / ranked.positives.length,
    }
  })
}

/** The other class of two. */
function turned({ scores, positives }: Ranked): Ranked {
  return { scores: scores.map((p) => 1 - p), positives: positives.map((is) => !is) }
}
