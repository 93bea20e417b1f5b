// What a version did on images from elsewhere: the list on its page, the form that begins another, and how far that is.
import { html } from 'hono/html'
import type { RunningEvaluation } from '../../src/app/evaluations/evaluation-jobs.ts'
import type { Dataset } from '../../src/registry/runs/datasets.ts'
import type { StoredEvaluation } from '../../src/registry/versions/evaluations.ts'
import type { Version } from '../../src/registry/versions/versions.ts'
import { field, type Html, notice, options, time } from '../shared/components.ts'
import { count } from '../shared/format.ts'
import { links } from '../shared/links.ts'
import { metricText } from '../shared/version-parts.ts'

export interface VersionEvaluations {
  /** Newest first. */
  readonly items: readonly StoredEvaluation<{ readonly warnings: readonly string[] }>[]
  readonly running: RunningEvaluation | undefined
  readonly datasets: readonly Pick<Dataset, 'path'>[]
}

const SPLITS = ['test', 'all', 'train', 'validation', 'calibration']
const SHOWN = [
  { key: 'auc', text: 'AUC' },
  { key: 'sensitivity', text: 'Sensitivity' },
  { key: 'specificity', text: 'Specificity' },
  { key: 'balancedAccuracy', text: 'Balanced accuracy' },
] as const

/** The section of the version's page; asks again every other second while one runs. */
export function versionEvaluations(version: Version, shown: VersionEvaluations): Html {
  const { items, running } = shown
  const isRunning = running !== undefined && running.failure === null
  const usable = version.status === 'verified' || version.status === 'unevaluated'
  return html`<section id="evaluations" aria-label="Evaluations"${
    isRunning
      ? html` hx-get="${links.versionEvaluations(version.id)}" hx-trigger="every 2s" hx-swap="outerHTML"`
      : ''
  }><h2>External validation</h2>
    ${isRunning && runningLine(running)}
    ${running?.failure && notice(running.failure, { tone: 'bad' })}
    ${items.length > 0 ? table(version, items) : !isRunning && html`<p class="hint">None yet. Internal test results may not transfer to other sites.</p>`}
    ${usable && !isRunning && form(version, shown)}
  </section>`
}

function runningLine({ dataset, done, total }: RunningEvaluation): Html {
  return html`<div class="run-progress" role="status">
    <progress value="${done}" max="${total}" aria-label="Images read"></progress>
    <span>${done} of ${count(total, 'image')} of ${dataset}</span>
  </div>`
}

function table(version: Version, items: VersionEvaluations['items']): Html {
  return html`<div class="table-wrap" tabindex="0" role="region"
    aria-label="Table of evaluations"><table class="table">
    <thead><tr><th scope="col">Images</th><th scope="col" class="number">n</th>
      ${SHOWN.map(({ text }) => html`<th scope="col" class="number">${text}</th>`)}
      <th scope="col">When</th></tr></thead>
    <tbody>${items.map(
      (one) => html`<tr><th scope="row"><a
        href="${links.evaluation(version.id, one.id)}">${one.dataset}</a>${one.split !== 'all' && html` <span class="hint">${one.split}</span>`}
        ${one.report.warnings[0] && html`<p class="row-note">${one.report.warnings[0]}</p>`}</th>
        <td class="number">${one.metrics.n}</td>
        ${SHOWN.map(({ key }) => html`<td class="number">${metricText(key, one.metrics[key])}</td>`)}
        <td>${time(one.at)}</td></tr>`,
    )}</tbody></table></div>`
}

function form(version: Version, { datasets }: VersionEvaluations): Html {
  return html`<details class="panel"><summary>Evaluate on labelled images</summary>
    <form class="stack" method="post" action="${links.versionEvaluations(version.id)}">
      ${field('evaluate-dataset', {
        label: 'Dataset folder, or a prepared dataset',
        control: html`<input id="evaluate-dataset" name="dataset" required maxlength="500"
          list="evaluate-datasets" autocomplete="off" />
          <datalist id="evaluate-datasets">${options(
            datasets.map(({ path }) => ({ value: path, text: path })),
            undefined,
          )}</datalist>`,
        hint: 'Labels come from class folders or a label table.',
      })}
      ${field('evaluate-split', {
        label: 'Split',
        control: html`<select id="evaluate-split" name="split">
          <option value="">test split of a prepared dataset, otherwise all</option>
          ${options(
            SPLITS.map((value) => ({ value, text: value })),
            undefined,
          )}</select>`,
      })}
      <button class="button" type="submit">Evaluate</button>
    </form>
  </details>`
}
