// The raw outputs of a graph as one score for each class of the condition: logit, uncalibrated and calibrated
// probability. Which of them makes a finding: decide.ts.
import { AppError } from '../errors.ts'
import type { Calibration, ClassLabel, ConditionKind } from '../package/schema.ts'
import { calibratedProbabilities, logitsFromProbabilities } from './calibrate.ts'
import type { RawScores } from './host/raw-output.ts'

export interface ClassScore {
  readonly label: string
  /** Calibrated, 0..1. Equal to `uncalibrated` when the version has no calibration. */
  readonly probability: number
  readonly uncalibrated: number
  /** Null when the graph gives probabilities only. Binary: z and -z. */
  readonly logit: number | null
}

export interface ScoresInput {
  readonly kind: ConditionKind
  readonly classes: readonly ClassLabel[]
  readonly raw: RawScores
  readonly calibration: Calibration | null
}

/** Which of a binary condition's two classes a single output stands for: the positive one, else the last. */
export function positiveIndex(classes: readonly ClassLabel[]): number {
  const index = classes.findIndex((one) => one.positive)
  return index === -1 ? classes.length - 1 : index
}

/**
 * One score for each class, in the condition's order.
 * Binary gives p and 1 - p; single-label sums to 1; multi-label labels are independent.
 * @throws AppError `internal` when the graph gave the wrong number of values or one that is not finite
 */
export function scores({ kind, classes, raw, calibration }: ScoresInput): ClassScore[] {
  const given = [...(raw.logits ?? raw.probabilities ?? [])]
  const expected = kind === 'binary' && given.length === 1 ? 1 : classes.length
  if (given.length === 0 || given.length !== expected || !given.every(Number.isFinite)) {
    throw new AppError(
      'internal',
      'The model returned an invalid number, so there is no result for this image.',
      { cause: new Error(`${given.length} outputs for ${classes.length} classes: ${given}`) },
    )
  }
  const logits = raw.logits ? given : logitsFromProbabilities(kind, given)
  const plain = raw.logits
    ? calibratedProbabilities(kind, { logits, calibration: null })
    : given.map((p) => Math.min(1, Math.max(0, p)))
  const calibrated = calibration ? calibratedProbabilities(kind, { logits, calibration }) : plain
  return classes.map((one, index) => ({
    label: one.label,
    probability: perClass(calibrated, index),
    uncalibrated: perClass(plain, index),
    logit: raw.logits ? classLogit(logits, index) : null,
  }))

  function perClass(p: readonly number[], index: number): number {
    if (p.length > 1 || kind !== 'binary') return p[index] ?? 0
    const positive = p[0] ?? 0
    return index === positiveIndex(classes) ? positive : 1 - positive
  }

  /** Two-output binary graphs are put as one margin, so that z and -z hold for every binary version. */
  function classLogit(z: readonly number[], index: number): number {
    if (kind !== 'binary') return z[index] ?? 0
    const positive = positiveIndex(classes)
    const margin = z.length === 1 ? (z[0] ?? 0) : (z[positive] ?? 0) - (z[1 - positive] ?? 0)
    // 0 - margin, not -margin: a logit of zero is never written as -0.
    return index === positive ? margin : 0 - margin
  }
}
