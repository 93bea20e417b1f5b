// One image read by two versions of a condition, so that they can be held against each other.

import { compareDiagnoses } from '../../inference/compare.ts'
import { getCondition } from '../../registry/conditions/conditions.ts'
import type { Prediction } from '../../registry/predictions/predictions.ts'
import { type ReadingRequest, readWithVersion } from '../diagnosis/diagnose-image.ts'
import type { Shadow } from '../diagnosis/shadow.ts'
import type { Uses } from '../services.ts'

export interface ComparingRequest extends Omit<ReadingRequest, 'version'> {
  readonly a: string
  readonly b: string
}

export interface Comparing {
  readonly a: Prediction
  readonly b: Prediction
  /** The same decision label. */
  readonly agree: boolean
  /** label: calibrated probability of b minus that of a */
  readonly deltas: Readonly<Record<string, number>>
  /** Why the two heatmaps cannot be held against each other, if so. */
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
  request: ComparingRequest,
): Promise<Comparing> {
  const { a, b, ...rest } = request
  const { kind, classes } = await getCondition(services.db, request.condition)
  const finding = kind === 'binary' ? classes.find((one) => one.positive)?.label : undefined
  const wanted = request.target ?? finding
  const first = await readWithVersion(services, { ...rest, version: a, target: wanted })
  const target = wanted ?? first.prediction.decision.label
  const second = await readWithVersion(services, { ...rest, version: b, target })
  const { agree, deltas, note } = compareDiagnoses(first.diagnosis, second.diagnosis)
  return { a: first.prediction, b: second.prediction, agree, deltas, note }
}

/** The same from two stored predictions, for the permanent address of a comparison. */
export function comparePredictions(a: Prediction, b: Prediction): Comparing {
  const deltas: Record<string, number> = {}
  for (const { label, probability } of a.classes) {
    const other = b.classes.find((one) => one.label === label)
    if (other) deltas[label] = other.probability - probability
  }
  const maps = a.heatmap && b.heatmap
  const differs =
    maps && (a.heatmap.method !== b.heatmap.method || a.heatmap.target !== b.heatmap.target)
  return {
    a,
    b,
    agree: a.decision.label === b.decision.label,
    deltas,
    note: differs ? 'The heatmaps explain different classes or were made in different ways.' : null,
  }
}
