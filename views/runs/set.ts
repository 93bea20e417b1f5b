// A matrix of runs on one page: how far all of them are, how long it will take, and where the time goes.
import { html } from 'hono/html'
import type { RunInSet, RunSet } from '../../src/app/runs/run-set.ts'
import { badge, facts, type Html } from '../shared/components.ts'
import { count, duration } from '../shared/format.ts'
import { type Frame, page } from '../shared/layout.ts'
import { links } from '../shared/links.ts'
import { versionLink } from '../shared/version-parts.ts'
import { isOpen, isUnderWay, progressBar, runLink, stateBadge } from './parts.ts'

export interface RunSetProps {
  readonly frame: Frame
  readonly set: RunSet
}

/** Accuracy that a set of trainings aims at; a goal, no promise. */
const TARGET = 0.85

const PHASES = ['preparing', 'training', 'evaluating', 'writing'] as const

export function runSetPage(props: RunSetProps): Html {
  return page(
    props.frame,
    { title: 'Run group', width: 'wide' },
    html`<header class="heading">
        <p class="eyebrow"><a href="${links.training()}">Training</a></p>
        <h1>Run group (${props.set.runs.length})</h1>
        <p class="hint">Runs are processed one at a time at low priority. You can close this page or restart the server. <a href="${links.runSetJson(props.set.id)}">As JSON</a></p>
      </header>
      ${runSetPanel(props)}`,
  )
}

/** Fragment `#run-set`: asks for itself again while something is open. */
export function runSetPanel({ set }: RunSetProps): Html {
  const live = set.runs.some(({ run }) => isOpen(run))
    ? html` hx-get="${links.runSet(set.id)}" hx-trigger="every 3s" hx-swap="outerMorph"`
    : ''
  return html`<div id="run-set" class="run-panel"${live}>
    <section class="panel" aria-label="Progress">
      <div class="run-progress">
        <progress max="1" value="${set.done.toFixed(4)}" aria-label="Progress of all">${Math.round(set.done * 100)}%</progress>
        <p class="hint">${words(set)}</p>
      </div>
      ${compareLink(set)}
      ${facts(
        PHASES.filter((phase) => set.phases[phase] !== undefined).map(
          (phase) => [`Time ${phase}`, duration(set.phases[phase])] as const,
        ),
      )}
    </section>
    <section aria-label="Runs">
      <div class="table-wrap" tabindex="0" role="region" aria-label="Table of runs"><table class="table">
        <thead><tr><th scope="col">Run</th><th scope="col">State</th><th scope="col">Progress</th>
          ${PHASES.map((phase) => html`<th scope="col" class="number">${phase}</th>`)}
          <th scope="col" class="number">Validation accuracy</th><th scope="col">Target ≥${TARGET * 100}%</th><th scope="col">Version</th></tr></thead>
        <tbody>${set.runs.map(row)}</tbody>
      </table></div>
    </section>
  </div>`
}

/** What was left so far, condition by condition, side by side. */
function compareLink({ runs }: RunSet): Html[] {
  const left = runs.flatMap(({ run }) => (run.version === null ? [] : [run.version]))
  const byCondition = Map.groupBy(left, (id) => id.slice(0, id.indexOf('/')))
  return [...byCondition]
    .filter(([, ids]) => ids.length > 1)
    .map(
      ([condition, ids]) =>
        html`<p><a href="${links.modelComparison(ids)}">Compare the results for ${condition}</a></p>`,
    )
}

/** By the best epoch so far, in words. */
function target({ state }: RunInSet['run'], accuracy: number | undefined): Html | string {
  if (accuracy === undefined) return '–'
  if (accuracy > TARGET) return badge('met', 'good', 'check')
  return state === 'finished' ? badge('no', 'warn') : '–'
}

function words({ runs, ended, etaSeconds }: RunSet): string {
  const done = `${ended} of ${runs.length} finished`
  if (ended === runs.length) return done
  if (etaSeconds === null) {
    return `${done}; time left is known once a run of each architecture has finished`
  }
  return `${done}, about ${duration(etaSeconds)} left`
}

function row({ run, etaSeconds }: RunInSet): Html {
  const { history, bestEpoch, phases } = run.progress
  const best = history.find(({ epoch }) => epoch === bestEpoch)
  const waits = isOpen(run) && etaSeconds !== null ? `about ${duration(etaSeconds)}` : undefined
  return html`<tr>
    <th scope="row">${runLink(run)}</th>
    <td>${stateBadge(run.state)}${run.reason && html`<span class="row-note">${run.reason}</span>`}</td>
    <td>${isUnderWay(run) ? progressBar(run) : html`<span class="hint">${history.length > 0 ? count(history.length, 'epoch') : (waits ?? '–')}</span>`}</td>
    ${PHASES.map((phase) => html`<td class="number">${phases[phase] === undefined ? '–' : duration(phases[phase])}</td>`)}
    <td class="number">${best?.valAccuracy.toFixed(3) ?? '–'}</td>
    <td>${target(run, best?.valAccuracy)}</td>
    <td>${run.version ? versionLink(run.version) : '–'}</td>
  </tr>`
}
