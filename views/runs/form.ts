// Start a training, or several at once, and see what runs. Every choice stands beside what it means.
import { html } from 'hono/html'
import type { ArchitectureCard } from '../../src/architectures/architecture-cards.ts'
import type { StoredWeights } from '../../src/conversion/pretrained/weights-store.ts'
import type { Condition } from '../../src/registry/conditions/conditions.ts'
import type { Dataset } from '../../src/registry/runs/datasets.ts'
import type { Version } from '../../src/registry/versions/versions.ts'
import { emptyState, field, type Html, options } from '../shared/components.ts'
import { type ProblemProps, problemNotice } from '../shared/error.ts'
import { bytes, count, duration } from '../shared/format.ts'
import { type Frame, page } from '../shared/layout.ts'
import { links } from '../shared/links.ts'
import { type RunListProps, runList } from './list.ts'
import { moreSettings, resourceLimits, type ShownSetting } from './settings.ts'
import { type StartButtonProps, startButton } from './start-button.ts'
import { weightsChoice } from './weights.ts'

export interface ArchitectureChoice extends ArchitectureCard {
  /** As the last run of it did on this machine; null before the first. */
  readonly imagesPerSecond: number | null
  /** Expected, of a batch of 32 at its own input size. */
  readonly memoryMegabytes: number
}

export interface PresetChoice {
  readonly name: string
  readonly title: string
  readonly text: string
}

export interface TrainingPageProps extends RunListProps, StartButtonProps {
  readonly frame: Frame
  readonly conditions: readonly Condition[]
  readonly datasets: readonly Dataset[]
  readonly architectures: readonly ArchitectureChoice[]
  readonly presets: readonly PresetChoice[]
  readonly settings: readonly ShownSetting[]
  /** Versions that a run can start from. */
  readonly versions: readonly Version[]
  /** Pretrained weights that are kept here. */
  readonly weights: readonly StoredWeights[]
  /** The form as it was sent, or what a link wants chosen. */
  readonly chosen: ReadonlyMap<string, string>
  readonly problem?: ProblemProps | undefined
}

export function trainingPage(props: TrainingPageProps): Html {
  return page(
    props.frame,
    { title: 'Training', width: 'wide' },
    html`<header class="heading"><h1>Training</h1>
      <p>Runs are queued one at a time at low priority. The queue survives restarts.</p></header>
    ${props.problem && problemNotice(props.problem)}
    ${runList(props)}
    ${startForm(props)}
    ${wholeSet(props)}`,
  )
}

function startForm(props: TrainingPageProps): Html {
  const { conditions, datasets, architectures, presets, chosen } = props
  const prepared = datasets.filter((one) => one.prepared !== null)
  if (conditions.length === 0 && prepared.length === 0) {
    return emptyState(
      'No conditions yet',
      html`Add one under <a href="${links.conditions}">Conditions</a> first.`,
    )
  }
  if (prepared.length === 0) {
    return emptyState(
      'Dataset not prepared',
      html`Scan and prepare a folder of images under <a href="${links.datasets}">Datasets</a> first.`,
    )
  }
  const names = [
    ...conditions.map(({ id, name }) => ({ value: id, text: name })),
    { value: '', text: 'as prepared in the dataset' },
  ]
  return html`<section class="panel" aria-label="Start">
    <h2>Start a training</h2>
    <form class="stack" method="post" action="${links.training()}">
      ${field('condition', { label: 'Condition', control: html`<select id="condition" name="condition">${options(names, chosen.get('condition') ?? '')}</select>` })}
      ${tiles(
        'dataset',
        'Dataset',
        prepared.map((one) => datasetTile(one)),
        props,
      )}
      ${tiles('architecture', 'Architecture', architectures.map(architectureTile), props)}
      ${weightsChoice(props)}
      ${tiles(
        'preset',
        'Preset',
        presets.map(({ name, title, text }) => ({ value: name, title, lines: [text] })),
        props,
      )}
      <p class="hint">Selecting several datasets, architectures or presets queues one run per combination.</p>
      ${moreSettings(props)}
      ${resourceLimits(props)}
      ${startButton(props)}
    </form>
  </section>`
}

/** Every prepared dataset with both heatmap presets, in one click. */
function wholeSet({ datasets }: TrainingPageProps): Html | undefined {
  const ready = datasets.filter(({ prepared }) => prepared?.condition)
  if (ready.length === 0) return undefined
  const names = ready.map(({ name, prepared }) => `${name} (${prepared?.condition})`).join(', ')
  return html`<section class="panel" aria-label="The whole set">
    <h2>The whole set at once</h2>
    <p>DenseNet121 for every dataset that was prepared for a condition, once with Heatmap standard (10 epochs) and once with Heatmap
      intensive (15 epochs), at most 500 images of each class, from ImageNet weights when they are kept here: ${count(2 * ready.length, 'run')}, one after the other.</p>
    <p class="hint">${names}</p>
    <form method="post" action="${links.runWholeSet}"><button class="button" type="submit">Queue ${count(2 * ready.length, 'run')}</button></form>
  </section>`
}

interface Tile {
  readonly value: string
  readonly title: string
  readonly lines: readonly unknown[]
}

/** Checkboxes with a card each; the first is chosen when nothing is. */
function tiles(
  name: string,
  label: string,
  choices: readonly Tile[],
  { chosen }: TrainingPageProps,
): Html {
  const wanted = choices.filter(({ value }) => chosen.has(`${name}:${value}`))
  return html`<fieldset class="tiles"><legend>${label}</legend>
    <div class="tile-grid tile-grid-wide">${choices.map(({ value, title, lines }, at) => {
      const isChosen = wanted.length > 0 ? chosen.has(`${name}:${value}`) : at === 0
      const id = `${name}-${at}`
      return html`<div class="tile"><input type="checkbox" id="${id}" name="${name}:${value}"${isChosen ? html` checked` : ''} />
        <label for="${id}"><span class="tile-name">${title}</span>${lines.map((line) => html`<span class="tile-part">${line}</span>`)}</label></div>`
    })}</div></fieldset>`
}

function datasetTile({ id, name, path, prepared }: Dataset): Tile {
  const classes = prepared?.classes.map(({ label }) => label).join(', ') ?? ''
  return {
    value: id,
    title: name,
    lines: [path, `${count(prepared?.images ?? 0, 'image')}: ${classes}`],
  }
}

function architectureTile(one: ArchitectureChoice): Tile {
  const millions = one.parameters / 1e6
  const speed =
    one.imagesPerSecond === null
      ? 'speed not measured on this machine yet'
      : `${one.imagesPerSecond} images a second here, 1,000 images in ${duration(1000 / one.imagesPerSecond)} an epoch`
  return {
    value: one.name,
    title: one.title,
    lines: [
      one.purpose,
      `${millions >= 0.1 ? millions.toFixed(1) : millions.toFixed(2)} million parameters, ${one.inputSize} px, about ${bytes(one.memoryMegabytes * 1024 * 1024)} of memory`,
      speed,
    ],
  }
}
