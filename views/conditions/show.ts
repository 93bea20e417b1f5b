// One condition: which version answers and in what state, roll back, activate, history, settings.
import { html } from 'hono/html'
import type { Precision } from '../../src/package/schema.ts'
import type { Condition } from '../../src/registry/conditions/conditions.ts'
import type { Version } from '../../src/registry/versions/versions.ts'
import { facts, type Html, hash, notice, time } from '../shared/components.ts'
import { type ProblemProps, problemNotice } from '../shared/error.ts'
import { bytes, operatingPointName } from '../shared/format.ts'
import { type Frame, page } from '../shared/layout.ts'
import { links } from '../shared/links.ts'
import {
  activeBadge,
  METRICS,
  metricText,
  versionLink,
  versionNotice,
} from '../shared/version-parts.ts'
import { type HostStatus, hostBadge } from '../system/host-status.ts'
import { activateForm, rollbackForm } from './activate-form.ts'
import { type AliasProps, aliasPanel } from './aliases.ts'
import { type ChallengerProps, challengerPanel } from './challenger.ts'
import { type HistoryProps, historyTimeline } from './history.ts'
import { type SettingsProps, settingsForm } from './settings.ts'

export interface ConditionPageProps extends Omit<HistoryProps, 'conditionId'> {
  readonly frame: Frame
  readonly condition: Condition
  readonly active: Version | undefined
  /** Where a rollback goes; undefined when there is nothing to roll back to. */
  readonly previous: Version | undefined
  /** In which the active version answers, and the one before it answered. */
  readonly precisions?: { readonly active: Precision; readonly previous?: Precision | undefined }
  /** All that are not deleted, newest first. */
  readonly versions: readonly Version[]
  /** The host that answers now. */
  readonly host?: HostStatus | undefined
  /** What the challenger has shown, while there is one. */
  readonly evidence?: ChallengerProps['evidence']
  /** By which a challenger is promoted. */
  readonly rule?: ChallengerProps['rule']
  readonly aliases?: AliasProps['aliases']
  readonly changes?: SettingsProps['changes']
  readonly problem?: ProblemProps | undefined
}

const KINDS = {
  binary: 'one finding, present or absent',
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
        ${rollbackForm(condition, { previous, precision: props.precisions?.previous })}
        ${activateForm(condition, versions)}
        ${challengerPanel(props)}
        ${aliasPanel(props)}
        ${settingsForm(props)}
      </div>
      ${historyTimeline({ ...props, conditionId: condition.id })}
    </div>
  </div>`
}

function activePanel({ condition, active, host, precisions }: ConditionPageProps): Html {
  if (!condition.active) {
    return html`<section class="panel panel-active"
      aria-label="Active version"><h2>Active version</h2>
      ${notice('No active version. Activate a version to start.', { tone: 'warn' })}</section>`
  }
  const { version, sha256, since, state, pointer } = condition.active
  return html`<section class="panel panel-active" aria-label="Active version">
    <h2>Active version</h2>
    <p class="active-version">${versionLink(version)} ${activeBadge(state)} ${host && hostBadge(host)}</p>
    ${
      state === 'damaged' &&
      notice(
        'The files of this version on disk no longer match its manifest. It keeps running from a verified private copy. Activate an intact version or restore the files.',
        { tone: 'bad' },
      )
    }
    ${
      pointer === 'stale' &&
      notice(
        'active.json in the model store cannot be written and says something old. What answers is what is shown here. The write is tried again every few seconds; check the owner, permissions and free space of the model store.',
        { tone: 'warn' },
      )
    }
    ${versionNotice(active?.notice)}
    ${facts([
      ['Active since', time(since)],
      ['Package SHA-256', hash(sha256)],
      ['Architecture', active?.architecture],
      [
        'Operating point',
        operatingPointName(condition.operatingPoint ?? active?.defaultOperatingPoint ?? null),
      ],
      ['Precision', precisions?.active],
      ['Memory', host?.rssBytes == null ? undefined : bytes(host.rssBytes)],
    ])}
    ${active && keyFigures(active)}
    <p class="button-row">
      ${
        active &&
        html`<a class="button"
        href="${links.compare({ condition: condition.id, a: version })}">Compare with another version</a>
        <a class="button" href="${links.ab({ condition: condition.id, a: version })}">Compare on a set of images</a>
        <a class="button button-quiet" href="${links.blindTallies(condition.id)}">Blinded votes</a>`
      }
      <a class="button"
        href="${links.predictions({ condition: condition.id, version })}">Predictions</a>
    </p>
  </section>`
}

function keyFigures({ metrics }: Version): Html {
  if (!metrics) return notice('This version has not been evaluated.', { tone: 'warn' })
  return html`<ul class="figure-grid">${METRICS.filter(({ key }) => metrics[key] !== null).map(
    ({ key, text }) =>
      html`<li><span class="figure-name">${text}</span><span
        class="figure-value">${metricText(key, metrics[key])}</span></li>`,
  )}</ul>`
}
