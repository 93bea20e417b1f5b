// Plots of a comparison: curves of all models over each other, accuracy against cost, calibration before and after.
import type { ClassCurve } from '../curves.ts'
import { type Box, drawAxes, ruleLine, spread } from '../plots/axes.ts'
import { fitted, type Plot, type PlotNode, text } from '../plots/node.ts'
import { precisionRecallPlot, rocPlot } from '../plots/ranking-curves.ts'
import { linePath, marker, type Place, sample, seriesStyle } from '../plots/series.ts'
import type { ComparedModel, ComparisonResults } from './comparison-results.ts'

const WIDTH = 500
const HEIGHT = 290
const BOX: Box = { left: 52, top: 14, width: 260, height: 225 }
const KEY = 168

/** Those that the results have figures for. */
export function comparisonPlots(results: ComparisonResults): Plot[] {
  const { models } = results
  const trained = models.filter(({ history }) => history.length > 0)
  const curves = models.filter(({ roc }) => roc.length > 1).map((model) => asCurve(model, results))
  return [
    ...(trained.length > 0 ? [byEpoch('loss', trained), byEpoch('accuracy', trained)] : []),
    ...(curves.length > 0
      ? [
          { ...rocPlot({ curves }), name: 'comparison_roc', title: `ROC curves${ofWhat(results)}` },
          {
            ...precisionRecallPlot({ curves }),
            name: 'comparison_pr',
            title: `Precision-recall curves${ofWhat(results)}`,
          },
        ]
      : []),
    ...against(models, {
      name: 'parameters',
      title: 'Accuracy against size',
      axis: 'million parameters',
      of: (one) => (one.parameters === null ? null : one.parameters / 1e6),
    }),
    ...against(models, {
      name: 'latency',
      title: 'Accuracy against time',
      axis: 'ms for one image, median',
      of: (one) => one.latencyMs,
    }),
    reliability(models),
    calibration(models),
  ]
}

const ofWhat = ({ kind }: ComparisonResults) => (kind === 'binary' ? '' : ', mean over the classes')

/** A model in the place of a class; the plots of one model's classes serve for several models. */
function asCurve(
  { id, roc, pr, metrics, classes }: ComparedModel,
  { kind, classes: labels }: ComparisonResults,
): ClassCurve {
  const finding = classes.findIndex((_, k) => labels[k]?.positive)
  const images = classes.reduce((sum, { support }) => sum + support, 0)
  const shares = classes.map(({ support }) => support / Math.max(1, images))
  const chance = kind === 'binary' ? (shares[finding] ?? 0) : 1 / Math.max(1, classes.length)
  return {
    label: shortName(id),
    positive: true,
    roc,
    pr,
    auc: metrics.auc?.value ?? null,
    aucInterval: metrics.auc?.interval ?? null,
    averagePrecision: metrics.averagePrecision?.value ?? null,
    prevalence: chance,
  }
}

/** Without the condition, which all share. */
export const shortName = (id: string): string => id.split('/').at(-1) ?? id

function byEpoch(name: 'loss' | 'accuracy', models: readonly ComparedModel[]): Plot {
  const pick = name === 'loss' ? 'valLoss' : 'valAccuracy'
  const values = models
    .flatMap(({ history }) => history.map((one) => one[pick]))
    .filter(Number.isFinite)
  const last = Math.max(2, ...models.map(({ history }) => history.at(-1)?.epoch ?? 2))
  const domain: [number, number] =
    name === 'loss'
      ? [0, 1.05 * Math.max(...values, 0.1)]
      : [Math.min(...values, 1) < 0.5 ? 0 : 0.5, 1]
  const { x, y, nodes } = drawAxes({
    box: BOX,
    x: { name: 'epoch', domain: [1, last], ticks: Math.min(8, last), whole: true },
    y: { name: `validation ${name}`, domain },
  })
  const lines = models.map(({ history }, at) => ({
    style: seriesStyle(at),
    points: history
      .filter((one) => Number.isFinite(one[pick]))
      .map((one): Place => [x(one.epoch), y(one[pick])]),
  }))
  return {
    name: `comparison_${name}`,
    title: `Validation ${name} by epoch`,
    description: models
      .map(
        ({ id, history }) =>
          `${shortName(id)} ends at ${history.at(-1)?.[pick].toFixed(3) ?? 'none'}`,
      )
      .join('; '),
    width: WIDTH,
    height: HEIGHT,
    body: [
      ...nodes,
      ...lines.flatMap(({ points, style }, at) => [
        linePath(points, { style }),
        // A few markers each, at other epochs, so that crossing lines can be told apart.
        ...points
          .filter((_, i) => i === points.length - 1 || i % 5 === at % 5)
          .map((point) => marker(point, { style, area: 22 })),
      ]),
      ...key(models),
    ],
  }
}

/** Names at the right, each with its line. */
function key(models: readonly ComparedModel[], hollowToo = false): PlotNode[] {
  const left = BOX.left + BOX.width + 10
  return models.flatMap(({ id }, at) => {
    const y = BOX.top + 10 + at * 16
    return [
      ...(hollowToo
        ? [marker([left + 13, y], { style: seriesStyle(at) })]
        : sample([left, y], seriesStyle(at))),
      text(fitted(shortName(id), KEY - 32, 9), [left + 32, y + 3.5], { size: 9 }),
    ]
  })
}

interface Cost {
  readonly name: string
  readonly title: string
  readonly axis: string
  readonly of: (model: ComparedModel) => number | null
}

function against(models: readonly ComparedModel[], cost: Cost): Plot[] {
  const known = models.flatMap((model, at) => {
    const value = cost.of(model)
    const accuracy = model.metrics.accuracy
    return value === null || accuracy?.value == null ? [] : [{ model, value, accuracy, at }]
  })
  if (known.length === 0) return []
  const lows = known.map(({ accuracy }) => accuracy.interval?.[0] ?? accuracy.value ?? 0)
  const most = 1.15 * Math.max(...known.map(({ value }) => value))
  const { x, y, nodes } = drawAxes({
    box: BOX,
    x: { name: cost.axis, domain: [0, most] },
    y: { name: 'accuracy', domain: [Math.max(0, Math.floor(Math.min(...lows) * 10) / 10), 1] },
  })
  return [
    {
      name: `comparison_accuracy_${cost.name}`,
      title: cost.title,
      description: known
        .map(
          ({ model, value, accuracy }) =>
            `${shortName(model.id)} ${value.toFixed(1)} and ${accuracy.value?.toFixed(3)}`,
        )
        .join('; '),
      width: WIDTH,
      height: HEIGHT,
      body: [
        ...nodes,
        ...known.flatMap(({ value, accuracy, at }) => {
          const style = seriesStyle(at)
          const [low, high] = accuracy.interval ?? [accuracy.value ?? 0, accuracy.value ?? 0]
          return [
            linePath(
              [
                [x(value), y(low)],
                [x(value), y(high)],
              ],
              { style: { ...style, dash: undefined }, width: 1.2 },
            ),
            marker([x(value), y(accuracy.value ?? 0)], { style, area: 56 }),
          ]
        }),
        ...key(models, true),
      ],
    },
  ]
}

/** Calibrated probability against how often it came true; on the diagonal is honest. Larger markers hold more images. */
function reliability(models: readonly ComparedModel[]): Plot {
  const box: Box = { ...BOX, width: BOX.height }
  const share: [number, number] = [0, 1]
  const { x, y, nodes } = drawAxes({
    box,
    x: { name: 'calibrated probability', domain: share },
    y: { name: 'observed frequency', domain: share },
  })
  const most = Math.max(1, ...models.flatMap((one) => one.reliability.map(({ count }) => count)))
  return {
    name: 'comparison_reliability',
    title: 'Reliability after calibration',
    description: models
      .map(
        ({ id, metrics }) => `${shortName(id)} ECE ${metrics.ece?.value?.toFixed(3) ?? 'unknown'}`,
      )
      .join('; '),
    width: WIDTH,
    height: HEIGHT,
    body: [
      ...nodes,
      ruleLine([x(0), y(0)], [x(1), y(1)]),
      ...models.flatMap((model, at) => {
        const style = seriesStyle(at)
        const places = model.reliability.map(
          ({ predicted, observed }): Place => [x(predicted), y(observed)],
        )
        return [
          linePath(places, { style, width: 1.2 }),
          ...places.map((place, k) => {
            const weight = (model.reliability[k]?.count ?? 0) / most
            return marker(place, { style, area: 10 + 50 * weight })
          }),
        ]
      }),
      ...key(models),
    ],
  }
}

/** Hollow before, filled after: the shorter to the left the better. */
function calibration(models: readonly ComparedModel[]): Plot {
  const rows = models.map(
    ({ metrics }) => [metrics.eceBefore?.value ?? 0, metrics.ece?.value ?? 0] as const,
  )
  const most = Math.max(0.05, 1.1 * Math.max(...rows.flat()))
  const height = Math.max(60, models.length * 26)
  const box: Box = { left: 132, top: 14, width: 300, height }
  const { x, nodes } = drawAxes({
    box,
    x: {
      name: 'ECE: hollow before, filled after temperature scaling',
      domain: [0, most],
    },
    y: { name: '', domain: [0, 1], ticks: 0 },
  })
  const levels = spread(
    rows.map((_, at) => box.top + ((at + 0.5) * height) / rows.length),
    { gap: 12, low: box.top + 6, high: box.top + height - 6 },
  )
  return {
    name: 'comparison_calibration',
    title: 'Calibration error before and after',
    description: models
      .map(
        ({ id }, at) =>
          `${shortName(id)} ${rows[at]?.[0].toFixed(3)} to ${rows[at]?.[1].toFixed(3)}`,
      )
      .join('; '),
    width: WIDTH,
    height: height + 56,
    body: [
      ...nodes,
      ...models.flatMap(({ id }, at) => {
        const [before, after] = rows[at] ?? [0, 0]
        const level = levels[at] ?? 0
        const style = seriesStyle(at)
        return [
          ruleLine([x(before), level], [x(after), level]),
          marker([x(before), level], { style, hollow: true, area: 44 }),
          marker([x(after), level], { style, area: 44 }),
          text(fitted(shortName(id), 116, 9), [box.left - 8, level + 3.5], {
            size: 9,
            anchor: 'end',
          }),
        ]
      }),
    ],
  }
}
