// One image through two versions of a condition, compared.

import { getCondition } from '../../registry/conditions/conditions.ts'
import type { Prediction } from '../../registry/predictions/predictions.ts'
import { type PredictionRequest, predictImage } from '../diagnosis/predict-image.ts'
import type { Shadow } from '../diagnosis/shadow.ts'
import type { Uses } from '../services.ts'

export interface CompareRequest extends Omit<PredictionRequest, 'version'> {
  readonly a: string
  readonly b: string
}

export interface ImageComparison {
  readonly a: Prediction
  readonly b: Prediction
  /** The same decision label. */
  readonly agree: boolean
  /** label: calibrated probability of b minus that of a */
  readonly deltas: Readonly<Record<string, number>>
  /** Why the two heatmaps cannot be compared, if so. */
  readonly note: string | null
}

/**
 * Both explain the same class, so that the maps compare: the one asked for, else the finding of a binary condition
 * (evidence for "normal" answers no question), else the class that `a` decides for.
 */
export async function compareVersions(
  services: Uses<'config' | 'db' | 'imaging' | 'makeReady' | 'metrics' | 'runtime' | 'store'> & {
    readonly shadow: Shadow
  },
  request: CompareRequest,
): Promise<ImageComparison> {
  const { a, b, ...rest } = request
  const { kind, classes } = await getCondition(services.db, request.condition)
  const finding = kind === 'binary' ? classes.find((one) => one.positive)?.label : undefined
  const wanted = request.target ?? finding
  const first = await predictImage(services, { ...rest, version: a, target: wanted })
  const target = wanted ?? first.decision.label
  const second = await predictImage(services, { ...rest, version: b, target })
  return comparePredictions(first, second)
}

/** Two predictions of one image; also for the permanent address of a comparison. */
export function comparePredictions(a: Prediction, b: Prediction): ImageComparison {
  const deltas = Object.fromEntries(
    a.classes.flatMap(({ label, probability }) => {
      const other = b.classes.find((one) => one.label === label)
      return other ? [[label, other.probability - probability]] : []
    }),
  )
  const agree = a.decision.label === b.decision.label
  return { a, b, agree, deltas, note: whyNotComparable(a.heatmap, b.heatmap) }
}

function whyNotComparable(a: Prediction['heatmap'], b: Prediction['heatmap']): string | null {
  if (!a || !b) return 'There are no two heatmaps to compare.'
  if (a.method !== b.method) {
    return `The heatmaps were made in different ways (${a.method} and ${b.method}), so they cannot be compared.`
  }
  if (a.target !== b.target) {
    return `The heatmaps explain different classes (${a.target} and ${b.target}), so they cannot be compared.`
  }
  return null
}
