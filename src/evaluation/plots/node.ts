// A drawing as plain data: elements of SVG with attributes, so that files write it as text and pages as escaped HTML. Every
// colour stands as an attribute, for files, and as a class, which a page's style sheet may answer in its own colours.

export type Attributes = Readonly<Record<string, string | number | undefined>>

export interface PlotNode {
  readonly tag: string
  readonly attributes: Attributes
  readonly children: readonly (PlotNode | string)[]
}

export function el(
  tag: string,
  attributes: Attributes = {},
  ...children: readonly (PlotNode | string | readonly PlotNode[] | undefined)[]
): PlotNode {
  return {
    tag,
    attributes,
    children: children.flat().filter((child): child is PlotNode | string => child !== undefined),
  }
}

/** A whole figure before it is put on a sheet. Lengths are points (1/72 inch) in files, relative units in a page. */
export interface Plot {
  /** File name without ending, as CONTRACT section 3 has it. */
  readonly name: string
  readonly title: string
  /** The figure in words, for whoever cannot see it. */
  readonly description: string
  readonly width: number
  readonly height: number
  readonly body: readonly PlotNode[]
}

export const INK = '#1a1a1a'
export const FAINT = '#5c6670'
export const GRID = '#d9dde1'

export interface TextStyle {
  readonly size?: number
  readonly anchor?: 'start' | 'middle' | 'end'
  readonly bold?: boolean
  readonly faint?: boolean
  /** Degrees, about the place where it stands. */
  readonly turn?: number
}

export function text(
  content: string,
  [x, y]: readonly [number, number],
  { size = 10, anchor = 'start', bold = false, faint = false, turn }: TextStyle = {},
): PlotNode {
  return el(
    'text',
    {
      class: faint ? 'plot-faint' : 'plot-ink',
      x: place(x),
      y: place(y),
      'font-size': size,
      'text-anchor': anchor === 'start' ? undefined : anchor,
      'font-weight': bold ? 'bold' : undefined,
      fill: faint ? FAINT : INK,
      transform: turn === undefined ? undefined : `rotate(${turn} ${place(x)} ${place(y)})`,
    },
    content,
  )
}

/** Two decimals are a hundredth of a point. */
export function place(value: number): number {
  return Math.round(value * 100) / 100
}

/** About how wide a text is in DejaVu Sans, which is wider than most. */
export function textWidth(content: string, size = 10): number {
  return 0.6 * size * [...content].length
}

/** Cut to what fits, with an ellipsis. */
export function fitted(content: string, width: number, size = 10): string {
  const most = Math.max(2, Math.floor(width / (0.6 * size)))
  const letters = [...content]
  return letters.length <= most ? content : `${letters.slice(0, most - 1).join('')}…`
}
