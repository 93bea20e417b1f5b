// Curves of a training as they grow: loss and accuracy by epoch, for the images that it trains on and for others. SVG drawn
// on the server; the same figures stand in a table below for whoever cannot see them.
import { html } from 'hono/html'
import type { RunEpoch } from '../../src/registry/runs/run-record.ts'
import type { Html } from '../shared/components.ts'
import { duration, score } from '../shared/format.ts'

const WIDTH = 480
const HEIGHT = 220
const PAD = { left: 46, right: 12, top: 14, bottom: 30 }

interface Series {
  readonly name: 'train' | 'val'
  readonly values: readonly number[]
}

interface Chart {
  readonly title: string
  readonly series: readonly Series[]
  readonly epochs: number
  /** Fixed ends of the axis; else they follow the values. */
  readonly range?: readonly [number, number]
  readonly best: number | null
}

/** Both charts; nothing before the first epoch has ended. */
export function runCurves(
  history: readonly RunEpoch[],
  { epochs, best }: { readonly epochs: number; readonly best: number | null },
): Html | undefined {
  if (history.length === 0) return undefined
  const of = (pick: (one: RunEpoch) => number): number[] => history.map(pick)
  const common = { epochs: Math.max(epochs, history.length), best }
  return html`<div class="curves">
    ${chart({
      ...common,
      title: 'Loss',
      series: [
        { name: 'train', values: of((one) => one.trainLoss) },
        { name: 'val', values: of((one) => one.valLoss) },
      ],
    })}
    ${chart({
      ...common,
      title: 'Accuracy',
      range: [0, 1],
      series: [
        { name: 'train', values: of((one) => one.trainAccuracy) },
        { name: 'val', values: of((one) => one.valAccuracy) },
      ],
    })}
    ${whole(history, 'Precision', (one) => [one.trainPrecision, one.valPrecision], common)}
    ${whole(history, 'Recall', (one) => [one.trainRecall, one.valRecall], common)}
    ${whole(history, 'AUC', (one) => [one.trainAuc, one.valAuc], common)}
  </div>
  <ul class="curves-legend">
    <li><span class="line-key line-key-train"></span>training images</li>
    <li><span class="line-key line-key-val"></span>validation images</li>
    ${best !== null && html`<li><span class="line-key line-key-best"></span>best epoch: ${best}</li>`}
  </ul>`
}

type Pair = readonly [train: number | null | undefined, val: number | null | undefined]

/** Nothing where a figure is unknown, as in runs of older versions or with one class only. */
function whole(
  history: readonly RunEpoch[],
  title: string,
  ...[pick, common]: [(one: RunEpoch) => Pair, Pick<Chart, 'epochs' | 'best'>]
): Html | undefined {
  const pairs = history.map(pick)
  const numbers = pairs.filter((pair) => pair.every((one) => typeof one === 'number'))
  if (numbers.length < pairs.length) return undefined
  const values = (side: 0 | 1): number[] => numbers.map((pair) => pair[side] as number)
  const series: readonly Series[] = [
    { name: 'train', values: values(0) },
    { name: 'val', values: values(1) },
  ]
  return chart({ ...common, title, range: [0, 1], series })
}

function chart({ title, series, epochs, range, best }: Chart): Html {
  const all = series.flatMap(({ values }) => values)
  const [low, high] = range ?? ends(all)
  const x = (epoch: number): number =>
    PAD.left + ((epoch - 1) / Math.max(1, epochs - 1)) * (WIDTH - PAD.left - PAD.right)
  const y = (value: number): number =>
    HEIGHT - PAD.bottom - ((value - low) / (high - low)) * (HEIGHT - PAD.top - PAD.bottom)
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => low + share * (high - low))
  const digits = Math.max(2, 1 + Math.ceil(-Math.log10((high - low) / 4)))
  const words = series.map(({ name, values }) => {
    const what = name === 'train' ? 'training' : 'validation'
    return `${what} ${score(values[0])} to ${score(values.at(-1))}`
  })
  return html`<figure class="curve">
    <figcaption>${title}</figcaption>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title} by epoch: ${words.join(', ')}">
      ${ticks.map(
        (
          tick,
        ) => html`<line class="grid" x1="${PAD.left}" x2="${WIDTH - PAD.right}" y1="${place(y(tick))}" y2="${place(y(tick))}" />
        <text class="tick" x="${PAD.left - 6}" y="${place(y(tick) + 4)}" text-anchor="end">${Number(tick.toFixed(digits))}</text>`,
      )}
      ${epochTicks(epochs).map(
        (epoch) =>
          html`<text class="tick" x="${place(x(epoch))}" y="${HEIGHT - 10}" text-anchor="middle">${epoch}</text>`,
      )}
      ${best !== null && html`<line class="best" x1="${place(x(best))}" x2="${place(x(best))}" y1="${PAD.top}" y2="${HEIGHT - PAD.bottom}" />`}
      ${series.map(({ name, values }) =>
        line(
          name,
          values.map((value, at) => [x(at + 1), y(value)] as const),
        ),
      )}
    </svg>
  </figure>`
}

function line(name: string, points: readonly (readonly [number, number])[]): Html {
  const last = points.at(-1)
  return html`<polyline class="line line-${name}" points="${points.map(([x, y]) => `${place(x)},${place(y)}`).join(' ')}" />
    ${last && html`<circle class="dot dot-${name}" cx="${place(last[0])}" cy="${place(last[1])}" r="3.5" />`}`
}

function place(value: number): string {
  return value.toFixed(1)
}

/** From nought, or from just below the least value where all are far from it. */
function ends(values: readonly number[]): readonly [number, number] {
  const [least, most] = [Math.min(...values), Math.max(...values)]
  const room = (most - least || 1) * 0.1
  return [least < most / 3 ? 0 : Math.max(0, least - room), most + room]
}

/** Some six whole epochs, the first and the last among them. */
function epochTicks(epochs: number): number[] {
  const step = Math.max(1, Math.ceil((epochs - 1) / 6))
  const ticks = Array.from({ length: epochs }, (_, at) => at + 1).filter(
    (one) => (one - 1) % step === 0,
  )
  return ticks.at(-1) === epochs || epochs - (ticks.at(-1) ?? 0) < step / 2
    ? ticks
    : [...ticks, epochs]
}

/** The figures of every epoch, the last on top; of training and of validation images. */
export function epochTable(history: readonly RunEpoch[], best: number | null): Html {
  const share = (value: number | null | undefined): Html =>
    html`<td class="number">${value?.toFixed(3) ?? '–'}</td>`
  const columns = ['Loss', 'Accuracy', 'Precision', 'Recall', 'AUC']
  return html`<div class="table-wrap" tabindex="0" role="region" aria-label="Figures of every epoch"><table class="table">
    <thead><tr><th scope="col" rowspan="2">Epoch</th><th scope="colgroup" colspan="5">Training images</th><th scope="colgroup" colspan="5">Validation images</th>
      <th scope="col" rowspan="2" class="number">Learning rate</th><th scope="col" rowspan="2" class="number">Time</th></tr>
      <tr>${[...columns, ...columns].map((name) => html`<th scope="col" class="number">${name}</th>`)}</tr></thead>
    <tbody>${history.toReversed().map(
      (
        one,
      ) => html`<tr><th scope="row">${one.epoch}${one.epoch === best && html` <span class="row-note">best so far</span>`}</th>
        <td class="number">${one.trainLoss.toFixed(4)}</td>${share(one.trainAccuracy)}${share(one.trainPrecision)}${share(one.trainRecall)}${share(one.trainAuc)}
        <td class="number">${one.valLoss.toFixed(4)}</td>${share(one.valAccuracy)}${share(one.valPrecision)}${share(one.valRecall)}${share(one.valAuc)}
        <td class="number">${one.learningRate.toExponential(1)}</td><td class="number">${duration(one.seconds)}</td></tr>`,
    )}</tbody>
  </table></div>`
}
