// What a model says about labelled images, decided by the very code that serves, and when that is right.
import { type Decision, decide } from '../inference/decide.ts'
import { type ClassScore, scores } from '../inference/scores.ts'
import type { Calibration, ClassLabel, ConditionKind, OperatingPoint } from '../package/schema.ts'
import { type BinaryRates, binaryRates, countOutcomes } from '../statistics/rates.ts'
import type { Outputs } from './probabilities.ts'

export interface TestAnswer {
  readonly scores: readonly ClassScore[]
  readonly decision: Decision
}

export interface AnsweringRule {
  readonly classes: readonly ClassLabel[]
  readonly calibration: Calibration | null
  readonly point: OperatingPoint
}

/** One answer for each image, in their order. */
export function answersOf(outputs: Outputs, rule: AnsweringRule): TestAnswer[] {
  const { kind } = outputs
  const { classes, calibration, point } = rule
  return outputs.logits.map((row) => {
    const raw = { logits: Float32Array.from(row), probabilities: null }
    const found = scores({ kind, classes, raw, calibration })
    return {
      scores: found,
      decision: decide({ kind, classes, scores: found, operatingPoint: point }),
    }
  })
}

/** Truth of each class, also for binary, whose row holds the positive class only. */
export function truthByClass(row: readonly number[], classes: readonly ClassLabel[]): boolean[] {
  if (row.length === classes.length) return row.map((value) => value === 1)
  return classes.map(({ positive }) => positive === (row[0] === 1))
}

/** A class is said when it is named; of a multi-label answer every finding is. */
export function saidByClass(
  { decision }: TestAnswer,
  o: { readonly classes: readonly ClassLabel[]; readonly kind: ConditionKind },
): boolean[] {
  return o.classes.map(({ label }) => {
    if (o.kind !== 'multi-label') return decision.label === label
    const finding = decision.findings.find((one) => one.label === label)
    return finding?.positive ?? decision.label === label
  })
}

/** "A positive class was named" against "a positive class is there". */
export function findingRates(
  outputs: Outputs,
  answers: readonly TestAnswer[],
  classes: readonly ClassLabel[],
): BinaryRates {
  const truth = outputs.truth.map((row) =>
    truthByClass(row, classes).some((is, k) => is && classes[k]?.positive),
  )
  return binaryRates(
    countOutcomes(
      answers.map(({ decision }) => decision.positive),
      truth,
    ),
  )
}
