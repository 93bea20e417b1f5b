// Runs in a table: what runs, what waits, what ended. Refreshes itself while something is open.
import { html } from 'hono/html'
import type { Run } from '../../src/registry/runs/runs.ts'
import { emptyState, type Html, nextPage, time } from '../shared/components.ts'
import { links } from '../shared/links.ts'
import { versionLink } from '../shared/version-parts.ts'
import { isOpen, isUnderWay, progressBar, runLink, stateBadge } from './parts.ts'

export interface RunListProps {
  /** Newest first. */
  readonly runs: readonly Run[]
  readonly nextCursor: string | null
}

/** Fragment `#run-list`. */
export function runList({ runs, nextCursor }: RunListProps): Html {
  const live = runs.some(isOpen)
    ? html` hx-get="${links.training()}" hx-trigger="every 3s" hx-swap="outerMorph"`
    : ''
  const older = nextCursor === null ? undefined : links.training({ cursor: nextCursor })
  return html`<section id="run-list" class="run-list" aria-label="Runs"${live}>
    <h2>Runs</h2>
    ${
      runs.length === 0
        ? emptyState('No training runs yet', 'Runs appear here with their progress.')
        : html`<div class="table-wrap" tabindex="0" role="region" aria-label="Table of runs"><table class="table">
      <thead><tr><th scope="col">Run</th><th scope="col">State</th><th scope="col">Progress</th><th scope="col" class="number">Validation accuracy</th><th scope="col">Version</th></tr></thead>
      <tbody>${runs.map(row)}</tbody>
    </table></div>`
    }
    ${nextPage(older)}
  </section>`
}

function row(run: Run): Html {
  const { history, bestEpoch } = run.progress
  const best = history.find(({ epoch }) => epoch === bestEpoch)
  return html`<tr>
    <th scope="row">${runLink(run)}<span class="row-note">${time(run.createdAt)}</span></th>
    <td>${stateBadge(run.state)}${run.reason && html`<span class="row-note">${run.reason}</span>`}</td>
    <td>${isUnderWay(run) ? progressBar(run) : html`<span class="hint">${history.length > 0 ? `${history.length} epochs` : '–'}</span>`}</td>
    <td class="number">${best?.valAccuracy.toFixed(3) ?? '–'}</td>
    <td>${run.version ? versionLink(run.version) : '–'}</td>
  </tr>`
}
