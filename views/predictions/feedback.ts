// Readers' feedback on a prediction, and the form to give it.
import { html } from 'hono/html'
import type { Condition } from '../../src/registry/conditions/conditions.ts'
import type { Feedback } from '../../src/registry/predictions/feedback.ts'
import type { Prediction } from '../../src/registry/predictions/predictions.ts'
import { badge, type Html, options, type Tone, time } from '../shared/components.ts'
import { links } from '../shared/links.ts'

export interface FeedbackProps {
  readonly prediction: Prediction
  readonly condition: Condition | undefined
  /** Newest first. */
  readonly feedback: readonly Feedback[]
}

const VERDICTS = [
  { value: 'agree', text: 'Agree', tone: 'good' },
  { value: 'disagree', text: 'Disagree', tone: 'warn' },
  { value: 'unsure', text: 'Unsure', tone: 'neutral' },
] as const satisfies readonly { value: string; text: string; tone: Tone }[]

/** Fragment `#feedback`. */
export function feedbackPanel(props: FeedbackProps): Html {
  const { prediction, condition, feedback } = props
  const action = links.predictionFeedback(prediction.id)
  const labels = (condition?.classes ?? prediction.classes).map(({ label }) => label)
  return html`<section class="feedback" id="feedback" aria-live="polite" aria-label="Feedback">
    <h3>Do you agree?</h3>
    ${feedback.map(given)}
    <form method="post" action="${action}" hx-post="${action}" hx-target="#feedback"
      hx-swap="outerHTML">
      <div class="feedback-details">
        <label for="feedback-label">Your diagnosis</label>
        <select id="feedback-label" name="label">
          ${options([{ value: '', text: '–' }, ...labels.map((label) => ({ value: label, text: label }))], '')}
        </select>
        <label for="feedback-comment">Comment</label>
        <input id="feedback-comment" name="comment" maxlength="1000" autocomplete="off" />
      </div>
      <div class="button-row" role="group" aria-label="Verdict">
        ${VERDICTS.map(
          ({ value, text }) =>
            html`<button class="button" type="submit" name="verdict"
              value="${value}">${text}</button>`,
        )}
      </div>
    </form>
  </section>`
}

function given(one: Feedback): Html {
  const verdict = VERDICTS.find(({ value }) => value === one.verdict)
  return html`<p class="feedback-given">
    ${badge(verdict?.text ?? one.verdict, verdict?.tone)} ${one.label && html`<strong>${one.label}</strong>`}
    ${one.comment && html`<q>${one.comment}</q>`} <span class="hint">${time(one.at)}</span>
  </p>`
}
