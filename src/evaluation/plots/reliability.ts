// Does "80%" come true in 80 of 100? Predicted against observed, before and after calibration, with how many images stand
// behind each point.

import { wilsonInterval } from '../../statistics/wilson.ts'
import type { ReliabilityBin } from '../probabilities.ts'
import { type Axes, type Box, drawAxes, ruleLine } from './axes.ts'
import { el, type Plot, type PlotNode, place, text } from './node.ts'
import { linePath, marker, type Place, type SeriesStyle, sample, seriesStyle } from './series.ts'

export interface Reliability {
  readonly bins: readonly ReliabilityBin[]
  /** Expected calibration error, and its 95% interval. */
  readonly ece: number
  readonly eceInterval?: readonly [number, number] | null
  readonly brier: number
}

export interface ReliabilityInput {
  readonly raw: Reliability
  /** Null when calibration changes nothing. */
  readonly calibrated: Reliability | null
  /** Of which probability it is. */
  readonly of: 'the finding' | 'the predicted class' | 'each label'
}

const SIDE = 250
const BOX: Box = { left: 50, top: 10, width: SIDE, height: SIDE }
const BARS: Box = { left: 50, top: SIDE + 52, width: SIDE, height: 44 }
const BEFORE = seriesStyle(1)
const AFTER = seriesStyle(0)

export function reliabilityPlot({ raw, calibrated, of }: ReliabilityInput): Plot {
  const axes = drawAxes({
    box: BOX,
    x: { name: `predicted probability of ${of}`, domain: [0, 1] },
    y: { name: 'observed frequency', domain: [0, 1] },
  })
  const { x, y } = axes
  const shown = calibrated ?? raw
  const left = BOX.left + SIDE + 14
  const key = calibrated
    ? [
        ...keyEntry([left, 18], { style: BEFORE, hollow: true, name: 'before', one: raw }),
        ...keyEntry([left, 72], {
          style: AFTER,
          hollow: false,
          name: 'after calibration',
          one: calibrated,
        }),
      ]
    : keyEntry([left, 18], { style: AFTER, hollow: false, name: 'as predicted', one: raw })
  return {
    name: 'reliability',
    title: 'Reliability',
    description: calibrated
      ? `expected calibration error ${raw.ece.toFixed(3)} before and ${calibrated.ece.toFixed(3)} after calibration`
      : `expected calibration error ${raw.ece.toFixed(3)}`,
    width: left + 140,
    height: BARS.top + BARS.height + 24,
    body: [
      ...axes.nodes,
      ruleLine([x(0), y(0)], [x(1), y(1)]),
      ...(calibrated ? drawSeries(raw, { axes, style: BEFORE, hollow: true }) : []),
      ...drawSeries(shown, { axes, style: AFTER, hollow: false }),
      ...key,
      text('bars: 95% interval', [left, calibrated ? 132 : 78], { size: 8, faint: true }),
      ...drawCounts(shown.bins, axes),
    ],
  }
}

function keyEntry(
  [x, y]: Place,
  o: {
    readonly style: SeriesStyle
    readonly hollow: boolean
    readonly name: string
    readonly one: Reliability
  },
): PlotNode[] {
  const { ece, eceInterval, brier } = o.one
  const interval = eceInterval && `(${eceInterval[0].toFixed(3)} to ${eceInterval[1].toFixed(3)})`
  return [
    ...sample([x, y], o.style, o.hollow),
    text(o.name, [x + 32, y + 3.5], { bold: true }),
    text(`ECE ${ece.toFixed(3)}`, [x + 32, y + 16], { size: 9 }),
    ...(interval ? [text(interval, [x + 32, y + 27], { size: 8, faint: true })] : []),
    text(`Brier ${brier.toFixed(3)}`, [x + 32, y + (interval ? 39 : 28)], { size: 9 }),
  ]
}

function drawSeries(
  { bins }: Reliability,
  o: { readonly axes: Axes; readonly style: SeriesStyle; readonly hollow: boolean },
): PlotNode[] {
  const { axes, style, hollow } = o
  const known = bins.flatMap(({ predicted, observed, count }) =>
    predicted === null || observed === null ? [] : [{ predicted, observed, count }],
  )
  const points = known.map((one): Place => [axes.x(one.predicted), axes.y(one.observed)])
  return [
    // Of the one that answers; two sets of bars would cover each other.
    ...(hollow ? [] : known.map((one) => intervalBar(one, { axes, style }))),
    linePath(points, { style, width: 1.4 }),
    ...points.map((point) => marker(point, { style, hollow, area: 30 })),
  ]
}

function intervalBar(
  one: { readonly predicted: number; readonly observed: number; readonly count: number },
  { axes, style }: { readonly axes: Axes; readonly style: SeriesStyle },
): PlotNode {
  const [low, high] = wilsonInterval(one.observed * one.count, one.count)
  const x = place(axes.x(one.predicted))
  return el('line', {
    class: `plot-line ${style.name}`,
    x1: x,
    x2: x,
    y1: place(axes.y(low)),
    y2: place(axes.y(high)),
    stroke: style.colour,
    'stroke-width': 1,
    'stroke-opacity': 0.55,
  })
}

/** How many probabilities fell in each bin. */
function drawCounts(bins: readonly ReliabilityBin[], { x }: Axes): PlotNode[] {
  const most = Math.max(1, ...bins.map(({ count }) => count))
  const bottom = BARS.top + BARS.height
  return [
    ...bins.map(({ from, to, count }) =>
      el('rect', {
        class: 'plot-bar',
        x: place(x(from) + 1),
        y: place(bottom - (count / most) * BARS.height),
        width: place(x(to) - x(from) - 2),
        height: place((count / most) * BARS.height),
        fill: '#8a959e',
      }),
    ),
    el('line', {
      class: 'plot-frame',
      x1: BARS.left,
      x2: BARS.left + SIDE,
      y1: bottom,
      y2: bottom,
      stroke: '#5c6670',
      'stroke-width': 0.8,
    }),
    text(String(most), [BARS.left - 6, BARS.top + 7], { size: 9, anchor: 'end' }),
    text('0', [BARS.left - 6, bottom + 1], { size: 9, anchor: 'end' }),
    text('images per bin', [BARS.left + SIDE / 2, bottom + 14], {
      size: 9,
      anchor: 'middle',
      faint: true,
    }),
  ]
}
