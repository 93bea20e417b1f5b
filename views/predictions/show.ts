// The permanent page of one prediction: the same fragment that the diagnose page receives.
import { html } from 'hono/html'
import { type Html, time } from '../shared/components.ts'
import { type Frame, page } from '../shared/layout.ts'
import { links } from '../shared/links.ts'
import { type PredictionResultProps, predictionResult } from './result.ts'

export interface PredictionPageProps extends PredictionResultProps {
  readonly frame: Frame
}

export function predictionPage({ frame, ...result }: PredictionPageProps): Html {
  const { prediction, condition } = result
  const name = condition?.name ?? prediction.condition
  return page(
    frame,
    { title: `${name}: ${prediction.decision.label}`, width: 'wide' },
    html`<header class="heading heading-row">
        <div><h1>${name}</h1><p
          class="hint">${time(prediction.at)} · <code>${prediction.id}</code></p></div>
        <a class="button"
          href="${links.diagnose({ condition: prediction.condition })}">New image</a>
      </header>
      <section id="result" class="result"
        aria-label="Result">${predictionResult(result)}</section>`,
  )
}
