// Images that come from an archive: what is on, which condition reads what by itself, and what became of each image.
import { html } from 'hono/html'
import type { ArchiveJob } from '../../src/registry/archive/archive-jobs.ts'
import type { ArchiveRule } from '../../src/registry/archive/archive-rules.ts'
import { badge, emptyState, field, type Html, type Tone, time } from '../shared/components.ts'
import { type ProblemProps, problemNotice } from '../shared/error.ts'
import { type Frame, page } from '../shared/layout.ts'
import { links } from '../shared/links.ts'

export interface ArchivePanelProps {
  readonly sources: readonly {
    readonly name: string
    readonly isOn: boolean
    readonly inspectedAt: string | null
    readonly problem: string | null
  }[]
  readonly counts: Readonly<Record<ArchiveJob['state'], number>>
  readonly items: readonly ArchiveJob[]
}

export interface ArchivePageProps extends ArchivePanelProps {
  readonly frame: Frame
  readonly rules: readonly (ArchiveRule & { readonly name: string })[]
  readonly problem?: ProblemProps | undefined
}

const SOURCES: Readonly<Record<string, { text: string; setting: string }>> = {
  stow: { text: 'sent here (STOW-RS)', setting: 'ROENTGEN_DICOM_STOW' },
  folder: { text: 'watched folder', setting: 'ROENTGEN_DICOM_FOLDER' },
  archive: { text: 'queried from the archive', setting: 'ROENTGEN_DICOM_ARCHIVE' },
}

const STATES: Readonly<Record<ArchiveJob['state'], { text: string; tone: Tone }>> = {
  waiting: { text: 'waiting', tone: 'neutral' },
  done: { text: 'analysed and stored', tone: 'good' },
  skipped: { text: 'unrouted', tone: 'neutral' },
  failed: { text: 'failed', tone: 'bad' },
}

export function archivePage(props: ArchivePageProps): Html {
  return page(
    props.frame,
    { title: 'Archive', width: 'wide' },
    html`<header class="heading"><h1>PACS integration</h1>
        <p>New images are analysed for the conditions enabled below; results are stored next to them as DICOM.</p></header>
      ${props.problem && problemNotice(props.problem)}
      ${archivePanel(props)}
      <h2>Routing by condition</h2>
      <p class="hint">Automatic analysis is off until enabled here.</p>
      ${props.rules.map(ruleForm)}`,
  )
}

/** Fragment `#archive-panel`. */
export function archivePanel({ sources, counts, items }: ArchivePanelProps): Html {
  return html`<div id="archive-panel" hx-get="${links.archive}" hx-trigger="every 5s"
    hx-swap="outerMorph">
    <ul class="plain">${sources.map(sourceLine)}</ul>
    <ul class="figure-grid">${Object.entries(STATES).map(
      ([state, { text }]) => html`<li><span class="figure-name">${text}</span><span
        class="figure-value">${counts[state as ArchiveJob['state']]}</span></li>`,
    )}</ul>
    ${
      items.length === 0
        ? emptyState('No images received yet', 'See the guide “DICOM, batches and PACS” for setup.')
        : html`<div class="table-wrap" tabindex="0" role="region" aria-label="Images"><table
          class="table">
          <thead><tr><th scope="col">Received</th><th scope="col">Source</th><th scope="col">State</th><th
            scope="col">Results</th><th scope="col">Notes</th></tr></thead>
          <tbody>${items.map(row)}</tbody></table></div>`
    }
  </div>`
}

function sourceLine({
  name,
  isOn,
  inspectedAt,
  problem,
}: ArchivePanelProps['sources'][number]): Html {
  const { text, setting } = SOURCES[name] ?? { text: name, setting: '' }
  if (!isOn)
    return html`<li>${badge('off')} ${text} <span class="hint">${setting} enables it</span></li>`
  if (problem !== null)
    return html`<li>${badge('error', 'bad', 'warning')} ${text}: ${problem}</li>`
  return html`<li>${badge('on', 'good', 'check')} ${text}${
    inspectedAt === null ? '' : html` <span class="hint">checked ${time(inspectedAt)}</span>`
  }</li>`
}

function row({ receivedAt, source, state, results, detail, attempts }: ArchiveJob): Html {
  const { text, tone } = STATES[state]
  const tries = attempts > 1 ? ` ${attempts} attempts.` : ''
  return html`<tr><td>${time(receivedAt)}</td><td>${SOURCES[source]?.text ?? source}</td>
    <td>${badge(text, tone)}</td>
    <td>${results.map(
      ({ condition, prediction }) =>
        html`<a href="${links.prediction(prediction)}">${condition}</a> `,
    )}</td>
    <td>${detail ?? ''}${tries}</td></tr>`
}

function ruleForm(rule: ArchivePageProps['rules'][number]): Html {
  const { condition } = rule
  const box = (name: string, o: { checked: boolean; text: string }) =>
    html`<label class="check" for="${name}-${condition}"><input type="checkbox"
      id="${name}-${condition}" name="${name}" value="1"${o.checked ? ' checked' : ''} /> ${o.text}</label>`
  return html`<details class="options"${rule.enabled ? ' open' : ''}>
    <summary>${rule.name} ${rule.enabled ? badge('on', 'good', 'check') : badge('off')}</summary>
    <form class="stack" method="post" action="${links.archiveRules}">
      <input type="hidden" name="condition" value="${condition}" />
      ${box('enabled', { checked: rule.enabled, text: 'Analyse new images automatically' })}
      ${field(`modalities-${condition}`, {
        label: 'Modalities',
        control: html`<input id="modalities-${condition}" name="modalities"
          value="${rule.modalities.join(' ')}" autocomplete="off" />`,
        hint: 'DICOM terms, such as CR DX',
      })}
      ${field(`parts-${condition}`, {
        label: 'Body parts',
        control: html`<input id="parts-${condition}" name="bodyParts"
          value="${rule.bodyParts.join(' ')}" autocomplete="off" />`,
        hint: 'DICOM terms, such as CHEST',
      })}
      ${box('unnamedPart', { checked: rule.unnamedPart, text: 'Include images without a body part' })}
      <button class="button" type="submit">Save</button>
    </form>
  </details>`
}
