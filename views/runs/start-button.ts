// The button that starts a training; where dataset and condition have different classes it says so and offers the condition
// that fits. Asked for again whenever the form changes.
import { html } from 'hono/html'
import type { Html } from '../shared/components.ts'
import { links } from '../shared/links.ts'

export interface StartButtonProps {
  /** Undefined: it can be started. */
  readonly mismatch:
    | {
        readonly reason: string
        readonly dataset: { readonly id: string; readonly classes: readonly string[] }
      }
    | undefined
}

export function startButton({ mismatch }: StartButtonProps): Html {
  const live = html`id="start" class="stack" hx-get="${links.trainingFit}" hx-trigger="change from:closest form" hx-include="closest form" hx-swap="outerHTML"`
  if (!mismatch) {
    return html`<div ${live}><button class="button button-primary" type="submit">Start</button></div>`
  }
  const { reason, dataset } = mismatch
  return html`<div ${live}>
    <p id="start-reason" role="status">${reason}</p>
    <p><button class="button" type="submit" formaction="${links.trainingCondition}" name="from" value="${dataset.id}">New condition from these classes</button>
      <span class="hint">${dataset.classes.join(', ')}</span></p>
    <button class="button button-primary" type="submit" disabled aria-describedby="start-reason">Start</button>
  </div>`
}
