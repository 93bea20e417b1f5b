// Which plots a result has. The figures come from an assessment or, the same, from the stored files of a package.
import type { ConditionKind } from '../../package/schema.ts'
import type { Assessment } from '../assess.ts'
import type { ClassReport } from '../class-reports.ts'
import { type ClassCurve, classCurves } from '../curves.ts'
import type { Outputs } from '../probabilities.ts'
import { type Confusion, confusionMatrix, type LabelCounts } from './confusion-matrix.ts'
import type { Plot } from './node.ts'
import { type OperatingMark, precisionRecallPlot, rocPlot } from './ranking-curves.ts'
import { type Reliability, reliabilityPlot } from './reliability.ts'
import { accuracyCurve, lossCurve, type TrainingCurves, trainingCurves } from './training-curves.ts'

/** All that the plots of a result need; small enough to be kept in a row of the registry. */
export interface ResultFigures {
  readonly kind: ConditionKind
  readonly confusion: Confusion
  readonly curves: readonly ClassCurve[]
  readonly marks: readonly OperatingMark[]
  readonly raw: Reliability
  readonly calibrated: Reliability | null
}

/** Curves are drawn on some 250 points of paper: more corners than this cannot be seen. */
const MAX_CORNERS = 400

export function figuresOf(
  assessed: Pick<Assessment, 'classes' | 'confusion' | 'points' | 'quality'>,
  o: { readonly outputs: Outputs; readonly temperature: number | null },
): ResultFigures {
  const { classes, confusion, points, quality } = assessed
  const { kind } = o.outputs
  const curves = classCurves(o.outputs, { classes, temperature: o.temperature ?? 1 })
  return {
    kind,
    confusion: {
      labels: classes.map(({ label }) => label),
      matrix: confusion,
      perLabel: kind === 'multi-label' ? classes.map(countsOf) : [],
    },
    curves: curves
      .filter(({ positive }) => kind !== 'binary' || positive)
      .map((curve) => ({ ...curve, roc: thinned(curve.roc), pr: thinned(curve.pr) })),
    marks:
      kind !== 'binary'
        ? []
        : points.flatMap(({ name, test: { sensitivity, specificity } }) =>
            sensitivity.value === null || specificity.value === null
              ? []
              : [{ name, sensitivity: sensitivity.value, specificity: specificity.value }],
          ),
    raw: quality.raw,
    calibrated: o.temperature === null || o.temperature === 1 ? null : quality.calibrated,
  }
}

/** The four counts behind the rates of a class. */
function countsOf({ label, recall, specificity }: ClassReport): LabelCounts {
  const tp = Math.round((recall.value ?? 0) * recall.n)
  const tn = Math.round((specificity.value ?? 0) * specificity.n)
  return { label, tp, fn: recall.n - tp, tn, fp: specificity.n - tn }
}

/** Without corners that a reader cannot see, and those on a straight line; the ends stay. */
function thinned(points: ClassCurve['roc']): ClassCurve['roc'] {
  const apart = points.length > MAX_CORNERS ? 2 / MAX_CORNERS : 0
  const kept: ClassCurve['roc'][number][] = []
  points.forEach(([x, y], at) => {
    const isEnd = at === 0 || at === points.length - 1
    const [beforeX, beforeY] = kept.at(-1) ?? [x, y]
    if (!isEnd && Math.hypot(x - beforeX, y - beforeY) < apart) return
    const [third, second] = [kept.at(-2), kept.at(-1)]
    const isStraight =
      (third?.[0] === second?.[0] && second?.[0] === rounded(x)) ||
      (third?.[1] === second?.[1] && second?.[1] === rounded(y))
    if (third && second && isStraight) kept.pop()
    kept.push([rounded(x), rounded(y)])
  })
  return kept
}

/** A twentieth of a point on paper. */
function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4
}

const PROBABILITY_OF = {
  binary: 'the finding',
  'single-label': 'the predicted class',
  'multi-label': 'each label',
} as const

/** Confusion, ROC, precision-recall and reliability. */
export function resultPlots(figures: ResultFigures): Plot[] {
  const { kind, confusion, curves, marks, raw, calibrated } = figures
  return [
    confusionMatrix(confusion),
    rocPlot({ curves, marks }),
    precisionRecallPlot({ curves }),
    reliabilityPlot({ raw, calibrated, of: PROBABILITY_OF[kind] }),
  ]
}

/** Loss and accuracy by epoch, together and each by itself; none without an epoch. */
export function historyPlots(curves: TrainingCurves): Plot[] {
  if (curves.history.length === 0) return []
  return [trainingCurves(curves), lossCurve(curves), accuracyCurve(curves)]
}
