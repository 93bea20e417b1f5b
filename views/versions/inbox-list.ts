// What lies in models/inbox and is not a version yet, with what it waits for. Nothing at all when the inbox is empty.
import { html } from 'hono/html'
import type { InboxItem } from '../../src/registry/inbox/inbox.ts'
import { badge, type Html, type Tone } from '../shared/components.ts'

const STATES: Readonly<Record<InboxItem['state'], { text: string; tone: Tone }>> = {
  waiting: { text: 'arriving', tone: 'neutral' },
  'needs-details': { text: 'needs details', tone: 'warn' },
  refused: { text: 'refused', tone: 'bad' },
}

export function inboxList(items: readonly InboxItem[] | undefined): Html | undefined {
  if (!items || items.length === 0) return undefined
  return html`<section aria-labelledby="inbox">
    <h2 id="inbox">Inbox</h2>
    <div class="table-wrap" tabindex="0" role="region" aria-labelledby="inbox"><table class="table">
      <thead><tr><th scope="col">Dropped</th><th scope="col">State</th><th scope="col">Reason</th></tr></thead>
      <tbody>${items.map(
        ({ name, state, reason }) => html`<tr>
        <th scope="row">${name}</th>
        <td>${badge(STATES[state].text, STATES[state].tone)}</td>
        <td>${reason}</td>
      </tr>`,
      )}</tbody>
    </table></div>
  </section>`
}
