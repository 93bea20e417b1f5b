// The history of a condition as a timeline: what answered when, by whose hand, why, and how each step of the gate went.
import { html } from 'hono/html'
import type { Activation } from '../../src/registry/activation/activations.ts'
import { badge, emptyState, type Html, icon, nextPage, time } from '../shared/components.ts'
import { milliseconds } from '../shared/format.ts'
import { links } from '../shared/links.ts'
import { versionLink } from '../shared/version-parts.ts'

export interface HistoryProps {
  readonly conditionId: string
  /** Newest first. */
  readonly history: readonly Activation[]
  readonly nextCursor: string | null
  /** The answer to "what answered at this time?". */
  readonly at?: { readonly time: string; readonly activation: Activation | null } | undefined
}

const STEP_NAMES: Readonly<Record<string, string>> = {
  evidence: 'Challenger evidence',
  manifest: 'Files verified',
  load: 'Loaded',
  golden: 'Golden images reproduced',
  metrics: 'Performance within margin',
  pointer: 'Switched',
}

const VIA: Readonly<Record<string, string>> = {
  page: 'via web',
  api: 'via API',
  cli: 'via command line',
  file: 'via file',
  policy: 'by policy',
}

/** Fragment `#history`. */
export function historyTimeline({ conditionId, history, nextCursor, at }: HistoryProps): Html {
  const older =
    nextCursor === null ? undefined : links.condition(conditionId, { cursor: nextCursor })
  return html`<section class="history" id="history" aria-label="History">
    <div class="heading-row"><h2>History</h2>${whenForm(conditionId, at?.time)}</div>
    ${at && answeredThen(at)}
    ${
      history.length === 0
        ? emptyState('No activations yet', 'Activations appear here.')
        : html`<ol class="timeline">${history.map(entry)}</ol>`
    }
    ${nextPage(older)}
  </section>`
}

function whenForm(conditionId: string, asked: string | undefined): Html {
  return html`<form class="when" method="get" action="${links.condition(conditionId)}#history">
    <label for="history-at">Which version was active at</label>
    <input id="history-at" name="at" value="${asked ?? ''}" placeholder="2026-03-03T14:05Z"
      autocomplete="off" />
    <button class="button button-small" type="submit">Look up</button>
  </form>`
}

function answeredThen({ time: when, activation }: NonNullable<HistoryProps['at']>): Html {
  return activation
    ? html`<p class="answered">At ${time(when)}, ${versionLink(activation.version)} answered, active since ${time(activation.at)}.
      <a href="${links.predictions({ condition: activation.condition, version: activation.version })}">Its predictions</a> ·
      <a href="${links.ab({ condition: activation.condition, a: activation.version })}">re-run with another version</a></p>`
    : html`<p class="answered">At ${time(when)}, no version was active for this condition.</p>`
}

function entry(one: Activation): Html {
  const refused = one.outcome === 'refused'
  return html`<li class="event event-${refused ? 'refused' : 'activated'}">
    <p class="event-title">${versionLink(one.version)}${one.precision === 'int8' && html` in int8`}
      ${badge(one.outcome, refused ? 'bad' : 'good', refused ? 'cross' : 'check')}</p>
    <p class="event-reason">${one.reason}</p>
    <p class="hint">${time(one.at)} · ${one.by} ${VIA[one.via] ?? one.via}${
      one.previous && html` · before: ${versionLink(one.previous)}`
    }</p>
    ${one.steps.length > 0 && steps(one)}
  </li>`
}

function steps(one: Activation): Html {
  const total = one.steps.reduce((sum, step) => sum + step.ms, 0)
  const open = one.outcome === 'refused'
  return html`<details class="steps"${open ? html` open` : ''}>
    <summary>${one.steps.filter((step) => step.ok).length} of ${one.steps.length} checks passed in ${milliseconds(total)}</summary>
    <ol>${one.steps.map(
      (step) => html`<li
        class="step step-${step.ok ? 'ok' : 'failed'}">${icon(step.ok ? 'check' : 'cross')}
        <span class="step-name">${STEP_NAMES[step.name] ?? step.name}<span
          class="visually-hidden">: ${step.ok ? 'passed' : 'failed'}</span></span>
        <span class="step-time">${milliseconds(step.ms)}</span>
        ${step.detail && html`<span class="step-detail">${step.detail}</span>`}</li>`,
    )}</ol>
  </details>`
}
