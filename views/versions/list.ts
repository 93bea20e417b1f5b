// The registry's versions: search, filter, sort and rank. All of it is in the address, so a view can be kept or sent.

import { html } from 'hono/html'
import type { Condition } from '../../src/registry/conditions/conditions.ts'
import type { InboxItem } from '../../src/registry/inbox/inbox.ts'
import type { VersionStatus } from '../../src/registry/schema/states.ts'
import type { Version } from '../../src/registry/versions/versions.ts'
import {
  badge,
  type Choice,
  emptyState,
  field,
  type Html,
  nextPage,
  options,
  time,
} from '../shared/components.ts'
import { type ProblemProps, problemNotice } from '../shared/error.ts'
import { count } from '../shared/format.ts'
import { type Frame, page } from '../shared/layout.ts'
import { links } from '../shared/links.ts'
import {
  activeBadge,
  METRICS,
  metricText,
  shortVersion,
  statusBadge,
} from '../shared/version-parts.ts'
import { inboxList } from './inbox-list.ts'

/** The query as it was asked, as text; undefined where absent. */
export interface ModelFilter {
  readonly condition?: string | undefined
  readonly architecture?: string | undefined
  readonly status?: string | undefined
  readonly tag?: string | undefined
  readonly minAccuracy?: string | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly q?: string | undefined
  readonly sort?: string | undefined
  readonly order?: string | undefined
}

export interface ModelListProps {
  readonly frame: Frame
  readonly items: readonly Version[]
  readonly nextCursor: string | null
  readonly total: number
  readonly filter: ModelFilter
  readonly conditions: readonly Condition[]
  readonly architectures: readonly string[]
  /** Dropped into models/inbox and not registered. */
  readonly inbox?: readonly InboxItem[] | undefined
  readonly problem?: ProblemProps | undefined
}

const COLUMNS = [
  { key: 'name', text: 'Version', order: 'asc' },
  { key: 'accuracy', text: 'Accuracy', order: 'desc' },
  { key: 'auc', text: 'AUC', order: 'desc' },
  { key: 'sensitivity', text: 'Sensitivity', order: 'desc' },
  { key: 'specificity', text: 'Specificity', order: 'desc' },
  { key: 'createdAt', text: 'Created', order: 'desc' },
] as const

const STATUSES = Object.keys({
  verified: true,
  unevaluated: true,
  quarantined: true,
  deleted: true,
} satisfies Record<VersionStatus, true>)

export function modelListPage(props: ModelListProps): Html {
  return page(
    props.frame,
    { title: 'Models', width: 'wide' },
    html`<header class="heading"><h1>Models</h1>
      <p>All model versions with held-out test metrics.
        <a href="${links.modelComparison([])}">Compare versions</a></p></header>
    ${props.problem && problemNotice(props.problem)}
    ${filters(props)}
    ${modelRows(props)}
    ${inboxList(props.inbox)}
    ${importForm()}`,
  )
}

function filters({ filter, conditions, architectures }: ModelListProps): Html {
  const any = (text: string): Choice => ({ value: '', text })
  const plain = (value: string): Choice => ({ value, text: value })
  const select = (name: string, choices: readonly Choice[], chosen: string | undefined): Html =>
    html`<select id="filter-${name}" name="${name}">${options(choices, chosen ?? '')}</select>`
  const input = (name: string, type: string, value: string | undefined): Html =>
    html`<input id="filter-${name}" name="${name}" type="${type}" value="${value ?? ''}"
      autocomplete="off" />`
  const action = links.models()
  return html`<form class="filters" method="get" action="${action}" hx-get="${action}"
    hx-target="#model-rows" hx-swap="outerHTML"
    hx-trigger="change, submit, input delay:300ms from:#filter-q" hx-sync="this:replace"
    hx-push-url="true">
    ${field('filter-q', { label: 'Search', control: input('q', 'search', filter.q) })}
    ${field('filter-condition', { label: 'Condition', control: select('condition', [any('All'), ...conditions.map(({ id, name }) => ({ value: id, text: name }))], filter.condition) })}
    ${field('filter-architecture', { label: 'Architecture', control: select('architecture', [any('All'), ...architectures.map(plain)], filter.architecture) })}
    ${field('filter-status', { label: 'Status', control: select('status', [any('All except deleted'), ...STATUSES.map(plain)], filter.status) })}
    <details class="filters-more"${filter.tag || filter.minAccuracy || filter.from || filter.to ? html` open` : ''}>
      <summary>More</summary>
      <div class="filters-row">
        ${field('filter-tag', { label: 'Tag', control: input('tag', 'text', filter.tag) })}
        ${field('filter-minAccuracy', {
          label: 'Minimum accuracy (0 to 1)',
          control: html`<input
          id="filter-minAccuracy" name="minAccuracy" type="number" min="0" max="1" step="0.01"
          value="${filter.minAccuracy ?? ''}" />`,
        })}
        ${field('filter-from', { label: 'Created from', control: input('from', 'date', filter.from) })}
        ${field('filter-to', { label: 'to', control: input('to', 'date', filter.to) })}
      </div>
    </details>
    ${filter.sort && html`<input type="hidden" name="sort" value="${filter.sort}" />`}
    ${filter.order && html`<input type="hidden" name="order" value="${filter.order}" />`}
    <button class="button" type="submit">Search</button>
  </form>`
}

/** Fragment `#model-rows`. */
export function modelRows(props: ModelListProps): Html {
  const { items, nextCursor, total, filter, conditions } = props
  const active = new Map(conditions.map((one) => [one.active?.version, one.active?.state]))
  const more = nextCursor === null ? undefined : links.models({ ...filter, cursor: nextCursor })
  return html`<div id="model-rows">
    <p class="hint" role="status">${count(total, 'version')}</p>
    ${
      items.length === 0
        ? emptyState(
            'No matching versions',
            html`<a href="${links.models()}">Show all versions</a>, or import a model below.`,
          )
        : html`<div class="table-wrap" tabindex="0" role="region" aria-label="Versions"><table
          class="table">
      <thead><tr>${COLUMNS.map((column) => heading(column, filter))}<th
        scope="col">Status</th></tr></thead>
      <tbody>${items.map((one) => row(one, active.get(one.id)))}</tbody>
    </table></div>`
    }
    ${nextPage(more, 'More versions')}
  </div>`
}

function heading(column: (typeof COLUMNS)[number], filter: ModelFilter): Html {
  const sorted = (filter.sort ?? 'createdAt') === column.key
  const order = filter.order ?? (filter.sort === 'name' ? 'asc' : 'desc')
  const next = sorted ? (order === 'asc' ? 'desc' : 'asc') : column.order
  const direction = order === 'asc' ? 'ascending' : 'descending'
  const numeric = column.key !== 'name' && column.key !== 'createdAt'
  return html`<th scope="col" class="${numeric ? 'number' : 'words'}"
    aria-sort="${sorted ? direction : 'none'}"><a
    href="${links.models({ ...filter, sort: column.key, order: next })}">${column.text}${sorted && html`<span class="sort-mark" aria-hidden="true"> ${order === 'asc' ? '↑' : '↓'}</span>`}</a></th>`
}

function row(version: Version, state: 'ok' | 'damaged' | undefined): Html {
  const shown = METRICS.filter(({ key }) => COLUMNS.some((column) => column.key === key))
  return html`<tr>
    <th scope="row"><a
      href="${links.version(version.id)}">${shortVersion(version.id)}</a> ${state && activeBadge(state)}
      <span class="row-note">${version.condition} · ${version.architecture}${version.tags.map((tag) => html` ${badge(tag)}`)}</span></th>
    ${shown.map(
      ({ key }) => html`<td
      class="number">${version.metrics ? metricText(key, version.metrics[key]) : '–'}</td>`,
    )}
    <td>${time(version.createdAt)}</td>
    <td>${statusBadge(version.status)}</td>
  </tr>`
}

function importForm(): Html {
  return html`<details class="panel">
    <summary>Import a model</summary>
    <form class="stack" method="post" action="${links.modelImport}" enctype="multipart/form-data">
      ${field('package', {
        label: 'Package or model file',
        control: html`<input type="file" id="package"
        name="package" accept=".zip,.onnx,.keras,.h5,.hdf5,.pth,.pt,.safetensors" required
        aria-describedby="package-hint" />`,
        hint: 'A .roentgen.zip is verified file by file. For other models (.onnx, .keras, .h5, .pth, .safetensors, or a zipped TF.js model) you describe classes and preprocessing next and test on an image. Imported versions are not activated.',
      })}
      <button class="button" type="submit">Import</button>
    </form>
  </details>`
}
