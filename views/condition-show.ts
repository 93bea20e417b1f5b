// One condition: which version answers and in what state, roll back, activate, history, settings.
import { html } from 'hono/html'
import type { ChallengerEvidence } from '../src/registry/challenger-evidence.ts'
import type { Condition } from '../src/registry/conditions.ts'
import type { Version } from '../src/registry/versions.ts'
import { activateForm, rollbackForm } from './activate-form.ts'
import { challengerPanel } from './challenger.ts'
import { badge, facts, field, type Html, hash, notice, options, time } from './components.ts'
import { type HistoryProps, historyTimeline } from './condition-history.ts'
import { type ProblemProps, problemNotice } from './error.ts'
import { bytes, operatingPointName } from './format.ts'
import { type HostStatus, hostBadge } from './host-status.ts'
import { type Frame, page } from './layout.ts'
import { links } from './links.ts'
import { activeBadge, METRICS, metricText, versionLink, versionNotice } from './version-parts.ts'

export interface ConditionPageProps extends Omit<HistoryProps, 'conditionId'> {
  readonly frame: Frame
  readonly condition: Condition
  readonly active: Version | undefined
  /** Where a rollback goes; undefined when there is nothing to roll back to. */
  readonly previous: Version | undefined
  /** All that are not deleted, newest first. */
  readonly versions: readonly Version[]
  /** The host that answers now. */
  readonly host?: HostStatus | undefined
  /** What the challenger has shown, while there is one. */
  readonly evidence?: ChallengerEvidence | undefined
  readonly problem?: ProblemProps | undefined
}

const KINDS = {
  binary: 'one finding, yes or no',
  'single-label': 'exactly one of several classes',
  'multi-label': 'any number of findings',
} as const

export function conditionPage(props: ConditionPageProps): Html {
  const { frame, condition } = props
  return page(
    frame,
    { title: condition.name, width: 'wide' },
    html`<header class="heading heading-row">
        <div><h1>${condition.name}</h1>
          <p class="hint">${condition.bodyPart} · ${KINDS[condition.kind]} · <code>${condition.id}</code></p></div>
        <a class="button" href="${links.diagnose({ condition: condition.id })}">Diagnose</a>
      </header>
      ${conditionPanel(props)}`,
  )
}

/** Fragment `#condition-panel`: everything that an activation or a rollback changes. */
export function conditionPanel(props: ConditionPageProps): Html {
  const { condition, previous, versions, problem } = props
  return html`<div id="condition-panel" class="condition-panel">
    <div class="condition-problem" aria-live="polite">${problem && problemNotice(problem)}</div>
    <div class="condition-areas">
      ${activePanel(props)}
      <div class="condition-side">
        ${rollbackForm(condition, previous)}
        ${activateForm(condition, versions)}
        ${challengerPanel(props)}
        ${settingsForm(props)}
      </div>
      ${historyTimeline({ ...props, conditionId: condition.id })}
    </div>
  </div>`
}

function activePanel({ condition, active, host }: ConditionPageProps): Html {
  if (!condition.active) {
    return html`<section class="panel panel-active"
      aria-label="Active version"><h2>Active version</h2>
      ${notice('No version answers for this condition yet. Activate one.', { tone: 'warn' })}</section>`
  }
  const { version, sha256, since, state } = condition.active
  return html`<section class="panel panel-active" aria-label="Active version">
    <h2>Active version</h2>
    <p class="active-version">${versionLink(version)} ${activeBadge(state)} ${host && hostBadge(host)}</p>
    ${
      state === 'damaged' &&
      notice(
        'The files of this version on disk no longer match its manifest. It goes on answering from a verified private copy. Activate an intact version, or restore the files.',
        { tone: 'bad' },
      )
    }
    ${versionNotice(active?.notice)}
    ${facts([
      ['Answers since', time(since)],
      ['Package SHA-256', hash(sha256)],
      ['Architecture', active?.architecture],
      [
        'Operating point',
        operatingPointName(condition.operatingPoint ?? active?.defaultOperatingPoint ?? null),
      ],
      ['Memory of its host', host?.rssBytes == null ? undefined : bytes(host.rssBytes)],
    ])}
    ${active && keyFigures(active)}
    <p class="button-row">
      ${
        active &&
        html`<a class="button"
        href="${links.compare({ condition: condition.id, a: version })}">Compare with another</a>`
      }
      <a class="button"
        href="${links.predictions({ condition: condition.id, version })}">Its predictions</a>
    </p>
  </section>`
}

function keyFigures({ metrics }: Version): Html {
  if (!metrics) return notice('This version was never evaluated.', { tone: 'warn' })
  return html`<ul class="figure-grid">${METRICS.filter(({ key }) => metrics[key] !== null).map(
    ({ key, text }) =>
      html`<li><span class="figure-name">${text}</span><span
        class="figure-value">${metricText(key, metrics[key])}</span></li>`,
  )}</ul>`
}

function settingsForm({ condition, active }: ConditionPageProps): Html {
  const action = links.conditionSettings(condition.id)
  const points = (active?.operatingPoints ?? []).map(({ name }) => ({
    value: name,
    text: operatingPointName(name),
  }))
  const metrics = METRICS.map(({ key, text }) => ({ value: key, text }))
  const policies = [
    { value: 'pinned', text: 'Pinned: only a person changes it' },
    { value: 'follow', text: 'Follow: the newest that passes' },
  ]
  return html`<details class="panel">
    <summary><h2>Settings</h2></summary>
    <form class="stack" method="post" action="${action}">
      ${field('name', {
        label: 'Name',
        control: html`<input id="name" name="name"
        value="${condition.name}" required maxlength="100" />`,
      })}
      ${field('bodyPart', {
        label: 'Body part',
        control: html`<input id="bodyPart" name="bodyPart"
        value="${condition.bodyPart}" maxlength="100" />`,
      })}
      ${field('policy', {
        label: 'Policy',
        control: html`<select id="policy"
        name="policy">${options(policies, condition.policy)}</select>`,
      })}
      ${field('operatingPoint', {
        label: 'Operating point',
        control: html`<select
        id="operatingPoint"
        name="operatingPoint">${options([{ value: '', text: 'the default of the version' }, ...points], condition.operatingPoint ?? '')}</select>`,
      })}
      ${field('metric', { label: 'Gate: figure that a new version is judged by', control: html`<select id="metric" name="metric">${options(metrics, condition.gate.metric)}</select>` })}
      ${field('margin', {
        label: 'Gate: how much worse it may be (0 to 1)',
        control: html`<input
        id="margin" name="margin" type="number" min="0" max="1" step="any"
        value="${condition.gate.margin}" required />`,
      })}
      <button class="button" type="submit">Save</button>
    </form>
    <h3>Classes</h3>
    <ul class="plain">${condition.classes.map(({ label, positive }) => html`<li>${label} ${positive && badge('positive finding', 'neutral', 'positive')}</li>`)}</ul>
  </details>`
}
