// How one line differs from the next: colour, dash and marker together, so that it can be told in grey, in print and by
// people who do not see all colours. The colours are those of Okabe and Ito (2008) without yellow, which white paper hides.
import {
  curveStepBefore,
  line,
  symbol,
  symbolCircle,
  symbolCross,
  symbolDiamond,
  symbolSquare,
  symbolStar,
  symbolTriangle,
  symbolWye,
} from 'd3-shape'
import { el, type PlotNode, place } from './node.ts'

const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#a8518a', '#b87700', '#3a8fc4', '#1a1a1a']
const DASHES = [undefined, '7 3', '2 2.5', '9 3 2 3', '5 2', '11 3 2 3 2 3', '1 3.5']
const SYMBOLS = [
  symbolCircle,
  symbolSquare,
  symbolTriangle,
  symbolDiamond,
  symbolCross,
  symbolStar,
  symbolWye,
]

export interface SeriesStyle {
  readonly colour: string
  readonly dash: string | undefined
  readonly symbol: number
  /** Class that a page's style sheet gives its own colour. */
  readonly name: string
}

/** The n-th series. After seven the colours come again with another dash and marker: 49 differ. */
export function seriesStyle(n: number): SeriesStyle {
  const round = Math.floor(n / COLOURS.length)
  return {
    colour: COLOURS[n % COLOURS.length] ?? COLOURS[0] ?? '',
    dash: DASHES[(n + round) % DASHES.length],
    symbol: (n + round) % SYMBOLS.length,
    name: `plot-s${n % COLOURS.length}`,
  }
}

export type Place = readonly [x: number, y: number]

export function linePath(
  points: readonly Place[],
  {
    style,
    stepped = false,
    width = 1.6,
  }: { style: SeriesStyle; stepped?: boolean; width?: number },
): PlotNode {
  const drawn = line<Place>().digits(2)
  if (stepped) drawn.curve(curveStepBefore)
  return el('path', {
    class: `plot-line ${style.name}`,
    d: drawn([...points]) ?? '',
    fill: 'none',
    stroke: style.colour,
    'stroke-width': width,
    'stroke-dasharray': style.dash,
    'stroke-linejoin': 'round',
  })
}

/** Filled, or hollow: filled with the ground. */
export function marker(
  [x, y]: Place,
  { style, hollow = false, area = 34 }: { style: SeriesStyle; hollow?: boolean; area?: number },
): PlotNode {
  const shape = SYMBOLS[style.symbol] ?? symbolCircle
  return el('path', {
    class: `${hollow ? 'plot-hollow' : 'plot-mark'} ${style.name}`,
    d: symbol(shape, area).digits(2)() ?? '',
    transform: `translate(${place(x)} ${place(y)})`,
    fill: hollow ? '#ffffff' : style.colour,
    stroke: style.colour,
    'stroke-width': 1,
  })
}

/** A short piece of the line with its marker, for a key. */
export function sample([x, y]: Place, style: SeriesStyle, hollow = false): PlotNode[] {
  return [
    linePath(
      [
        [x, y],
        [x + 26, y],
      ],
      { style },
    ),
    marker([x + 13, y], { style, hollow }),
  ]
}
