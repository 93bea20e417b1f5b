// Two versions on many images: the form that begins such a comparison, and those that were made.
import { html } from 'hono/html'
import type { PairedJob } from '../../src/registry/paired/paired-jobs.ts'
import { emptyState, field, type Html, options, time } from '../shared/components.ts'
import { type ProblemProps, problemNotice } from '../shared/error.ts'
import { percent } from '../shared/format.ts'
import { jobBadge } from '../shared/job-badge.ts'
import { type Frame, page } from '../shared/layout.ts'
import { links } from '../shared/links.ts'
import { type ConditionChoice, shortVersion, versionOptions } from '../shared/version-parts.ts'

export interface PairedListProps {
  readonly frame: Frame
  readonly choices: readonly ConditionChoice[]
  /** Folders below the data root that are known, to choose from. */
  readonly folders: readonly string[]
  readonly jobs: readonly PairedJob[]
  readonly chosen: {
    readonly condition?: string | undefined
    readonly a?: string | undefined
    readonly b?: string | undefined
    readonly folder?: string | undefined
    readonly split?: string | undefined
  }
  readonly problem?: ProblemProps | undefined
}

const SPLITS = [
  { value: '', text: 'Test images if prepared, otherwise all' },
  { value: 'test', text: 'Test' },
  { value: 'validation', text: 'Validation' },
  { value: 'calibration', text: 'Calibration' },
  { value: 'train', text: 'Training' },
  { value: 'all', text: 'All' },
]

export function pairedListPage(props: PairedListProps): Html {
  const { frame, problem, jobs } = props
  return page(
    frame,
    { title: 'Compare on a set of images', width: 'wide' },
    html`<header class="heading"><h1>Compare on a set of images</h1>
      <p>Runs two versions on the same images. Shows the paired table, McNemar’s and DeLong’s tests, and the images on which they disagree. <a href="${links.compare()}">Single image</a></p></header>
    ${problem && problemNotice(problem)}
    <div class="condition-columns">
      <div class="condition-main">${jobTable(jobs)}</div>
      <div class="condition-side">${folderForm(props)}${rereadForm(props)}</div>
    </div>`,
  )
}

function versionField(
  id: string,
  {
    choices,
    chosen,
    label,
  }: { choices: readonly ConditionChoice[]; chosen?: string | undefined; label: string },
): Html {
  const name = id.split('-').at(-1)
  return field(id, {
    label,
    control: html`<select id="${id}" name="${name}" required>${versionOptions(choices, { chosen, first: 'Choose a version' })}</select>`,
  })
}

function folderForm({ choices, chosen, folders }: PairedListProps): Html {
  const fallback = choices.find(({ condition }) => condition.id === chosen.condition)
  const a = chosen.a ?? fallback?.condition.active?.version
  return html`<section class="panel" aria-label="A set of images"><h2>A set of images</h2>
    <form class="stack" method="post" action="${links.ab()}">
      ${versionField('a', { choices, chosen: a, label: 'Version A' })}
      ${versionField('b', { choices, chosen: chosen.b, label: 'Version B' })}
      ${field('folder', {
        label: 'Dataset folder',
        control: html`<input id="folder" name="folder" list="folders" required maxlength="500"
        value="${chosen.folder ?? ''}" autocomplete="off" aria-describedby="folder-hint" />
        <datalist id="folders">${folders.map((one) => html`<option value="${one}"></option>`)}</datalist>`,
        hint: 'Labels come from class folders or a label table.',
      })}
      ${field('split', { label: 'Split', control: html`<select id="split" name="split">${options(SPLITS, chosen.split ?? '')}</select>` })}
      <button class="button button-primary" type="submit">Compare</button>
    </form>
  </section>`
}

function rereadForm({ choices, chosen }: PairedListProps): Html {
  return html`<section class="panel" aria-label="What was read before"><h2>Earlier predictions</h2>
    <form class="stack" method="post" action="${links.ab()}">
      <input type="hidden" name="kind" value="reread" />
      ${versionField('reread-a', { choices, chosen: chosen.a, label: 'Predicted by' })}
      ${versionField('reread-b', { choices, chosen: chosen.b, label: 'Re-run with' })}
      ${field('limit', {
        label: 'Last N images',
        control: html`<input id="limit" name="limit" type="number" min="1" max="100000" step="1"
        value="1000" required />`,
      })}
      <button class="button" type="submit">Re-run</button>
    </form>
  </section>`
}

/** What was compared, in words. */
export function jobTitle(job: PairedJob): string {
  const [a, b] = [shortVersion(job.a), shortVersion(job.b)]
  return job.kind === 'reread' ? `Predictions of ${a}, re-run with ${b}` : `${a} and ${b}`
}

function jobTable(jobs: readonly PairedJob[]): Html {
  if (jobs.length === 0) {
    return emptyState('No comparisons yet', 'Comparisons appear here once started.')
  }
  return html`<div class="table-wrap" tabindex="0" role="region" aria-label="Comparisons"><table class="table">
    <thead><tr><th scope="col">Comparison</th><th scope="col">State</th><th scope="col" class="number">Images</th>
      <th scope="col" class="number">Same decision</th></tr></thead>
    <tbody>${jobs.map(
      (job) => html`<tr><th scope="row"><a href="${links.abJob(job.id)}">${jobTitle(job)}</a>
        <span class="row-note">${job.condition}${job.folder && ` · ${job.folder}`} · ${time(job.createdAt)} · ${job.by}</span></th>
      <td>${jobBadge(job)}</td><td class="number">${job.done} of ${job.total}</td>
      <td class="number">${job.summary?.agreement == null ? '–' : percent(job.summary.agreement)}</td></tr>`,
    )}</tbody></table></div>`
}
