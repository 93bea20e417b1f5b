// One training run, live: how far, curves, figures, log, and what can be done with it. The panel is fetched again by run.js
// when an event of the run says that something changed; without scripts it is a page to be loaded again.
import { html } from 'hono/html'
import type { Run } from '../../src/registry/runs/runs.ts'
import { badge, facts, type Html, notice, time } from '../shared/components.ts'
import { type ProblemProps, problemNotice } from '../shared/error.ts'
import { bytes, count, duration, score } from '../shared/format.ts'
import { type Frame, page } from '../shared/layout.ts'
import { links } from '../shared/links.ts'
import { versionLink } from '../shared/version-parts.ts'
import { epochTable, runCurves } from './curves.ts'
import { isOpen, isUnderWay, progressBar, runName, stateBadge } from './parts.ts'

export interface RunPageProps {
  readonly frame: Frame
  readonly run: Run
  readonly log: readonly { readonly at: string; readonly text: string }[]
  readonly problem?: ProblemProps | undefined
}

export function runPage(props: RunPageProps): Html {
  const { frame, run } = props
  return page(
    frame,
    { title: `${run.condition}: ${runName(run)}`, width: 'wide' },
    html`<header class="heading">
        <p class="eyebrow"><a href="${links.training()}">Training</a></p>
        <h1>${run.condition}: ${runName(run)}</h1>
        ${typeof run.lineage.set === 'string' && html`<p class="hint"><a href="${links.runSet(run.lineage.set)}">All runs of this group</a></p>`}
        <p class="hint">Queued ${time(run.createdAt)} by ${run.by} · <a href="${links.runJson(run.id)}">as JSON</a></p>
      </header>
      ${isOpen(run) && html`<noscript><p class="hint"><a href="${links.run(run.id)}">Reload this page</a> to see progress.</p></noscript>`}
      ${runPanel(props)}`,
  )
}

/** Fragment `#run-panel`: everything that changes while it runs. */
export function runPanel(props: RunPageProps): Html {
  const { run, problem } = props
  const { progress } = run
  const live = isOpen(run)
    ? html` data-run-events="${links.runEvents(run.id)}" hx-get="${links.run(run.id)}" hx-trigger="run-changed" hx-swap="outerMorph"`
    : ''
  return html`<div id="run-panel" class="run-panel"${live}>
    <div aria-live="polite">${problem && problemNotice(problem)}</div>
    <section class="panel" aria-label="State">
      <p class="run-state">${stateBadge(run.state)} ${resumedBadge(run)} ${run.reason && html`<span>${run.reason}</span>`}
        ${run.version && html`<span>Created version ${versionLink(run.version)}.</span>`}</p>
      ${(isUnderWay(run) || run.state === 'interrupted') && progressBar(run)}
      ${offer(run)}
      ${progress.notes.map((text) => notice(text, { tone: 'warn' }))}
      ${actions(run)}
    </section>
    ${progress.history.length > 0 && html`<section class="panel" aria-label="Curves">${runCurves(progress.history, { epochs: progress.epochs, best: progress.bestEpoch })}</section>`}
    <div class="run-columns">
      <section class="panel" aria-label="Figures"><h2>${isOpen(run) ? 'Now' : 'At the end'}</h2>${figures(run)}</section>
      <section class="panel" aria-label="Settings"><h2>Settings</h2>${settings(run)}</section>
    </div>
    ${log(props)}
    ${progress.history.length > 0 && html`<details class="panel"><summary><h2>Epochs</h2></summary>${epochTable(progress.history, progress.bestEpoch)}</details>`}
  </div>`
}

function resumedBadge({ progress }: Run): Html | undefined {
  const { resumed } = progress
  if (!resumed) return undefined
  if (resumed.exact) return badge('resumed')
  return html`${badge('resumed, not exact', 'warn', 'warning')} <span>Changed: ${resumed.differs.join(', ')}.</span>`
}

function figures(run: Run): Html {
  const { progress, startedAt, endedAt } = run
  const { metrics, phases, use } = progress
  const last = progress.history.at(-1)
  const both = (train: number | null | undefined, val: number | null | undefined) =>
    last ? `${train?.toFixed(3) ?? '–'}, validation ${val?.toFixed(3) ?? '–'}` : '–'
  return facts([
    ['Phase', isOpen(run) ? (progress.phase ?? '–') : undefined],
    ['Loss', live('loss', metrics ? score(metrics.loss) : '–')],
    ['Accuracy', live('accuracy', metrics ? metrics.accuracy.toFixed(3) : '–')],
    ['Validation accuracy', metrics?.valAccuracy?.toFixed(3) ?? '–'],
    ['Training precision', both(last?.trainPrecision, last?.valPrecision)],
    ['Training recall', both(last?.trainRecall, last?.valRecall)],
    ['Training AUC', both(last?.trainAuc, last?.valAuc)],
    ['Learning rate', live('learningRate', progress.learningRate?.toExponential(1) ?? '–')],
    ['Images per second', live('imagesPerSecond', progress.imagesPerSecond ?? '–')],
    [
      'CPU',
      use
        ? html`${live('cpuCores', use.cpuCores.toFixed(1))} / ${use.targetCores.toFixed(1)} cores`
        : '–',
    ],
    ['CPU time', duration(progress.cpuSeconds)],
    ['Memory', live('memoryBytes', bytes(progress.memoryBytes))],
    ['Temperature', temperature(use)],
    [
      'Time lost to resource limits',
      use && use.lostSeconds >= 1 ? duration(use.lostSeconds) : undefined,
    ],
    ['Started', startedAt ? time(startedAt) : undefined],
    ['Ended', endedAt ? time(endedAt) : undefined],
    ...Object.entries(phases).map(
      ([phase, seconds]) => [`Time ${phase}`, duration(seconds)] as const,
    ),
  ])
}

/** Named, so that run.js can keep it up to date between two renderings. */
function live(name: string, value: string | number): Html {
  return html`<span data-run-figure="${name}">${value}</span>`
}

function temperature(use: Run['progress']['use']): string | undefined {
  if (!use) return undefined
  if (use.sensors === 0) return 'no sensor'
  const parts = [
    use.cpuCelsius === null ? '' : `processor ${Math.round(use.cpuCelsius)} °C`,
    use.gpuCelsius === null ? '' : `graphics ${Math.round(use.gpuCelsius)} °C`,
    use.breaks === 0 ? '' : count(use.breaks, 'thermal pause'),
  ]
  return parts.filter(Boolean).join(', ') || '–'
}

function startWords({ hyperparameters: { weights } }: Run): string {
  if (typeof weights !== 'string' || weights === 'none') return 'random initialisation'
  return weights === 'imagenet' ? 'ImageNet weights' : `the weights "${weights}"`
}

function settings(run: Run): Html {
  const given = Object.entries(run.hyperparameters)
  return facts([
    ['Condition', html`<a href="${links.condition(run.condition)}">${run.condition}</a>`],
    ['Dataset', html`<a href="${links.dataset(run.dataset)}">${run.datasetName}</a>`],
    ['Architecture', run.architecture],
    ['Preset', run.preset],
    ['Name', run.name ?? undefined],
    ['Starts from', run.initFrom ? versionLink(run.initFrom) : startWords(run)],
    ...given.map(([name, value]) => [words(name), settingWords(value)] as const),
    ['Started', run.attempts > 1 ? `${run.attempts} times` : undefined],
    ['Tags', run.tags.length > 0 ? run.tags.map((tag) => badge(tag)) : undefined],
  ])
}

/** Settings within a setting one by one: "pause above 75 °C, duty cycle 60%". */
function settingWords(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const parts = Object.entries(value).map(([name, one]) => {
    const [, plain = name, unit] = /^(.+?)(Celsius|Seconds|Degrees)$/.exec(name) ?? []
    const label = words(plain).toLowerCase()
    if (name === 'dutyCycle' && typeof one === 'number') return `${label} ${Math.round(100 * one)}%`
    return `${label} ${JSON.stringify(one)}${unit ? UNITS[unit] : ''}`
  })
  return parts.join(', ')
}

const UNITS: Readonly<Record<string, string>> = { Celsius: ' °C', Seconds: ' s', Degrees: '°' }

/** `batchSize` as "Batch size". */
function words(name: string): string {
  const text = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function offer(run: Run): Html | undefined {
  if (!run.offer) return undefined
  return html`<form method="post" action="${links.runAction(run.id, 'again')}">
    <input type="hidden" name="batchSize" value="${run.offer.batchSize}" />
    <button class="button button-primary" type="submit">Try again with batches of ${run.offer.batchSize}</button>
  </form>`
}

const WORDS = {
  pause: 'Pause',
  resume: 'Resume',
  stop: 'Stop and keep the best',
  cancel: 'Cancel',
} as const

function actions(run: Run): Html | undefined {
  const { state, progress } = run
  const canPause =
    state === 'queued' ||
    ((state === 'running' || state === 'preparing') && progress.phase !== 'evaluating')
  const canResume = state === 'paused' || state === 'interrupted'
  const canStop = isUnderWay(run) && progress.phase === 'training' && progress.history.length > 0
  const offered = [
    canPause && action(run, 'pause'),
    canResume && action(run, 'resume', { primary: true }),
    canStop && action(run, 'stop'),
    isOpen(run) &&
      action(run, 'cancel', { confirm: 'Cancel this run? Its results are discarded.' }),
    !isOpen(run) && action(run, 'again', { text: 'Run again' }),
  ].filter((one) => one !== false)
  return html`<div class="button-row">${offered}</div>`
}

function action(
  run: Run,
  name: keyof typeof WORDS | 'again',
  o: { readonly primary?: boolean; readonly confirm?: string; readonly text?: string } = {},
): Html {
  const address = links.runAction(run.id, name)
  const asks = o.confirm ? html` data-confirm="${o.confirm}"` : ''
  const swap =
    name === 'again'
      ? ''
      : html` hx-post="${address}" hx-target="#run-panel" hx-swap="outerMorph" hx-disable="find button"`
  return html`<form class="inline-form" method="post" action="${address}"${swap}${asks}>
    <button class="button${o.primary ? ' button-primary' : ''}" type="submit">${o.text ?? WORDS[name as keyof typeof WORDS]}</button>
  </form>`
}

function log({ log: lines }: RunPageProps): Html | undefined {
  if (lines.length === 0) return undefined
  return html`<section class="panel"><h2>Log</h2>
    <div class="run-log" tabindex="0" role="region" aria-label="Last lines of the log">
      <ol>${lines.map(
        ({ at, text }) => html`<li><time datetime="${at}">${at.slice(11, 19)}</time> ${text}</li>`,
      )}</ol>
    </div>
  </section>`
}
