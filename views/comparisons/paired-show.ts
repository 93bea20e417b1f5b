// One comparison on many images: how far it is, the figures, and the images on which the two versions differ.
import { html } from 'hono/html'
import type { PairedEntry, PairedJob, PairedPair } from '../../src/registry/paired/paired-jobs.ts'
import type { PairedSummary } from '../../src/statistics/paired-summary.ts'
import { emptyState, facts, type Html, nextPage, notice, time } from '../shared/components.ts'
import { percent, probability } from '../shared/format.ts'
import { jobBadge } from '../shared/job-badge.ts'
import { type Frame, page } from '../shared/layout.ts'
import { links } from '../shared/links.ts'
import { shortVersion, versionLink } from '../shared/version-parts.ts'
import { jobTitle } from './paired-list.ts'

export interface PairedPageProps {
  readonly frame: Frame
  readonly job: PairedJob
  /** Those on which they differ, a page of them. */
  readonly different: readonly (PairedEntry & { readonly n: number })[]
  /** Of the next page. */
  readonly after: number | null
}

export function pairedPage(props: PairedPageProps): Html {
  const { frame, job } = props
  return page(
    frame,
    { title: jobTitle(job), width: 'wide' },
    html`<header class="heading"><h1>${jobTitle(job)}</h1>
      <p class="hint">${job.condition}${job.folder && ` · ${job.folder} (${job.split})`} · started ${time(job.createdAt)} by ${job.by}
        · <a href="${links.ab({ condition: job.condition })}">all comparisons</a></p></header>
    ${pairedPanel(props)}`,
  )
}

/** Fragment `#paired`: refreshes itself while the job runs. */
export function pairedPanel({ job, different, after }: PairedPageProps): Html {
  const running = job.endedAt === null
  const live = running
    ? html` hx-get="${links.abJob(job.id)}" hx-trigger="every 2s" hx-swap="outerMorph"`
    : ''
  return html`<div id="paired" class="stack"${live}>
    <p>${jobBadge(job)} ${job.done} of ${job.total} images ${job.reason && html`<span class="hint">${job.reason}</span>`}</p>
    ${
      running &&
      html`<progress max="${job.total}" value="${job.done}" aria-label="Images read"></progress>
      <p class="hint needs-no-script"><a href="${links.abJob(job.id)}">Refresh</a></p>`
    }
    <p>A is ${versionLink(job.a)}, B is ${versionLink(job.b)}.</p>
    ${job.summary && figures(job.summary)}
    ${actions(job)}
    ${differences(job, different)}
    ${nextPage(after === null ? undefined : links.abJob(job.id, { after }), 'More')}
    <p class="research-note">Research use only. Not a medical device. Clinical judgement required.</p>
  </div>`
}

function actions(job: PairedJob): Html {
  if (job.endedAt === null) {
    return html`<form method="post" action="${links.abAction(job.id, 'stop')}"><button class="button"
      type="submit">Stop</button></form>`
  }
  return html`<div class="button-row">
    <a class="button" href="${links.abCsv(job.id)}" download>Every image as CSV</a>
    <a class="button" href="${links.abCsv(job.id, { only: 'different' })}" download>Where they differ as CSV</a>
    <form method="post" action="${links.abAction(job.id, 'delete')}" data-confirm="Delete this comparison?">
      <button class="button button-quiet" type="submit">Delete</button></form>
  </div>`
}

function figures(summary: PairedSummary & { readonly failed: number }): Html {
  const { truth, auc } = summary
  const { mcnemar } = truth
  const figure = (value: number | null): string => (value === null ? '–' : value.toFixed(3))
  return html`<section class="stack" aria-label="Figures"><h2>Figures</h2>
    ${summary.n === 0 && notice('No image could be analysed.', { tone: 'warn' })}
    ${facts([
      ['Images analysed by both', summary.n],
      ['Failed', summary.failed > 0 ? summary.failed : undefined],
      ['Same decision', summary.agreement === null ? '–' : percent(summary.agreement)],
      ['Cohen’s kappa', figure(summary.kappa)],
      ['Mean difference in probability', figure(summary.meanGap)],
      ['Images with known label', truth.n],
      ['Correct: A, B', truth.n > 0 ? `${truth.aRight}, ${truth.bRight}` : undefined],
      [
        'McNemar',
        truth.n > 0
          ? `${mcnemar.b} only A correct, ${mcnemar.c} only B correct; p ${mcnemar.p.toFixed(4)} (${mcnemar.method}${mcnemar.midP === null ? '' : `, mid-p ${mcnemar.midP.toFixed(4)}`})`
          : undefined,
      ],
      ...auc.map(
        (one) =>
          [
            `AUC of ${one.label}: A, B`,
            `${one.a.toFixed(3)}, ${one.b.toFixed(3)}; DeLong p ${one.p === null ? 'unknown' : one.p.toFixed(4)}`,
          ] as const,
      ),
    ])}
    ${pairedTable(summary)}
    <p class="hint">P-values are for a single comparison and are not adjusted for trying several versions on the same images.</p>
  </section>`
}

/** How often A predicted one label and B another. */
function pairedTable({ decisions }: PairedSummary): Html | undefined {
  const labels = [...new Set(decisions.flatMap(({ a, b }) => [a, b]))].sort()
  if (labels.length === 0) return undefined
  const count = (a: string, b: string): number =>
    decisions.find((one) => one.a === a && one.b === b)?.n ?? 0
  return html`<div class="table-wrap" tabindex="0" role="region" aria-label="Paired table"><table class="table">
    <thead><tr><th scope="col">A \\ B</th>${labels.map((label) => html`<th scope="col" class="number">${label}</th>`)}</tr></thead>
    <tbody>${labels.map(
      (a) =>
        html`<tr><th scope="row">${a}</th>${labels.map((b) => html`<td class="number">${count(a, b)}</td>`)}</tr>`,
    )}</tbody></table></div>`
}

function differences(job: PairedJob, entries: PairedPageProps['different']): Html {
  const pairs = entries.filter((one): one is PairedPair & { n: number } => 'agree' in one)
  return html`<section class="stack" aria-label="Where they differ"><h2>Where they differ</h2>
    ${
      pairs.length === 0
        ? emptyState(
            job.state === 'running' ? 'No differences so far' : 'No differences',
            'Both versions agree on every image analysed.',
          )
        : html`<ul class="prediction-grid">${pairs.map((pair) => card(job, pair))}</ul>`
    }
  </section>`
}

function card(job: PairedJob, pair: PairedPair & { readonly n: number }): Html {
  const side = (which: 'a' | 'b', id: string): Html => {
    const { label, probabilities } = pair[which]
    return html`<p class="card-line">${which.toUpperCase()} <span class="visually-hidden">${shortVersion(id)}</span>
      <strong>${label}</strong> ${probability(probabilities[label] ?? null)}</p>`
  }
  const name =
    job.kind === 'reread' ? 'Earlier result' : (pair.image.split('/').at(-1) ?? pair.image)
  return html`<li class="prediction-card">
    <img class="thumbnail" src="${links.abImage(job.id, pair.n)}" alt="" width="72" height="72" loading="lazy" />
    <div>
      <p class="card-title">${
        job.kind === 'reread'
          ? html`<a href="${links.prediction(pair.image)}">${name}</a>`
          : html`<span title="${pair.image}">${name}</span>`
      }</p>
      ${side('a', job.a)}${side('b', job.b)}
      <p class="hint">${pair.truth === null ? 'true label unknown' : `true label: ${pair.truth}`}</p>
    </div>
  </li>`
}
