// A training run as it appears in lists and on its own page: its state, how far it is, its name in words.
import { html } from 'hono/html'
import type { Run } from '../../src/registry/runs/runs.ts'
import { badge, type Html, type IconName, type Tone } from '../shared/components.ts'
import { duration } from '../shared/format.ts'
import { links } from '../shared/links.ts'

const STATES: Readonly<Record<Run['state'], readonly [Tone, IconName | undefined]>> = {
  queued: ['neutral', 'clock'],
  preparing: ['accent', undefined],
  running: ['accent', undefined],
  paused: ['warn', 'clock'],
  interrupted: ['warn', 'warning'],
  cancelled: ['neutral', 'cross'],
  failed: ['bad', 'cross'],
  finished: ['good', 'check'],
}

export function stateBadge(state: Run['state']): Html {
  const [tone, sign] = STATES[state]
  return badge(state, tone, sign)
}

/** Its process works, or is held between two batches. */
export function isUnderWay({ state, progress }: Run): boolean {
  return (
    state === 'preparing' || state === 'running' || (state === 'paused' && progress.phase !== null)
  )
}

/** Something about it will still change. */
export function isOpen({ state }: Run): boolean {
  return !['cancelled', 'failed', 'finished'].includes(state)
}

export function runName({ architecture, preset, datasetName }: Run): string {
  return `${architecture}, ${preset}, on ${datasetName}`
}

export function runLink(run: Run): Html {
  return html`<a href="${links.run(run.id)}">${run.condition}: ${runName(run)}</a>`
}

/** A bar and the words for it. Their parts are named so that run.js can keep them up to date between two renderings. */
export function progressBar(run: Run): Html {
  const { done, words } = progressOf(run)
  return html`<div class="run-progress">
    <progress max="1" value="${done.toFixed(4)}" aria-label="Progress" data-run-bar>${Math.round(done * 100)}%</progress>
    <p class="hint" data-run-words>${words}</p>
  </div>`
}

function progressOf({ progress }: Run): { readonly done: number; readonly words: string } {
  const { phase, prepared, epoch, epochs, batch, batches, etaSeconds } = progress
  if (phase === 'preparing') {
    if (!prepared) return { done: 0, words: 'loading the dataset' }
    const done = prepared.total === 0 ? 0 : prepared.done / prepared.total
    return { done, words: `decoding images, ${prepared.done} of ${prepared.total}` }
  }
  if (phase === 'evaluating') return { done: 1, words: 'calibrating and evaluating' }
  if (phase === 'writing') return { done: 1, words: 'writing the package' }
  if (epochs === 0 || epoch === 0) return { done: 0, words: 'not started' }
  const within = batches === 0 ? 1 : batch / batches
  const done = Math.min(1, (epoch - 1 + within) / epochs)
  const rest = etaSeconds === null ? '' : `, about ${duration(etaSeconds)} left`
  const place = batches === 0 ? '' : `, batch ${batch} of ${batches}`
  return { done, words: `epoch ${epoch} of ${epochs}${place}${rest}` }
}
