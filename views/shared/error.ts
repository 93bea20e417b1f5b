// A problem (RFC 9457) in words for a person: as a whole page or as a box that htmx swaps in.
import { html } from 'hono/html'
import { type Html, notice } from './components.ts'
import { type Frame, page } from './layout.ts'
import { links } from './links.ts'

export interface ProblemProps {
  readonly status: number
  readonly title: string
  readonly detail: string
  readonly code: string
}

/** Fragment: announced at once by screen readers. */
export function problemNotice(problem: ProblemProps): Html {
  return notice(
    html`<p class="notice-title">${problem.title}</p>
      <p>${problem.detail}</p>
      <p class="hint">Code <code>${problem.code}</code></p>`,
    { tone: 'bad', live: true },
  )
}

export function errorPage({ frame, problem }: { frame: Frame; problem: ProblemProps }): Html {
  return page(
    frame,
    { title: problem.title },
    html`<header class="heading">
        <p class="eyebrow">${problem.status}</p>
        <h1>${problem.title}</h1>
      </header>
      ${problemNotice(problem)}
      <p><a class="button" href="${links.diagnose()}">Back to Diagnose</a></p>`,
  )
}
