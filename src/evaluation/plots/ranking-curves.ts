// ROC and precision-recall curves: of the finding of a binary condition, or of each class against the rest.
import type { ClassCurve, Point } from '../curves.ts'
import { type Axes, type Box, drawAxes, ruleLine, spread } from './axes.ts'
import { fitted, type Plot, type PlotNode, text, textWidth } from './node.ts'
import { linePath, marker, type Place, sample, seriesStyle } from './series.ts'

/** Where a named operating point lies on the ROC curve. */
export interface OperatingMark {
  readonly name: string
  readonly sensitivity: number
  readonly specificity: number
}

export interface RankingPlot {
  readonly curves: readonly ClassCurve[]
  /** Only shown with a single curve. */
  readonly marks?: readonly OperatingMark[]
}

/** One curve has room; several need more. */
const SIDE = { one: 250, several: 320 } as const
const KEY_ROW = 28
const KEY_WIDTH = 192

interface Way {
  readonly name: 'roc' | 'pr'
  readonly title: string
  readonly x: string
  readonly y: string
  readonly of: (curve: ClassCurve) => readonly Point[]
  readonly figure: (curve: ClassCurve) => number | null
  readonly words: (curve: ClassCurve) => string
}

const ROC: Way = {
  name: 'roc',
  title: 'ROC curve',
  x: '1 - specificity (false positive rate)',
  y: 'sensitivity',
  of: (curve) => curve.roc,
  figure: (curve) => curve.auc,
  words: ({ auc, aucInterval }) =>
    auc === null
      ? 'AUC unknown'
      : `AUC ${figure(auc)}${aucInterval ? ` (${figure(aucInterval[0])} to ${figure(aucInterval[1])})` : ''}`,
}

const PR: Way = {
  name: 'pr',
  title: 'Precision-recall curve',
  x: 'recall (sensitivity)',
  y: 'precision (PPV)',
  // Precision before the first hit is nought or undefined, and only a line along the axis.
  of: (curve) => curve.pr.filter(([recall], at) => at === 0 || recall > 0),
  figure: (curve) => curve.averagePrecision,
  words: ({ averagePrecision: ap, prevalence }) =>
    ap === null ? 'AP unknown' : `AP ${figure(ap)}; by chance ${figure(prevalence)}`,
}

export function rocPlot(input: RankingPlot): Plot {
  return draw(ROC, input)
}

export function precisionRecallPlot(input: RankingPlot): Plot {
  return draw(PR, { curves: input.curves })
}

function draw(way: Way, { curves, marks = [] }: RankingPlot): Plot {
  const [only, ...more] = curves
  const isAlone = only !== undefined && more.length === 0
  const side = isAlone ? SIDE.one : SIDE.several
  const box: Box = { left: 50, top: 10, width: side, height: side }
  const axes = drawAxes({
    box,
    x: { name: way.x, domain: [0, 1] },
    y: { name: way.y, domain: [0, 1] },
  })
  const body = isAlone
    ? drawOne(way, { curve: only, axes, marks })
    : drawSeveral(way, { curves, axes, box })
  const keyHeight = 20 + (isAlone ? 0 : curves.length * KEY_ROW)
  return {
    name: way.name,
    title: way.title,
    description: curves.map((curve) => `${curve.label} ${way.words(curve)}`).join('; '),
    width: isAlone ? side + 70 : box.left + side + 16 + KEY_WIDTH,
    height: Math.max(box.top + side + 40, keyHeight),
    body: [...axes.nodes, ...chance(way, axes), ...body],
  }
}

function chance(way: Way, { x, y }: Axes): PlotNode[] {
  return way === ROC ? [ruleLine([x(0), y(0)], [x(1), y(1)])] : []
}

function drawOne(
  way: Way,
  o: {
    readonly curve: ClassCurve
    readonly axes: Axes
    readonly marks: readonly OperatingMark[]
  },
): PlotNode[] {
  const { curve, marks } = o
  const { x, y } = o.axes
  const style = seriesStyle(0)
  // The corner that a good curve leaves free.
  const corner: Place = way === ROC ? [x(0.96), y(0.12)] : [x(0.04), y(0.12)]
  const anchor = way === ROC ? 'end' : 'start'
  const level = curve.prevalence
  return [
    ...(way === PR && curve.pr.length > 0
      ? [
          ruleLine([x(0), y(level)], [x(1), y(level)]),
          text('chance', [x(0.97), y(level) - 4], { size: 9, anchor: 'end', faint: true }),
        ]
      : []),
    linePath(scaled(way.of(curve), o.axes), { style, stepped: way === PR }),
    ...drawMarks(marks, o.axes),
    text(fitted(curve.label, SIDE.one * 0.85), corner, { bold: true, anchor }),
    text(way.words(curve), [corner[0], corner[1] + 14], { anchor }),
  ]
}

/** Each with its name to the lower right, below the curve, where nothing is drawn. */
function drawMarks(marks: readonly OperatingMark[], { x, y }: Axes): PlotNode[] {
  const placed = marks.map((mark) => ({
    name: mark.name === 'youden' ? 'Youden' : mark.name.replace('>=', ' ≥ '),
    at: [x(1 - mark.specificity), y(mark.sensitivity)] as Place,
  }))
  const levels = spread(
    placed.map(({ at }) => at[1] + 15),
    { gap: 13, low: y(0.97), high: y(0.2) },
  )
  return placed.flatMap(({ name, at }, k) => {
    const style = { ...seriesStyle(1), symbol: k % 7 }
    const left = Math.min(at[0] + 6, x(1) - textWidth(name, 9) - 2)
    return [marker(at, { style, area: 44 }), text(name, [left, levels[k] ?? at[1]], { size: 9 })]
  })
}

function drawSeveral(
  way: Way,
  o: { readonly curves: readonly ClassCurve[]; readonly axes: Axes; readonly box: Box },
): PlotNode[] {
  const { curves, axes, box } = o
  const ranked = curves
    .map((curve, at) => ({ curve, style: seriesStyle(at) }))
    .sort((a, b) => (way.figure(b.curve) ?? -1) - (way.figure(a.curve) ?? -1))
  const left = box.left + box.width + 14
  return [
    ...ranked.flatMap(({ curve, style }, at) => {
      const points = scaled(way.of(curve), axes)
      // A few markers each, at other places along each line, so that crossing lines can be told apart.
      const marked = [0.16, 0.42, 0.68].flatMap((start) => {
        const share = start + (0.22 * (at + 0.5)) / ranked.length
        const found = along(points, share, way === PR)
        return found ? [found] : []
      })
      return [
        linePath(points, { style, stepped: way === PR, width: 1.3 }),
        ...marked.map((point) => marker(point, { style, area: 26 })),
      ]
    }),
    ...ranked.flatMap(({ curve, style }, at) => {
      const y = box.top + 8 + at * KEY_ROW
      return [
        ...sample([left, y], style),
        text(fitted(curve.label, KEY_WIDTH - 34), [left + 32, y + 3.5], { bold: true }),
        text(way.words(curve), [left + 32, y + 15.5], { size: 9, faint: true }),
      ]
    }),
  ]
}

function scaled(points: readonly Point[], { x, y }: Axes): Place[] {
  return points.map(([a, b]) => [x(a), y(b)] as const)
}

/** The place at a share of the way; of a stepped line its nearest corner. */
function along(points: readonly Place[], share: number, stepped: boolean): Place | undefined {
  const lengths = points.map((point, at) => {
    const [x, y] = points[at - 1] ?? point
    return Math.hypot(point[0] - x, point[1] - y)
  })
  let left = share * lengths.reduce((sum, one) => sum + one, 0)
  for (const [at, length] of lengths.entries()) {
    const [from, to] = [points[at - 1], points[at]]
    if (from && to && left <= length) {
      if (stepped || length === 0) return to
      const part = left / length
      return [from[0] + part * (to[0] - from[0]), from[1] + part * (to[1] - from[1])]
    }
    left -= length
  }
  return points.at(-1)
}

/** Three decimals, never rounded to a perfection that it is not. */
function figure(value: number): string {
  if (value < 1 && value > 0.9995) return '>0.999'
  return value.toFixed(3)
}
