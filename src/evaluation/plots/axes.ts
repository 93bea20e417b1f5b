// The frame that a curve stands in: scales, grid, ticks and the names of the axes.
import { type ScaleLinear, scaleLinear } from 'd3-scale'
import { el, FAINT, GRID, type PlotNode, place, text } from './node.ts'

export interface Box {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

export interface AxesInput {
  readonly box: Box
  readonly x: Axis
  readonly y: Axis
}

export interface Axis {
  readonly name: string
  readonly domain: readonly [number, number]
  readonly ticks?: number
  /** Only whole numbers are marked. */
  readonly whole?: boolean
}

export interface Axes {
  readonly x: ScaleLinear<number, number>
  readonly y: ScaleLinear<number, number>
  readonly nodes: readonly PlotNode[]
}

export function drawAxes({ box, ...axes }: AxesInput): Axes {
  const right = box.left + box.width
  const bottom = box.top + box.height
  const x = scaleLinear([...axes.x.domain], [box.left, right])
  const y = scaleLinear([...axes.y.domain], [bottom, box.top])
  const nodes: PlotNode[] = []
  for (const { value, words } of ticksOf(y, axes.y)) {
    nodes.push(gridLine([box.left, y(value)], [right, y(value)]))
    nodes.push(text(words, [box.left - 6, y(value) + 3.5], { size: 9, anchor: 'end' }))
  }
  for (const { value, words } of ticksOf(x, axes.x)) {
    nodes.push(gridLine([x(value), box.top], [x(value), bottom]))
    nodes.push(text(words, [x(value), bottom + 13], { size: 9, anchor: 'middle' }))
  }
  nodes.push(
    el('rect', {
      class: 'plot-frame',
      x: box.left,
      y: box.top,
      width: box.width,
      height: box.height,
      fill: 'none',
      stroke: FAINT,
      'stroke-width': 0.8,
    }),
    text(axes.x.name, [box.left + box.width / 2, bottom + 29], { anchor: 'middle' }),
    text(axes.y.name, [box.left - 38, box.top + box.height / 2], { anchor: 'middle', turn: -90 }),
  )
  return { x, y, nodes }
}

function ticksOf(
  scale: ScaleLinear<number, number>,
  { ticks = 5, whole = false }: Axis,
): { value: number; words: string }[] {
  const values = scale.ticks(ticks).filter((value) => !whole || Number.isInteger(value))
  const format = whole ? String : scale.tickFormat(ticks)
  return values.map((value) => ({ value, words: format(value).replace('−', '-') }))
}

function gridLine(from: readonly [number, number], to: readonly [number, number]): PlotNode {
  return el('line', {
    class: 'plot-grid',
    x1: place(from[0]),
    y1: place(from[1]),
    x2: place(to[0]),
    y2: place(to[1]),
    stroke: GRID,
    'stroke-width': 0.6,
  })
}

/** A line that is a rule and no measurement: chance, perfection, the best epoch. */
export function ruleLine(from: readonly [number, number], to: readonly [number, number]): PlotNode {
  return el('line', {
    class: 'plot-rule',
    x1: place(from[0]),
    y1: place(from[1]),
    x2: place(to[0]),
    y2: place(to[1]),
    stroke: FAINT,
    'stroke-width': 1,
    'stroke-dasharray': '1.5 3',
  })
}

/** Moves labels apart, as little as needed and within the limits; the order stays. */
export function spread(
  places: readonly number[],
  { gap, low, high }: { readonly gap: number; readonly low: number; readonly high: number },
): number[] {
  const order = [...places.keys()].sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0))
  const moved = [...places]
  let least = low
  for (const at of order) {
    moved[at] = Math.max(moved[at] ?? 0, least)
    least = (moved[at] ?? 0) + gap
  }
  let most = high
  for (const at of order.toReversed()) {
    moved[at] = Math.min(moved[at] ?? 0, most)
    most = (moved[at] ?? 0) - gap
  }
  return moved
}
