// What an operating point costs: sensitivity and specificity that its thresholds give, for any finding and label by label.
import type { Calibration, ClassLabel, OperatingPoint } from '../package/schema.ts'
import { type BinaryRates, binaryRates, countOutcomes, type Rate } from '../statistics/rates.ts'
import { answersOf, findingRates, saidByClass, truthByClass } from './answers.ts'
import type { Outputs } from './probabilities.ts'

export interface PointReport {
  readonly name: string
  readonly thresholds: OperatingPoint['thresholds']
  /** Of any finding. */
  readonly test: BinaryRates
  /** Each label that has a threshold, against the rest. */
  readonly labels: readonly {
    readonly label: string
    readonly sensitivity: Rate
    readonly specificity: Rate
  }[]
}

export function pointReport(
  outputs: Outputs,
  o: {
    readonly classes: readonly ClassLabel[]
    readonly calibration: Calibration | null
    readonly point: OperatingPoint
  },
): PointReport {
  const { classes, point } = o
  const answers = answersOf(outputs, o)
  const said = answers.map((one) => saidByClass(one, { classes, kind: outputs.kind }))
  const is = outputs.truth.map((row) => truthByClass(row, classes))
  const labels = classes.flatMap(({ label }, k) => {
    if (!Object.hasOwn(point.thresholds, label)) return []
    const counts = countOutcomes(
      answers.map(
        ({ decision }, at) =>
          decision.findings.find((one) => one.label === label)?.positive ?? said[at]?.[k] === true,
      ),
      is.map((row) => row[k] === true),
    )
    const { sensitivity, specificity } = binaryRates(counts)
    return [{ label, sensitivity, specificity }]
  })
  const { name, thresholds } = point
  return { name, thresholds, test: findingRates(outputs, answers, classes), labels }
}
