// All work in the background: what runs, what waits, how it ended. The panel refreshes itself while something is open.
import { html } from 'hono/html'
import type { JobState } from '../../src/registry/jobs/job-store.ts'
import { emptyState, field, type Html, nextPage, options, time } from '../shared/components.ts'
import { jobBadge } from '../shared/job-badge.ts'
import { type Frame, page } from '../shared/layout.ts'
import { links } from '../shared/links.ts'

export interface ShownJob {
  readonly id: string
  readonly kind: string
  readonly state: JobState
  readonly reason: string | null
  readonly progress: {
    readonly done: number
    readonly total: number
    readonly unit: string
  } | null
  readonly owner: string
  readonly attempt: number
  readonly subject: { readonly type: string; readonly id: string } | null
  readonly createdAt: string
  readonly endedAt: string | null
  readonly links: { readonly cancel: string | null; readonly page: string | null }
}

export interface JobsProps {
  readonly frame: Frame
  readonly kinds: readonly { readonly name: string; readonly title: string }[]
  readonly states: readonly JobState[]
  readonly chosen: { readonly kind: string | undefined; readonly state: JobState | undefined }
  readonly jobs: readonly ShownJob[]
  /** Of this page; undefined on the first. */
  readonly cursor: string | undefined
  readonly next: string | null
}

export function jobsPage(props: JobsProps): Html {
  const { frame, kinds, states, chosen } = props
  const kindOptions = [
    { value: '', text: 'Every kind' },
    ...kinds.map(({ name, title }) => ({ value: name, text: title })),
  ]
  const stateOptions = [
    { value: '', text: 'Every state' },
    ...states.map((state) => ({ value: state, text: state })),
  ]
  return page(
    frame,
    { title: 'Jobs', width: 'wide' },
    html`<header class="heading"><h1>Jobs</h1>
      <p>All work in the background. <a href="${links.status}">Status</a></p></header>
    <form class="filters" method="get" action="${links.jobs()}">
      ${field('kind', { label: 'Kind', control: html`<select id="kind" name="kind">${options(kindOptions, chosen.kind ?? '')}</select>` })}
      ${field('state', { label: 'State', control: html`<select id="state" name="state">${options(stateOptions, chosen.state ?? '')}</select>` })}
      <button class="button" type="submit">Show</button>
    </form>
    ${jobsPanel(props)}`,
  )
}

/** Fragment `#jobs-panel`. */
export function jobsPanel(props: JobsProps): Html {
  const { chosen, jobs, cursor, next } = props
  const isLive = jobs.some(({ endedAt, state }) => endedAt === null && state !== 'interrupted')
  const here = links.jobs({ ...chosen, cursor })
  const live = isLive ? html` hx-get="${here}" hx-trigger="every 3s" hx-swap="outerMorph"` : ''
  return html`<div id="jobs-panel" class="stack"${live}>
    ${jobs.length === 0 ? emptyState('No such job', 'Work that is begun appears here.') : table(props)}
    ${nextPage(next === null ? undefined : links.jobs({ ...chosen, cursor: next }), 'Older')}
  </div>`
}

function table({ jobs, kinds }: JobsProps): Html {
  const titleOf = (kind: string) => kinds.find(({ name }) => name === kind)?.title ?? kind
  return html`<div class="table-wrap" tabindex="0" role="region" aria-label="Table of jobs"><table class="table">
    <thead><tr><th scope="col">Job</th><th scope="col">State</th><th scope="col">Progress</th>
      <th scope="col" class="number">Attempt</th><th scope="col">By</th><th scope="col">Since</th>
      <th scope="col"><span class="visually-hidden">Actions</span></th></tr></thead>
    <tbody>${jobs.map(
      (job) => html`<tr>
        <th scope="row">${nameOf(job, titleOf(job.kind))}
          ${job.subject && html`<p class="row-note">${job.subject.id}</p>`}</th>
        <td>${jobBadge(job)}
          ${job.reason && html`<p class="row-note">${job.reason}</p>`}</td>
        <td>${progressOf(job)}</td>
        <td class="number">${job.attempt}</td>
        <td>${job.owner}</td>
        <td>${time(job.createdAt)}</td>
        <td>${job.links.cancel && cancelForm(job)}</td></tr>`,
    )}</tbody></table></div>`
}

function nameOf({ links: { page: address } }: ShownJob, title: string): Html {
  return address === null ? html`${title}` : html`<a href="${address}">${title}</a>`
}

function progressOf({ progress, endedAt }: ShownJob): Html {
  if (!progress || progress.total === 0) return html`–`
  const { done, total, unit } = progress
  return html`${endedAt === null && html`<progress max="${total}" value="${done}" aria-label="Done"></progress>`}
    ${done} of ${total} ${unit}`
}

function cancelForm({ id }: ShownJob): Html {
  return html`<form method="post" action="${links.jobCancel(id)}" data-confirm="Cancel this job?"><button
    class="button button-quiet" type="submit">Cancel</button></form>`
}
