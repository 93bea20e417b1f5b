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
  archive: { text: 'asked of the archive', setting: 'ROENTGEN_DICOM_ARCHIVE' },
}

const STATES: Readonly<Record<ArchiveJob['state'], { text: string; tone: Tone }>> = {
  waiting: { text: 'waiting', tone: 'neutral' },
  done: { text: 'read and stored', tone: 'good' },
  skipped: { text: 'not for any condition', tone: 'neutral' },
  failed: { text: 'given up', tone: 'bad' },
}

export function archivePage(props: ArchivePageProps): Html {
  return page(
    props.frame,
    { title: 'Archive', width: 'wide' },
    html`<header class="heading"><h1>Images from an archive</h1>
        <p>New images are read by the conditions that are set to, and the results are stored beside them as DICOM.</p></header>
      ${props.problem && problemNotice(props.problem)}
      ${archivePanel(props)}
      <h2>What each condition reads</h2>
      <p class="hint">Nothing is read by itself until it is turned on here.</p>
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
        ? emptyState(
            'No image has come yet',
            'The guide “DICOM, many images, an archive” says how to connect one.',
          )
        : html`<div class="table-wrap" tabindex="0" role="region" aria-label="Images"><table
          class="table">
          <thead><tr><th scope="col">Came</th><th scope="col">From</th><th scope="col">State</th><th
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
    return html`<li>${badge('off')} ${text} <span class="hint">${setting} turns it on</span></li>`
  if (problem !== null)
    return html`<li>${badge('trouble', 'bad', 'warning')} ${text}: ${problem}</li>`
  return html`<li>${badge('on', 'good', 'check')} ${text}${
    inspectedAt === null ? '' : html` <span class="hint">looked at ${time(inspectedAt)}</span>`
  }</li>`
}

function row({ receivedAt, source, state, results, detail, attempts }: ArchiveJob): Html {
  const { text, tone } = STATES[state]
  const tries = attempts > 1 ? ` ${attempts} tries.` : ''
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
      ${box('enabled', { checked: rule.enabled, text: 'Read new images by itself' })}
      ${field(`modalities-${condition}`, {
        label: 'Modalities',
        control: html`<input id="modalities-${condition}" name="modalities"
          value="${rule.modalities.join(' ')}" autocomplete="off" />`,
        hint: 'DICOM’s terms, such as CR DX',
      })}
      ${field(`parts-${condition}`, {
        label: 'Body parts',
        control: html`<input id="parts-${condition}" name="bodyParts"
          value="${rule.bodyParts.join(' ')}" autocomplete="off" />`,
        hint: 'DICOM’s terms, such as CHEST',
      })}
      ${box('unnamedPart', { checked: rule.unnamedPart, text: 'Also images that name no body part' })}
      <button class="button" type="submit">Save</button>
    </form>
  </details>`
}
