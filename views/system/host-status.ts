// A model host as a page shows it: one row of the runtime's status.
import { html } from 'hono/html'
import { badge, type Html, type Tone } from '../shared/components.ts'
import { bytes } from '../shared/format.ts'
import { versionLink } from '../shared/version-parts.ts'

export interface HostStatus {
  /** The version that it has loaded. */
  readonly id: string
  readonly precision: string
  readonly pid: number | null
  readonly state: string
  readonly reason: string | null
  readonly rssBytes: number | null
  readonly inFlight: number
  readonly role: string
}

const TONES: Readonly<Record<string, Tone>> = { ready: 'good', failed: 'bad', crashed: 'bad' }

export function hostBadge(host: HostStatus): Html {
  return badge(`host ${host.state}`, TONES[host.state] ?? 'neutral')
}

export function hostTable(hosts: readonly HostStatus[]): Html {
  return html`<div class="table-wrap" tabindex="0" role="region" aria-label="Model hosts"><table
    class="table">
    <thead><tr><th scope="col">Version</th><th scope="col">Role</th><th scope="col">State</th>
    <th scope="col" class="number">In flight</th><th scope="col" class="number">Memory</th>
    <th scope="col" class="number">Process</th></tr></thead>
    <tbody>${hosts.map(
      (host) => html`<tr>
        <th scope="row">${versionLink(host.id)}${host.precision !== 'float32' && html` <span class="row-note">in ${host.precision}</span>`}</th>
        <td>${host.role}</td>
        <td>${hostBadge(host)} ${
          host.reason &&
          html`<span
          class="row-note">${host.reason}</span>`
        }</td>
        <td class="number">${host.inFlight}</td>
        <td class="number">${bytes(host.rssBytes)}</td>
        <td class="number">${host.pid ?? '–'}</td>
      </tr>`,
    )}</tbody>
  </table></div>`
}
