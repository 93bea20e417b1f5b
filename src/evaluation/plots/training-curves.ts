// Loss and accuracy by epoch, on the images that it trains on and on those that stop it.
import type { RunEpoch } from '../../registry/runs/run-record.ts'
import { type Box, drawAxes, ruleLine, spread } from './axes.ts'
import type { Plot, PlotNode } from './node.ts'
import { text } from './node.ts'
import { linePath, marker, type Place, seriesStyle } from './series.ts'

/** What is drawn of an epoch. */
export type PlottedEpoch = Pick<
  RunEpoch,
  'epoch' | 'trainLoss' | 'trainAccuracy' | 'valLoss' | 'valAccuracy'
>

export interface TrainingCurves {
  readonly history: readonly PlottedEpoch[]
  readonly bestEpoch: number | null
  /** Of all epochs; null or absent where it was not recorded. */
  readonly seconds?: number | null
}

interface Panel {
  readonly name: 'loss' | 'accuracy'
  readonly train: (one: PlottedEpoch) => number
  readonly val: (one: PlottedEpoch) => number
}

const PANELS: Readonly<Record<'loss' | 'accuracy', Panel>> = {
  loss: { name: 'loss', train: (one) => one.trainLoss, val: (one) => one.valLoss },
  accuracy: { name: 'accuracy', train: (one) => one.trainAccuracy, val: (one) => one.valAccuracy },
}
const WIDTH = 400
const HEIGHT = 280
/** Room at the right for the names of the lines. */
const BOX: Box = { left: 50, top: 16, width: 270, height: 220 }
const TRAIN = seriesStyle(1)
const VAL = seriesStyle(0)
/** With more epochs a marker on each would hide the line. */
const MARKED_EPOCHS = 30

export function lossCurve(curves: TrainingCurves): Plot {
  return onePanel(PANELS.loss, curves)
}

export function accuracyCurve(curves: TrainingCurves): Plot {
  return onePanel(PANELS.accuracy, curves)
}

/** Both beside each other. */
export function trainingCurves(curves: TrainingCurves): Plot {
  const second = { ...BOX, left: BOX.left + WIDTH }
  return {
    name: 'training_curves',
    title: 'Training curves',
    description: `${inWords(PANELS.loss, curves)}; ${inWords(PANELS.accuracy, curves)}`,
    width: 2 * WIDTH,
    height: HEIGHT,
    body: [
      ...drawPanel(PANELS.loss, { ...curves, box: BOX }),
      ...drawPanel(PANELS.accuracy, { ...curves, box: second }),
    ],
  }
}

function onePanel(panel: Panel, curves: TrainingCurves): Plot {
  return {
    name: `${panel.name}_curve`,
    title: panel.name === 'loss' ? 'Loss by epoch' : 'Accuracy by epoch',
    description: inWords(panel, curves),
    width: WIDTH,
    height: HEIGHT,
    body: drawPanel(panel, { ...curves, box: BOX }),
  }
}

function inWords({ name, train, val }: Panel, { history, bestEpoch }: TrainingCurves): string {
  const [first, last] = [history[0], history.at(-1)]
  if (!first || !last) return 'no epoch completed'
  const from = (pick: typeof train) => `${pick(first).toFixed(3)} to ${pick(last).toFixed(3)}`
  const best = bestEpoch === null ? '' : `, best epoch ${bestEpoch}`
  return `${name} over ${history.length} epochs, training ${from(train)}, validation ${from(val)}${best}`
}

function drawPanel(
  { name, train, val }: Panel,
  { history, bestEpoch, box }: TrainingCurves & { readonly box: Box },
): PlotNode[] {
  const values = history.flatMap((one) => [train(one), val(one)]).filter(Number.isFinite)
  const last = Math.max(2, history.at(-1)?.epoch ?? 2)
  const { x, y, nodes } = drawAxes({
    box,
    x: { name: 'epoch', domain: [1, last], ticks: Math.min(8, last), whole: true },
    y: { name, domain: name === 'accuracy' ? accuracyRange(values) : lossRange(values) },
  })
  const placed = (pick: typeof train): Place[] =>
    history
      .filter((one) => Number.isFinite(pick(one)))
      .map((one) => [x(one.epoch), y(pick(one))] as const)
  const lines = [
    { points: placed(train), style: TRAIN, words: 'training' },
    { points: placed(val), style: VAL, words: 'validation' },
  ]
  const right = box.left + box.width
  const labels = spread(
    lines.map(({ points }) => (points.at(-1)?.[1] ?? box.top) + 3.5),
    { gap: 13, low: box.top + 8, high: box.top + box.height },
  )
  const best = bestEpoch === null ? [] : drawBest(x(bestEpoch), { box, epoch: bestEpoch })
  return [
    ...nodes,
    ...best,
    ...lines.flatMap(({ points, style, words }, at) => [
      linePath(points, { style }),
      ...(points.length <= MARKED_EPOCHS ? points : points.slice(-1)).map((point) =>
        marker(point, { style, hollow: style === TRAIN, area: 22 }),
      ),
      text(words, [right + 8, labels[at] ?? box.top]),
    ]),
  ]
}

function drawBest(at: number, { box, epoch }: { box: Box; epoch: number }): PlotNode[] {
  const isRight = at > box.left + box.width / 2
  return [
    ruleLine([at, box.top], [at, box.top + box.height]),
    text(`best: ${epoch}`, [at + (isRight ? -4 : 4), box.top - 4], {
      size: 9,
      anchor: isRight ? 'end' : 'start',
      faint: true,
    }),
  ]
}

function lossRange(values: readonly number[]): [number, number] {
  const most = Math.max(...values, 0)
  return [0, most > 0 ? 1.05 * most : 1]
}

/** To 1; from 0 unless all are far above it, when the differences would not be seen. */
function accuracyRange(values: readonly number[]): [number, number] {
  const least = Math.min(...values, 1)
  return [least < 0.5 ? 0 : 0.5, 1]
}
