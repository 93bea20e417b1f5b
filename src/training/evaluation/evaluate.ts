// Outputs on the calibration and the test split -> everything that is reported about a model: calibration and thresholds
// from the former, figures with intervals from the latter, decided by the very code that serves.
import { type Decision, decide } from '../../inference/decide.ts'
import { type ClassScore, scores } from '../../inference/scores.ts'
import type {
  Calibration,
  ClassLabel,
  ConditionKind,
  Metrics,
  OperatingPoint,
} from '../../package/schema.ts'
import {
  chooseOperatingPoints,
  columnsOf,
  DEFAULT_POINT,
  rankedColumn,
} from './operating-points.ts'
import {
  brierScore,
  expectedCalibrationError,
  negativeLogLikelihood,
  type Outputs,
  type ReliabilityBin,
  reliability,
} from './probabilities.ts'
import { type BinaryRates, binaryRates, countOutcomes, type Rate, rate } from './rates.ts'
import { type AreaUnderCurve, areaUnderCurve, averagePrecision, mean } from './roc.ts'
import { calibrate } from './temperature.ts'

export interface EvaluationInput {
  readonly classes: readonly ClassLabel[]
  readonly calibration: Outputs
  readonly test: Outputs
  /** Fingerprint of the test images. */
  readonly testSet: string
}

/** One label against the rest. */
export interface ClassReport {
  readonly label: string
  readonly positive: boolean
  readonly support: number
  readonly precision: Rate
  readonly recall: Rate
  readonly specificity: Rate
  readonly f1: number | null
  readonly area: AreaUnderCurve | null
  readonly averagePrecision: number | null
}

export interface TestAnswer {
  readonly scores: readonly ClassScore[]
  readonly decision: Decision
}

export interface PointReport {
  readonly name: string
  readonly thresholds: OperatingPoint['thresholds']
  /** Where the thresholds were chosen; optimistic. */
  readonly calibration: BinaryRates
  readonly test: BinaryRates
}

export interface Evaluation {
  readonly calibration: Calibration | null
  readonly operatingPoints: readonly OperatingPoint[]
  readonly defaultOperatingPoint: string
  /** At the default operating point, on the test split. */
  readonly metrics: Metrics
  readonly accuracy: Rate
  /** "A positive class was named" against "a positive class is there". */
  readonly finding: BinaryRates
  readonly classes: readonly ClassReport[]
  readonly points: readonly PointReport[]
  /** Rows: truth, columns: answer, in the order of the classes; null for multi-label. */
  readonly confusion: readonly (readonly number[])[] | null
  readonly quality: Readonly<Record<'raw' | 'calibrated', QualityReport>>
  /** One for each test image, in their order. */
  readonly answers: readonly TestAnswer[]
}

export interface QualityReport {
  readonly nll: number
  readonly ece: number
  readonly brier: number
  readonly bins: readonly ReliabilityBin[]
}

export function evaluate(o: EvaluationInput): Evaluation {
  const { classes, test } = o
  const { kind } = test
  const calibration = calibrate(o.calibration)
  const temperature = calibration?.temperature ?? 1
  const chosen = chooseOperatingPoints(o.calibration, { classes, temperature })
  const points = chosen.map((point) => {
    const rates = (outputs: Outputs) =>
      findingRates(outputs, answer(outputs, { classes, calibration, point }), classes)
    const { name, thresholds } = point
    return { name, thresholds, calibration: rates(o.calibration), test: rates(test) }
  })
  const operatingPoints = chosen.map((point, at) => ({
    ...point,
    sensitivity: points[at]?.test.sensitivity.value ?? null,
    specificity: points[at]?.test.specificity.value ?? null,
  }))
  const defaultOperatingPoint = DEFAULT_POINT[kind]
  const point =
    chosen.find(({ name }) => name === defaultOperatingPoint) ?? (chosen[0] as OperatingPoint)
  const answers = answer(test, { classes, calibration, point })
  const reports = classReports(test, { classes, answers, temperature })
  const finding = findingRates(test, answers, classes)
  const accuracy = rate(
    answers.filter((one, at) => isRight(one, { row: test.truth[at] ?? [], classes, kind })).length,
    answers.length,
  )
  return {
    calibration,
    operatingPoints,
    defaultOperatingPoint,
    metrics: {
      accuracy: accuracy.value,
      balancedAccuracy:
        kind === 'single-label'
          ? meanOf(reports.map((one) => one.recall.value))
          : finding.balancedAccuracy,
      auc: meanOf(
        reports
          .filter((one) => kind !== 'binary' || one.positive)
          .map((one) => one.area?.auc ?? null),
      ),
      sensitivity: finding.sensitivity.value,
      specificity: finding.specificity.value,
      f1: kind === 'binary' ? finding.f1 : meanOf(reports.map((one) => one.f1)),
      n: answers.length,
      testSet: o.testSet,
    },
    accuracy,
    finding,
    classes: reports,
    points,
    confusion: kind === 'multi-label' ? null : confusionOf(answers, { classes, test }),
    quality: { raw: qualityOf(test, 1), calibrated: qualityOf(test, temperature) },
    answers,
  }
}

function answer(
  outputs: Outputs,
  o: {
    readonly classes: readonly ClassLabel[]
    readonly calibration: Calibration | null
    readonly point: OperatingPoint
  },
): TestAnswer[] {
  const { kind } = outputs
  const { classes, calibration, point } = o
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
function saidByClass(
  { decision }: TestAnswer,
  o: { readonly classes: readonly ClassLabel[]; readonly kind: ConditionKind },
): boolean[] {
  return o.classes.map(({ label }) => {
    if (o.kind !== 'multi-label') return decision.label === label
    const finding = decision.findings.find((one) => one.label === label)
    return finding?.positive ?? decision.label === label
  })
}

function isRight(
  one: TestAnswer,
  o: {
    readonly row: readonly number[]
    readonly classes: readonly ClassLabel[]
    readonly kind: ConditionKind
  },
): boolean {
  const is = truthByClass(o.row, o.classes)
  return saidByClass(one, o).every((said, k) => said === is[k])
}

function findingRates(
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

function classReports(
  test: Outputs,
  o: {
    readonly classes: readonly ClassLabel[]
    readonly answers: readonly TestAnswer[]
    readonly temperature: number
  },
): ClassReport[] {
  const { classes, answers, temperature } = o
  const said = answers.map((one) => saidByClass(one, { classes, kind: test.kind }))
  const is = test.truth.map((row) => truthByClass(row, classes))
  const columns = columnsOf(test.kind, classes)
  return classes.map(({ label, positive }, k) => {
    const truth = is.map((row) => row[k] === true)
    const rates = binaryRates(
      countOutcomes(
        said.map((row) => row[k] === true),
        truth,
      ),
    )
    const column = columns.find((one) => one.label === label)?.column
    const ranked =
      column === undefined
        ? { scores: answers.map((one) => one.scores[k]?.probability ?? 0), positives: truth }
        : rankedColumn(test, { column, temperature })
    return {
      label,
      positive,
      support: truth.filter(Boolean).length,
      precision: rates.ppv,
      recall: rates.sensitivity,
      specificity: rates.specificity,
      f1: rates.f1,
      area: areaUnderCurve(ranked),
      averagePrecision: averagePrecision(ranked),
    }
  })
}

function confusionOf(
  answers: readonly TestAnswer[],
  { classes, test }: { readonly classes: readonly ClassLabel[]; readonly test: Outputs },
): number[][] {
  const truth = test.truth.map((row) => truthByClass(row, classes).indexOf(true))
  return classes.map((_, row) =>
    classes.map(
      ({ label }) =>
        answers.filter((one, at) => truth[at] === row && one.decision.label === label).length,
    ),
  )
}

function qualityOf(outputs: Outputs, temperature: number): QualityReport {
  const bins = reliability(outputs, temperature)
  return {
    nll: negativeLogLikelihood(outputs, temperature),
    ece: expectedCalibrationError(bins),
    brier: brierScore(outputs, temperature),
    bins,
  }
}

function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : mean(known)
}
