// One dataset: what a scan found, what is wrong, how it was prepared, and the form that prepares it.
import { html } from 'hono/html'
import type { Condition } from '../../src/registry/conditions/conditions.ts'
import type { Dataset, ScanReport, Spread } from '../../src/registry/runs/datasets.ts'
import { facts, field, type Html, notice, options, time } from '../shared/components.ts'
import { type ProblemProps, problemNotice } from '../shared/error.ts'
import { bytes, count } from '../shared/format.ts'
import { type Frame, page } from '../shared/layout.ts'
import { links } from '../shared/links.ts'
import { labelsPanel } from './labels.ts'
import { datasetBadge } from './list.ts'
import { preparationPanel } from './preparation.ts'

export interface DatasetPageProps {
  readonly frame: Frame
  readonly dataset: Dataset
  readonly progress: { readonly done: number; readonly total: number } | undefined
  readonly conditions: readonly Condition[]
  readonly problem?: ProblemProps | undefined
}

export function datasetPage(props: DatasetPageProps): Html {
  const { frame, dataset } = props
  return page(
    frame,
    { title: dataset.name, width: 'wide' },
    html`<header class="heading">
        <p class="eyebrow"><a href="${links.datasets}">Datasets</a></p>
        <h1>${dataset.name}</h1>
        <p class="hint"><code>${dataset.path}</code>${dataset.scannedAt && html` · scanned ${time(dataset.scannedAt)}`}</p>
      </header>
      ${datasetPanel(props)}`,
  )
}

/** Fragment `#dataset-panel`; asks for itself again while a scan or preparation goes on. */
export function datasetPanel(props: DatasetPageProps): Html {
  const { dataset, problem, progress } = props
  const { id, state, reason, scan, prepared } = dataset
  const isBusy = state === 'scanning' || state === 'preparing' || progress !== undefined
  const live = isBusy
    ? html` hx-get="${links.dataset(id)}" hx-trigger="every 1s" hx-swap="outerMorph"`
    : ''
  return html`<div id="dataset-panel" class="dataset-panel"${live}>
    <div aria-live="polite">${problem && problemNotice(problem)}</div>
    <p class="run-state">${datasetBadge(state)} ${reason && html`<span>${reason}</span>`}</p>
    ${isBusy && busy(state === 'prepared' ? 'checking labels' : state, progress)}
    ${scan && warnings(scan)}
    ${prepared && preparationPanel(dataset, prepared)}
    ${!isBusy && labelsPanel(dataset)}
    ${scan && found(scan)}
    ${!isBusy && html`<div class="run-columns">${scan && prepareForm(props)}${scanAgain(dataset)}</div>`}
  </div>`
}

function busy(state: string, progress: DatasetPageProps['progress']): Html {
  const { done = 0, total = 0 } = progress ?? {}
  const words = total === 0 ? 'waiting for its turn' : `${done} of ${total} images`
  return html`<div class="run-progress"><progress max="${Math.max(total, 1)}" value="${done}" aria-label="${state}">${words}</progress><p class="hint">${words}</p></div>
    <noscript><p class="hint">Reload this page to see progress.</p></noscript>`
}

function warnings(scan: ScanReport): Html {
  if (scan.warnings.length === 0) return notice('No warnings.', { tone: 'good' })
  return notice(
    html`<ul class="plain">${scan.warnings.map((text) => html`<li>${text}</li>`)}</ul>`,
    { tone: 'warn' },
  )
}

function found(scan: ScanReport): Html {
  const tally = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, n]) => `${name}: ${n}`)
      .join(', ') || '–'
  const spread = ({ min, median, max }: Spread): string =>
    min === max ? `${min} px` : `${min} to ${max} px, median ${median} px`
  return html`<section class="panel" aria-label="Overview">
    <h2>Overview</h2>
    ${balance(scan)}
    ${facts([
      ['Layout', scan.layout],
      ['Images', `${scan.images}, ${bytes(scan.bytes)}`],
      ['Predefined splits', ownSplits(scan)],
      ['Width', scan.sizes ? spread(scan.sizes.width) : '–'],
      ['Height', scan.sizes ? spread(scan.sizes.height) : '–'],
      ['Formats', tally(scan.formats)],
      ['Bit depth', tally(scan.bitDepths)],
      ['Colour', tally(scan.channels)],
      ['Patients or lesions', scan.groups === 0 ? 'not known' : scan.groups],
      ['Label files', scan.tables.join(', ') || 'none'],
      ['Unlabelled', scan.unlabelled],
      [
        'Leakage between splits',
        `${count(scan.leaks.groups, 'patient')}, ${count(scan.leaks.images, 'image')}`,
      ],
    ])}
    ${list(
      'Broken files',
      scan.broken.count,
      scan.broken.files.map(({ file, reason }) => html`<code>${file}</code> ${reason}`),
    )}
    ${list(
      'Identical files',
      scan.duplicates.count,
      scan.duplicates.groups.map((group) => files(group)),
    )}
    ${list(
      'Same image, different labels',
      scan.conflicts.length,
      scan.conflicts.map((group) => files(group)),
    )}
    ${list(
      'Near-duplicate images',
      scan.nearDuplicates.count,
      scan.nearDuplicates.pairs.map((pair) => files(pair)),
    )}
    ${
      scan.sharpness &&
      list(
        'Blurred',
        scan.sharpness.blurred.length,
        scan.sharpness.blurred.map(
          ({ file, score }) =>
            html`<code>${file}</code> sharpness ${score}, median ${scan.sharpness?.median}`,
        ),
      )
    }
  </section>`
}

function ownSplits({ splits }: ScanReport): string {
  const own = splits.filter(({ split }) => split !== 'none')
  if (own.length === 0) return 'none; created when prepared'
  return splits.map(({ split, count: n }) => `${split} ${n}`).join(', ')
}

/** One bar for each class; `progress` needs no script and no inline style. */
function balance({ classes }: ScanReport): Html {
  const most = Math.max(1, ...classes.map((one) => one.count))
  return html`<ul class="balance">${classes.map(
    ({ label, count: n }, at) => html`<li><span id="class-${at}">${label}</span>
      <meter min="0" max="${most}" value="${n}" aria-labelledby="class-${at}">${n}</meter><span class="number">${n}</span></li>`,
  )}</ul>`
}

function files(paths: readonly string[]): Html {
  return html`${paths.map((path, at) => html`${at > 0 ? ', ' : ''}<code>${path}</code>`)}`
}

function list(title: string, total: number, items: readonly Html[]): Html | undefined {
  if (total === 0) return undefined
  return html`<details class="findings"><summary><h3>${title}: ${total}</h3></summary>
    <ul class="plain">${items.map((item) => html`<li>${item}</li>`)}</ul>
    ${items.length < total && html`<p class="hint">and ${total - items.length} more</p>`}
  </details>`
}

function prepareForm({ dataset, conditions }: DatasetPageProps): Html {
  const { prepared } = dataset
  const choices = [
    { value: '', text: 'none (original labels)' },
    ...conditions.map(({ id, name }) => ({ value: id, text: name })),
  ]
  const number = (
    name: string,
    label: string,
    o: { value: number | ''; min: number; hint: string },
  ): Html =>
    field(name, {
      label,
      control: html`<input id="${name}" name="${name}" type="number" min="${o.min}" value="${o.value}" aria-describedby="${name}-hint" />`,
      hint: o.hint,
    })
  return html`<section class="panel" aria-label="Prepare"><h2>${prepared ? 'Prepare again' : 'Prepare'}</h2>
    <form class="stack" method="post" action="${links.datasetPrepare(dataset.id)}">
      ${field('condition', { label: 'Condition', control: html`<select id="condition" name="condition">${options(choices, prepared?.condition ?? '')}</select>` })}
      ${number('maxPerClass', 'Images per class', { value: prepared?.maxPerClass ?? '', min: 2, hint: 'maximum; empty = all' })}
      ${number('imageSize', 'Image size (px)', { value: prepared?.imageSize ?? 224, min: 16, hint: 'cached at this size; a run with another size decodes again' })}
      ${number('seed', 'Seed', { value: prepared?.seed ?? 42, min: 0, hint: 'determines the split' })}
      ${findingField(dataset)}
      ${field('uncertain', { label: 'Uncertain labels', control: html`<select id="uncertain" name="uncertain" aria-describedby="uncertain-hint">${options(UNCERTAIN, prepared?.uncertain ?? 'leave-out')}</select>`, hint: '-1 in tables such as CheXpert’s' })}
      ${field('exclude', { label: 'Exclude', control: html`<textarea id="exclude" name="exclude" rows="3" aria-describedby="exclude-hint" placeholder="NORMAL/0001.png&#10;*/copy-*">${prepared?.exclude.join('\n') ?? ''}</textarea>`, hint: 'file paths, one per line; * matches any part of a name' })}
      <button class="button button-primary" type="submit">${prepared ? 'Prepare again' : 'Prepare'}</button>
    </form></section>`
}

const UNCERTAIN = [
  { value: 'leave-out', text: 'exclude these images' },
  { value: 'positive', text: 'count as the finding' },
  { value: 'negative', text: 'count as no finding' },
]

/** Asked where the dataset has two classes; a condition answers it by itself. */
function findingField({ scan, prepared }: Dataset): Html | undefined {
  if (scan?.classes.length !== 2) return undefined
  const chosen = prepared?.classes.find(({ positive }) => positive)?.label ?? ''
  const choices = [
    { value: '', text: 'as the names suggest' },
    ...scan.classes.map(({ label }) => ({ value: label, text: label })),
  ]
  return field('positive', {
    label: 'Finding',
    control: html`<select id="positive" name="positive" aria-describedby="positive-hint">${options(choices, chosen)}</select>`,
    hint: 'which class is the positive finding; needed when no condition is chosen and the names do not tell',
  })
}

function scanAgain({ path }: Dataset): Html {
  return html`<section class="panel" aria-label="Scan again"><h2>Scan again</h2>
    <p class="hint">Rescan after changing files.</p>
    <form method="post" action="${links.datasetScan}"><input type="hidden" name="path" value="${path}" />
      <button class="button" type="submit">Scan again</button></form></section>`
}
