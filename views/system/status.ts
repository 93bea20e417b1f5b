// What is going on: readiness, model hosts, counts, the machine. The panel refreshes itself every five seconds.
import { html } from 'hono/html'
import type { InboxItem } from '../../src/registry/inbox/inbox.ts'
import { badge, emptyState, facts, type Html, notice, time } from '../shared/components.ts'
import { timestamp } from '../shared/format.ts'
import { type Frame, page } from '../shared/layout.ts'
import { links } from '../shared/links.ts'
import { inboxList } from '../versions/inbox-list.ts'
import { type HostStatus, hostTable } from './host-status.ts'

export interface StatusProps {
  readonly frame: Frame
  readonly readiness: { readonly ready: boolean; readonly reasons: readonly string[] }
  /** What a person should know of or decide about. */
  readonly warnings?: readonly { readonly key: string; readonly sentence: string }[]
  readonly hosts: readonly HostStatus[]
  readonly inbox?: readonly InboxItem[] | undefined
  readonly counts: readonly { readonly label: string; readonly value: number | string }[]
  readonly system: readonly { readonly label: string; readonly value: string }[]
  /** ISO 8601. */
  readonly at: string
}

export function statusPage(props: StatusProps): Html {
  return page(
    props.frame,
    { title: 'Status', width: 'wide' },
    html`<header class="heading"><h1>Status</h1>
      <p><a href="${links.notifications}">Notifications</a> when a training or comparison ends.</p></header>${statusPanel(props)}
      <p><a href="${links.jobs()}">Jobs</a>: background work, running, queued and finished.</p>
      <p><a href="${links.archive}">PACS integration</a>: incoming images, status, routing.</p>
      <p class="hint">For monitoring: <a href="/healthz">/healthz</a>, <a
        href="/readyz">/readyz</a>, <a href="/metrics">/metrics</a>.</p>`,
  )
}

/** Fragment `#status-panel`. */
export function statusPanel({
  readiness,
  warnings = [],
  hosts,
  inbox,
  counts,
  system,
  at,
}: StatusProps): Html {
  return html`<div id="status-panel" hx-get="${links.status}" hx-trigger="every 5s"
    hx-swap="outerMorph">
    <p class="status-line">${readiness.ready ? badge('ready', 'good', 'check') : badge('not ready', 'warn', 'warning')} <span class="hint">as of ${time(at)}</span></p>
    ${
      readiness.reasons.length > 0 &&
      html`<ul
      class="plain">${readiness.reasons.map((reason) => html`<li>${reason}</li>`)}</ul>`
    }
    ${warnings.map(({ key, sentence }) =>
      notice(
        html`${sentence}${key === 'clock' && html` <form method="post" action="/status/clock"><button class="button">The clock is right</button></form>`}`,
        { tone: 'warn' },
      ),
    )}
    <ul class="figure-grid">${counts.map(
      ({ label, value }) => html`<li><span
      class="figure-name">${label}</span><span class="figure-value">${value}</span></li>`,
    )}</ul>
    <h2>Model hosts</h2>
    ${hosts.length === 0 ? emptyState('No model loaded', 'Models load when a version is activated.') : hostTable(hosts)}
    ${inboxList(inbox)}
    <h2>This machine</h2>
    ${facts(system.map(({ label, value }) => [label, timestamp(value)]))}
  </div>`
}
