// A plot in a page: the drawing that files hold too, in the page's own colours, with its files to take away.
import { html } from 'hono/html'
import type { PlotNode } from '../../src/evaluation/plots/node.ts'
import type { Html } from './components.ts'

export interface ShownPlot {
  readonly name: string
  readonly title: string
  readonly drawing: PlotNode
  /** Files of it; none where there is nothing to fetch. */
  readonly files?: readonly { readonly text: string; readonly href: string }[]
}

export function plotGrid(plots: readonly ShownPlot[]): Html {
  return html`<div class="plots">${plots.map(plotFigure)}</div>`
}

function plotFigure({ title, drawing, files = [] }: ShownPlot): Html {
  return html`<figure class="plot-figure">
    <figcaption>${title}${
      files.length > 0 &&
      html` <span class="plot-files">${files.map(
        ({ text, href }) =>
          html`<a href="${href}" download aria-label="${title} as ${text}">${text}</a> `,
      )}</span>`
    }</figcaption>
    ${node(drawing)}
  </figure>`
}

/** Element by element, so that whatever a label holds is escaped as all text of a page. */
function node(one: PlotNode | string): Html | string {
  if (typeof one === 'string') return one
  const { tag, children } = one
  const attributes = Object.entries(one.attributes).filter(([, value]) => value !== undefined)
  return html`<${tag}${attributes.map(([name, value]) => html` ${name}="${value}"`)}>${children.map(node)}</${tag}>`
}
