// Earlier predictions, newest first. Rows are a fragment, so that older ones can be added below.
import { html } from 'hono/html'
import type { Condition } from '../../src/registry/conditions/conditions.ts'
import type { Prediction } from '../../src/registry/predictions/predictions.ts'
import { badge, emptyState, type Html, nextPage, options, time } from '../shared/components.ts'
import { probability } from '../shared/format.ts'
import { type Frame, page } from '../shared/layout.ts'
import { links } from '../shared/links.ts'
import { shortVersion } from '../shared/version-parts.ts'

export interface PredictionListProps {
  readonly frame: Frame
  readonly items: readonly Prediction[]
  readonly nextCursor: string | null
  readonly filter: {
    readonly condition?: string | undefined
    readonly version?: string | undefined
  }
  readonly conditions: readonly Condition[]
}

export function predictionListPage(props: PredictionListProps): Html {
  const { frame, filter, conditions } = props
  const all = [{ value: '', text: 'All conditions' }]
  const choices = conditions.map(({ id, name }) => ({ value: id, text: name }))
  return page(
    frame,
    { title: 'Predictions', width: 'wide' },
    html`<header class="heading"><h1>Predictions</h1>
      <p>Results are kept until they expire. Each names the exact version that produced it.</p></header>
    <form class="filters" method="get" action="${links.predictions()}"
      hx-get="${links.predictions()}" hx-target="#prediction-rows" hx-swap="outerHTML"
      hx-trigger="change, submit" hx-push-url="true">
      <label for="filter-condition">Condition</label>
      <select id="filter-condition"
        name="condition">${options([...all, ...choices], filter.condition ?? '')}</select>
      ${
        filter.version &&
        html`<input type="hidden" name="version"
        value="${filter.version}" />${badge(`only ${filter.version}`)} <a
        href="${links.predictions({ condition: filter.condition })}">all versions</a>`
      }
      <button class="button" type="submit">Show</button>
    </form>
    ${predictionRows(props)}`,
  )
}

/** Fragment `#prediction-rows`. */
export function predictionRows({
  items,
  nextCursor,
  filter,
  conditions,
}: PredictionListProps): Html {
  const names = new Map(conditions.map(({ id, name }) => [id, name]))
  const older =
    nextCursor === null ? undefined : links.predictions({ ...filter, cursor: nextCursor })
  return html`<div id="prediction-rows">
    ${
      items.length === 0
        ? emptyState(
            'No predictions yet',
            html`<a href="${links.diagnose()}">Diagnose an image</a> to see the result here.`,
          )
        : html`<ul class="prediction-grid">${items.map((one) => row(one, names.get(one.condition)))}</ul>`
    }
    ${nextPage(older)}
  </div>`
}

function row(prediction: Prediction, conditionName: string | undefined): Html {
  const { decision } = prediction
  const tone = decision.positive ? 'positive' : 'negative'
  return html`<li class="prediction-card">
    <img class="thumbnail" src="${links.predictionThumbnail(prediction.id)}" alt="" width="72"
      height="72" loading="lazy" />
    <div>
      <p class="card-title"><a href="${links.prediction(prediction.id)}">${decision.label}</a>
        ${badge(decision.positive ? 'positive finding' : 'no positive finding', decision.positive ? 'warn' : 'neutral', tone)}</p>
      <p class="card-line">${probability(prediction.confidence)} ${prediction.calibration ? 'calibrated probability' : 'score (not calibrated)'}</p>
      <p class="hint">${conditionName ?? prediction.condition} · ${shortVersion(prediction.version)} · ${time(prediction.at)}</p>
    </div>
  </li>`
}
