// Outputs on the calibration and the test split -> everything that is reported about a fresh model: calibration and
// thresholds from the former, figures with intervals from the latter.
import type { Calibration, ClassLabel, OperatingPoint } from '../package/schema.ts'
import type { BinaryRates } from '../statistics/rates.ts'
import { answersOf, findingRates } from './answers.ts'
import { type Assessment, assess } from './assess.ts'
import { chooseOperatingPoints, DEFAULT_POINT } from './operating-points.ts'
import type { PointReport } from './point-reports.ts'
import type { Outputs } from './probabilities.ts'
import { calibrate } from './temperature.ts'

export interface EvaluationInput {
  readonly classes: readonly ClassLabel[]
  readonly calibration: Outputs
  readonly test: Outputs
  /** Fingerprint of the test images. */
  readonly testSet: string
  /** Patient or lesion of each test image, where known. */
  readonly testGroups?: readonly (string | null)[]
}

export interface Evaluation extends Omit<Assessment, 'points'> {
  readonly calibration: Calibration | null
  readonly operatingPoints: readonly OperatingPoint[]
  readonly defaultOperatingPoint: string
  readonly points: readonly (PointReport & {
    /** Where the thresholds were chosen; optimistic. */
    readonly calibration: BinaryRates
  })[]
}

export function evaluate(o: EvaluationInput): Evaluation {
  const { classes, test } = o
  const calibration = calibrate(o.calibration)
  const temperature = calibration?.temperature ?? 1
  const chosen = chooseOperatingPoints(o.calibration, { classes, temperature })
  const defaultOperatingPoint = DEFAULT_POINT[test.kind]
  const point =
    chosen.find(({ name }) => name === defaultOperatingPoint) ?? (chosen[0] as OperatingPoint)
  const assessed = assess({
    classes,
    outputs: test,
    testSet: o.testSet,
    calibration,
    points: chosen,
    point,
    groups: o.testGroups,
  })
  return {
    ...assessed,
    calibration,
    defaultOperatingPoint,
    operatingPoints: chosen.map((one, at) => ({
      ...one,
      sensitivity: assessed.points[at]?.test.sensitivity.value ?? null,
      specificity: assessed.points[at]?.test.specificity.value ?? null,
    })),
    points: assessed.points.map((report, at) => {
      const rule = { classes, calibration, point: chosen[at] ?? point }
      const answers = answersOf(o.calibration, rule)
      return { ...report, calibration: findingRates(o.calibration, answers, classes) }
    }),
  }
}
