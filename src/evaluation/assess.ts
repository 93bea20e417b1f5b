// Outputs on labelled images, with calibration and thresholds that are already chosen -> every figure that is reported,
// with 95% intervals. The same for a fresh model on its test split and for any version on images from elsewhere.
import type { Calibration, ClassLabel, Metrics, OperatingPoint } from '../package/schema.ts'
import type { Estimate, Interval } from '../statistics/bootstrap.ts'
import { type BinaryRates, type Rate, rate } from '../statistics/rates.ts'
import { answersOf, findingRates, saidByClass, type TestAnswer, truthByClass } from './answers.ts'
import { type ClassReport, type ClassView, classReport, classViews } from './class-reports.ts'
import { drawIntervals, type MacroEstimates, meanOfKnown } from './intervals.ts'
import { type PointReport, pointReport } from './point-reports.ts'
import {
  brierScore,
  expectedCalibrationError,
  negativeLogLikelihood,
  type Outputs,
  type ReliabilityBin,
  reliability,
} from './probabilities.ts'

export interface AssessmentInput {
  readonly classes: readonly ClassLabel[]
  readonly outputs: Outputs
  /** Fingerprint of the images. */
  readonly testSet: string
  readonly calibration: Calibration | null
  readonly points: readonly OperatingPoint[]
  /** The one that the figures are for. */
  readonly point: OperatingPoint
  /** Patient or lesion of each image, where known: intervals draw those together. */
  readonly groups?: readonly (string | null)[] | undefined
}

export interface QualityReport {
  readonly nll: number
  readonly ece: number
  readonly eceInterval: Interval | null
  readonly brier: number
  readonly brierInterval: Interval | null
  readonly bins: readonly ReliabilityBin[]
}

export interface Assessment {
  /** At the operating point that the figures are for. */
  readonly metrics: Metrics
  readonly accuracy: Rate
  readonly balancedAccuracy: Estimate
  /** "A positive class was named" against "a positive class is there". */
  readonly finding: BinaryRates
  readonly macro: MacroEstimates
  readonly classes: readonly ClassReport[]
  readonly points: readonly PointReport[]
  /** Rows: truth, columns: answer, in the order of the classes; null for multi-label. */
  readonly confusion: readonly (readonly number[])[] | null
  readonly quality: Readonly<Record<'raw' | 'calibrated', QualityReport>>
  /** What the intervals without a formula draw again. */
  readonly resampled: 'images' | 'patients'
  /** One for each image, in their order. */
  readonly answers: readonly TestAnswer[]
}

export function assess(o: AssessmentInput): Assessment {
  const { classes, outputs, calibration, point, groups } = o
  const { kind } = outputs
  const temperature = calibration?.temperature ?? 1
  const answers = answersOf(outputs, { classes, calibration, point })
  const said = answers.map((one) => saidByClass(one, { classes, kind }))
  const views = classViews(outputs, { classes, answers, said, temperature })
  const finding = findingRates(outputs, answers, classes)
  const drawn = drawIntervals({
    test: outputs,
    views,
    finding: anyFinding({ classes, outputs, answers }),
    temperature,
    groups,
  })
  const reports = views.map((view, k) =>
    classReport(view, drawn.classes[k] ?? { f1: UNKNOWN, averagePrecision: UNKNOWN }),
  )
  const accuracy = rate(
    said.filter((row, at) => row.every((one, k) => one === views[k]?.is[at])).length,
    answers.length,
  )
  const quality = (state: 'raw' | 'calibrated', at: number): QualityReport => ({
    ...qualityOf(outputs, at),
    eceInterval: drawn.ece[state].interval,
    brierInterval: drawn.brier[state].interval,
  })
  return {
    metrics: {
      accuracy: accuracy.value,
      balancedAccuracy:
        kind === 'single-label'
          ? meanOfKnown(reports.map((one) => one.recall.value))
          : finding.balancedAccuracy,
      auc: meanOfKnown(
        reports
          .filter((one) => kind !== 'binary' || one.positive)
          .map((one) => one.area?.auc ?? null),
      ),
      sensitivity: finding.sensitivity.value,
      specificity: finding.specificity.value,
      f1: kind === 'binary' ? finding.f1 : meanOfKnown(reports.map((one) => one.f1)),
      n: answers.length,
      testSet: o.testSet,
    },
    accuracy,
    balancedAccuracy: drawn.balancedAccuracy,
    finding,
    macro: drawn.macro,
    classes: reports,
    points: o.points.map((one) => pointReport(outputs, { classes, calibration, point: one })),
    confusion: kind === 'multi-label' ? null : confusionOf(views),
    quality: { raw: quality('raw', 1), calibrated: quality('calibrated', temperature) },
    resampled: groups?.some((group) => group !== null) ? 'patients' : 'images',
    answers,
  }
}

const UNKNOWN: Estimate = { value: null, interval: null }

function anyFinding(o: {
  readonly classes: readonly ClassLabel[]
  readonly outputs: Outputs
  readonly answers: readonly TestAnswer[]
}) {
  const { classes, outputs, answers } = o
  return {
    said: answers.map(({ decision }) => decision.positive),
    is: outputs.truth.map((row) =>
      truthByClass(row, classes).some((is, k) => is && classes[k]?.positive),
    ),
  }
}

function confusionOf(views: readonly ClassView[]): number[][] {
  return views.map((truth) =>
    views.map(({ said }) => said.filter((one, at) => one && truth.is[at]).length),
  )
}

function qualityOf(outputs: Outputs, temperature: number) {
  const bins = reliability(outputs, temperature)
  return {
    nll: negativeLogLikelihood(outputs, temperature),
    ece: expectedCalibrationError(bins),
    brier: brierScore(outputs, temperature),
    bins,
  }
}
