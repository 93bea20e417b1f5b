// What an epoch is judged by, for the images that it trained on and for others: accuracy, precision, recall, area under the
// curve. At probability 0.5 (the most probable class for single-label); operating points come after training.

import type { Outputs } from '../../evaluation/probabilities.ts'
import { areaUnderCurve } from '../../statistics/roc.ts'
import { correctness } from './batches.ts'

export interface EpochFigures {
  readonly accuracy: number
  /**
   * Binary: of the positive class; else the mean over the classes that there are images of. 0 for a class that is never
   * named, as scikit-learn and Keras have it; null where no class has an image.
   */
  readonly precision: number | null
  readonly recall: number | null
  /** Mean over the classes (one against the rest); null where only one class has images. */
  readonly auc: number | null
}

export function epochFigures({ kind, logits, truth }: Outputs): EpochFigures {
  const outputs = truth[0]?.length ?? 0
  const named = logits.map((row) => {
    if (kind !== 'single-label') return row.map((z) => z > 0)
    const top = row.indexOf(Math.max(...row))
    return row.map((_, k) => k === top)
  })
  const [precisions, recalls, areas]: [number[], number[], number[]] = [[], [], []]
  for (let k = 0; k < outputs; k++) {
    const positives = truth.map((row) => row[k] === 1)
    const real = positives.filter(Boolean).length
    if (real === 0) continue
    const claimed = named.filter((row) => row[k]).length
    const right = named.filter((row, i) => row[k] && positives[i]).length
    precisions.push(claimed === 0 ? 0 : right / claimed)
    recalls.push(right / real)
    const area = areaUnderCurve({ scores: logits.map((row) => row[k] ?? 0), positives })
    if (area) areas.push(area.auc)
  }
  return {
    accuracy: correctness(kind, {
      logits: logits.flat(),
      y: truth.flat(),
      count: logits.length,
    }),
    precision: meanOf(precisions),
    recall: meanOf(recalls),
    auc: meanOf(areas),
  }
}

function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, one) => sum + one, 0) / values.length
}
