// One prediction whole: film and heatmap, decision, probabilities, provenance, feedback. A fragment that the
// diagnose page receives and the permanent page calls.
import { html } from 'hono/html'
import type { Version } from '../../src/registry/versions/versions.ts'
import { badge, facts, type Html, hash, notice as noticeBox, time } from '../shared/components.ts'
import { milliseconds } from '../shared/format.ts'
import { links } from '../shared/links.ts'
import { versionLink, versionNotice } from '../shared/version-parts.ts'
import { films, heatmapLegend } from '../shared/viewer.ts'
import { type FeedbackProps, feedbackPanel } from './feedback.ts'
import { decisionBlock, probabilityBars, rawScores } from './readout.ts'

export interface PredictionResultProps extends FeedbackProps {
  /** Undefined when the version was deleted since. */
  readonly version: Version | undefined
  /** False once the image has expired. */
  readonly imageAvailable: boolean
}

/** Fragment `.reading`, shown in `#result`. */
export function predictionResult(props: PredictionResultProps): Html {
  const { prediction, version } = props
  const { heatmap } = prediction
  const notice = prediction.notice ?? version?.notice
  return html`<article class="reading" data-prediction="${prediction.id}" aria-label="Result">
    <h2 class="visually-hidden">Result</h2>
    <div class="reading-film">${film(props)}</div>
    <div class="reading-readout">
      ${versionNotice(notice)}
      ${decisionBlock(prediction)}
      ${warnings(prediction.warnings.filter((text) => !isSame(text, notice)))}
      ${probabilityBars(prediction)}
      ${
        heatmap
          ? heatmapLegend(heatmap, { id: 'legend' })
          : html`<p
        class="hint">No heatmap was requested.</p>`
      }
      <p class="research-note">Research use only. Not a medical device. Clinical judgement required.</p>
      ${actions(props)}
      ${feedbackPanel(props)}
    </div>
    <div class="reading-record">
      ${rawScores(prediction)}
      ${provenance(props)}
    </div>
  </article>`
}

function film({ prediction, condition, imageAvailable }: PredictionResultProps): Html {
  const { width, height } = prediction.image
  const imageUrl = imageAvailable ? links.predictionImage(prediction.id) : undefined
  const description = `Uploaded image, analysed for ${condition?.name ?? prediction.condition}`
  return films(
    [{ id: 'film', imageUrl, width, height, description, heatmap: prediction.heatmap }],
    { controlsId: 'film-controls' },
  )
}

/** Whether two sentences say the same; a notice may lack the full stop that a warning has. */
function isSame(text: string, other: string | null | undefined): boolean {
  const plain = (words: string) => words.toLowerCase().replace(/\.$/, '')
  return plain(text) === plain(other ?? '')
}

function warnings(list: readonly string[]): Html | undefined {
  if (list.length === 0) return undefined
  return noticeBox(html`<ul class="plain">${list.map((text) => html`<li>${text}</li>`)}</ul>`, {
    tone: 'warn',
  })
}

function provenance({ prediction, condition, version }: PredictionResultProps): Html {
  const { image, familiarity } = prediction
  return html`<details class="provenance" open>
    <summary><h3>How this result was produced</h3></summary>
    ${facts([
      [
        'Condition',
        html`<a href="${links.condition(prediction.condition)}">${condition?.name ?? prediction.condition}</a>`,
      ],
      [
        'Version',
        html`${version ? versionLink(prediction.version) : html`${prediction.version} ${badge('since deleted')}`} ${badge(prediction.role)}`,
      ],
      ['Package SHA-256', hash(prediction.sha256)],
      ['Image', `${image.width} × ${image.height} pixels, ${image.format}`],
      ['Image SHA-256', hash(image.sha256)],
      ['Pixels', image.passport && passportSteps(image.passport.steps)],
      ['DICOM header', image.passport && passportTags(image.passport.tags)],
      ['Preprocessing', hash(prediction.preprocessing)],
      ['Precision', prediction.precision],
      [
        'Similarity to training data',
        familiarity ? familiarityWords(familiarity) : 'not available for this version',
      ],
      [
        'Activation',
        prediction.activation ? html`<code>${prediction.activation}</code>` : undefined,
      ],
      ['Analysed', time(prediction.at)],
    ])}
    ${timings(prediction.timings)}
  </details>`
}

/** What was done to the pixels, in order: part of the result, because a model sees nothing else. */
function passportSteps(steps: readonly string[]): Html {
  return html`<ol class="passport">${steps.map((step) => html`<li>${step}</li>`)}</ol>`
}

function passportTags(
  tags: readonly { readonly name: string; readonly value: string }[],
): Html | undefined {
  if (tags.length === 0) return undefined
  return html`<ul class="plain">${tags.map(({ name, value }) => html`<li>${name}: ${value}</li>`)}</ul>`
}

function familiarityWords(familiarity: { score: number; outOfDistribution: boolean }): Html {
  const score = html` <span class="hint">(${familiarity.score.toFixed(2)} of limit 1.00)</span>`
  return familiarity.outOfDistribution
    ? html`${badge('outside the range', 'warn', 'warning')}${score}`
    : html`in range${score}`
}

function timings(all: Readonly<Record<string, number>>): Html {
  const { total, ...steps } = all
  return html`<p class="timings">${Object.entries(steps).map(
    ([name, ms]) => html`<span>${name} <strong>${milliseconds(ms)}</strong></span>`,
  )}<span>total <strong>${milliseconds(total)}</strong></span></p>`
}

function actions({ prediction, imageAvailable }: PredictionResultProps): Html {
  const { id, heatmap, condition } = prediction
  const remove = links.predictionDelete(id)
  return html`<div class="button-row">
    ${
      imageAvailable &&
      html`<a class="button"
      href="${links.compare({ condition, a: prediction.version, prediction: id })}">Compare with another version</a>`
    }
    ${
      heatmap &&
      imageAvailable &&
      html`<a class="button"
      href="${links.heatmapComposite(heatmap.url)}"
      download="${id}-heatmap.png">Save image with heatmap</a>`
    }
    <a class="button" href="${links.predictionReport(id)}">PDF report</a>
    <a class="button" href="${links.predictionJson(id)}">JSON</a>
    ${
      heatmap &&
      imageAvailable &&
      html`<a class="button" href="${links.predictionCapture(id)}"
      download="${id}-secondary-capture.dcm">Export DICOM (secondary capture)</a>`
    }
    <a class="button" href="${links.predictionSr(id)}"
      download="${id}-structured-report.dcm">Export DICOM (structured report)</a>
    <form method="post" action="${remove}" class="inline-form"
      data-confirm="Delete this result and its image?">
      <button class="button button-quiet" type="submit">Delete</button>
    </form>
  </div>`
}
