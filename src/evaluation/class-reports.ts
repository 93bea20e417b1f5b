// One label against the rest: rates with Wilson's intervals, area with DeLong's, F1 and average precision with bootstrap's.
import type { ClassLabel } from '../package/schema.ts'
import type { Estimate, Interval } from '../statistics/bootstrap.ts'
import type { Ranked } from '../statistics/placements.ts'
import { binaryRates, countOutcomes, type Rate } from '../statistics/rates.ts'
import { type AreaUnderCurve, areaUnderCurve, averagePrecision } from '../statistics/roc.ts'
import { type TestAnswer, truthByClass } from './answers.ts'
import { columnsOf, rankedColumn } from './operating-points.ts'
import type { Outputs } from './probabilities.ts'

export interface ClassReport {
  readonly label: string
  readonly positive: boolean
  readonly support: number
  /** Positive predictive value. */
  readonly precision: Rate
  /** Sensitivity. */
  readonly recall: Rate
  readonly specificity: Rate
  readonly npv: Rate
  readonly f1: number | null
  readonly f1Interval: Interval | null
  readonly area: AreaUnderCurve | null
  readonly averagePrecision: number | null
  readonly averagePrecisionInterval: Interval | null
}

/** What is measured for one class: what was said, what is so, and how the images are ranked. */
export interface ClassView {
  readonly label: string
  readonly positive: boolean
  readonly said: readonly boolean[]
  readonly is: readonly boolean[]
  readonly ranked: Ranked
}

export function classViews(
  test: Outputs,
  o: {
    readonly classes: readonly ClassLabel[]
    readonly answers: readonly TestAnswer[]
    /** Of each answer, in the order of the classes. */
    readonly said: readonly (readonly boolean[])[]
    readonly temperature: number
  },
): ClassView[] {
  const { classes, answers, said, temperature } = o
  const truth = test.truth.map((row) => truthByClass(row, classes))
  const columns = columnsOf(test.kind, classes)
  return classes.map(({ label, positive }, k) => {
    const is = truth.map((row) => row[k] === true)
    const column = columns.find((one) => one.label === label)?.column
    const ranked =
      column === undefined
        ? { scores: answers.map((one) => one.scores[k]?.probability ?? 0), positives: is }
        : rankedColumn(test, { column, temperature })
    return { label, positive, said: said.map((row) => row[k] === true), is, ranked }
  })
}

export function classReport(
  { label, positive, said, is, ranked }: ClassView,
  drawn: { readonly f1: Estimate; readonly averagePrecision: Estimate },
): ClassReport {
  const rates = binaryRates(countOutcomes(said, is))
  return {
    label,
    positive,
    support: is.filter(Boolean).length,
    precision: rates.ppv,
    recall: rates.sensitivity,
    specificity: rates.specificity,
    npv: rates.npv,
    f1: rates.f1,
    f1Interval: drawn.f1.interval,
    area: areaUnderCurve(ranked),
    averagePrecision: averagePrecision(ranked),
    averagePrecisionInterval: drawn.averagePrecision.interval,
  }
}
