// A figure on its sheet: the <svg> element for a page, or the text of a file with title, ground and font of its own.
import { el, fitted, type Plot, type PlotNode, text } from './node.ts'

export const FONT = 'DejaVu Sans'
const TITLE_HEIGHT = 44
const MARGIN = 8

/** For a page: no title (the page has one) and no ground. */
export function pagePlot(plot: Plot): PlotNode {
  return svgElement(plot, { width: plot.width, height: plot.height, children: [...plot.body] })
}

/** For a file: black on white, above it the title and what it is about, e.g. which model. */
export function filePlot(plot: Plot, about: string): PlotNode {
  const width = plot.width + 2 * MARGIN
  const height = plot.height + TITLE_HEIGHT + MARGIN
  const children = [
    el('rect', { x: 0, y: 0, width, height, fill: '#ffffff' }),
    text(plot.title, [MARGIN + 4, 19], { size: 12, bold: true }),
    text(fitted(about, width - 2 * MARGIN - 8, 9), [MARGIN + 4, 33], { size: 9, faint: true }),
    el('g', { transform: `translate(${MARGIN} ${TITLE_HEIGHT})` }, ...plot.body),
  ]
  return svgElement(plot, { width, height, children })
}

function svgElement(
  { title, description }: Plot,
  o: { readonly width: number; readonly height: number; readonly children: readonly PlotNode[] },
): PlotNode {
  return el(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      class: 'plot',
      viewBox: `0 0 ${o.width} ${o.height}`,
      role: 'img',
      'aria-label': `${title}: ${description}`,
      'font-family': FONT,
    },
    ...o.children,
  )
}

/** The drawing as the text of an SVG file. */
export function svgText(node: PlotNode | string): string {
  if (typeof node === 'string') return escaped(node)
  const attributes = Object.entries(node.attributes)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
  const start = `<${node.tag}${attributes.join('')}`
  if (node.children.length === 0) return `${start}/>`
  return `${start}>${node.children.map(svgText).join('')}</${node.tag}>`
}

/** Also without what XML cannot hold at all. */
function escaped(content: string): string {
  return content
    .replaceAll(
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is removed
      /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
      '',
    )
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
