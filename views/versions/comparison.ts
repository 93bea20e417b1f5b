// Several versions of a condition side by side: choose them, see figures with intervals, what differs, curves over each other.
import { html } from 'hono/html'
import type {
  ComparisonResults,
  Figure,
  MetricName,
} from '../../src/evaluation/comparison/comparison-results.ts'
import { badge, field, type Html, notice, options } from '../shared/components.ts'
import { type ProblemProps, problemNotice } from '../shared/error.ts'
import { percent } from '../shared/format.ts'
import { type Frame, page } from '../shared/layout.ts'
import { links } from '../shared/links.ts'
import { plotGrid, type ShownPlot } from '../shared/plot.ts'
import { type ConditionChoice, shortVersion, versionLink } from '../shared/version-parts.ts'

export interface ModelComparisonProps {
  readonly frame: Frame
  readonly choices: readonly ConditionChoice[]
  readonly condition: string | undefined
  /** As they were asked for. */
  readonly chosen: readonly string[]
  readonly rank: MetricName
  /** The columns. */
  readonly metrics: readonly {
    readonly name: MetricName
    readonly title: string
    readonly better: 'higher' | 'lower'
  }[]
  /** The one that is more accurate than every other by the paired tests, if there is one. */
  readonly best?: string | undefined
  readonly results?: ComparisonResults | undefined
  readonly plots?: readonly ShownPlot[] | undefined
  readonly problem?: ProblemProps | undefined
}

export function modelComparisonPage(props: ModelComparisonProps): Html {
  const { frame, problem, results, plots } = props
  return page(
    frame,
    { title: 'Compare versions', width: 'wide' },
    html`<header class="heading"><p class="eyebrow"><a href="${links.models()}">Models</a></p>
      <h1>Compare versions</h1>
      <p>Test metrics of each version, side by side. A version is called better only if a paired test on the same images supports it. <a href="${links.compare()}">On one image</a> · <a href="${links.ab()}">On a set of images</a></p></header>
    ${problem && problemNotice(problem)}
    ${results && shown(results, props)}
    ${results && plots && plots.length > 0 && html`<section aria-label="Curves"><h2>Curves</h2>${plotGrid(plots)}</section>`}
    ${chooser(props)}`,
  )
}

function shown(results: ComparisonResults, props: ModelComparisonProps): Html {
  return html`<ul class="plain">${results.summary.conclusions.map((line) => html`<li>${line}</li>`)}</ul>
    ${results.testSet === null && notice('Different test sets: not directly comparable.', { tone: 'warn' })}
    ${figuresTable(results, props)}
    <p><a class="button" href="${links.comparisonExport(props.chosen)}" download>Export (tables, LaTeX, plots)</a>
      <a href="${links.comparisonJson(props.chosen)}">As JSON</a></p>
    ${results.pairs.length > 0 && pairsTable(results)}
    ${confusions(results)}
    ${differences(results)}`
}

function ranked(results: ComparisonResults, rank: MetricName): ComparisonResults['models'] {
  const order = results.summary.metrics[rank]?.ranking ?? []
  const place = (id: string) => {
    const at = order.indexOf(id)
    return at === -1 ? order.length : at
  }
  return results.models.toSorted((a, b) => place(a.id) - place(b.id))
}

function figuresTable(
  results: ComparisonResults,
  { rank, chosen, metrics, best }: ModelComparisonProps,
): Html {
  const models = ranked(results, rank)
  return html`<div class="table-wrap" tabindex="0" role="region" aria-label="Figures"><table class="table">
    <thead><tr><th scope="col">Version</th>${metrics.map(
      ({ name, title, better }) =>
        html`<th scope="col" class="number"${name === rank ? html` aria-sort="${better === 'higher' ? 'descending' : 'ascending'}"` : ''}><a
        href="${links.modelComparison(chosen, name)}">${title}</a></th>`,
    )}<th scope="col" class="number">Parameters</th><th scope="col" class="number">One image</th></tr></thead>
    <tbody>${models.map(
      (
        one,
      ) => html`<tr><th scope="row">${versionLink(one.id)} ${one.id === best && badge('most accurate (significant)', 'good', 'check')}
        <span class="row-note">${one.architecture}</span></th>
      ${metrics.map(({ name }) => html`<td class="number">${estimate(one.metrics[name], name)}</td>`)}
      <td class="number">${one.parameters === null ? '–' : `${(one.parameters / 1e6).toFixed(1)} M`}</td>
      <td class="number">${one.latencyMs === null ? '–' : `${one.latencyMs.toFixed(1)} ms`}</td></tr>`,
    )}</tbody></table></div>`
}

const PLAIN: readonly MetricName[] = ['auc', 'averagePrecision', 'f1', 'eceBefore', 'ece', 'brier']

function estimate(figure: Figure | undefined, name: MetricName): Html | string {
  const { value = null, interval = null } = figure ?? {}
  if (value === null) return '–'
  const write = (one: number) => (PLAIN.includes(name) ? one.toFixed(3) : percent(one))
  return html`${write(value)}${interval && html`<span class="row-note">${write(interval[0])} to ${write(interval[1])}</span>`}`
}

function pairsTable({ pairs, images }: ComparisonResults): Html {
  return html`<section aria-label="Paired tests"><h2>Paired tests</h2>
    <p class="hint">On the same ${images} test images: McNemar’s test for accuracy, DeLong’s for AUC; p adjusted for
      ${pairs.length === 1 ? 'one pair' : `${pairs.length} pairs`} (Holm).</p>
    <div class="table-wrap" tabindex="0" role="region" aria-label="Table of pairs"><table class="table">
    <thead><tr><th scope="col">Second minus first</th><th scope="col" class="number">Same decision</th>
      <th scope="col" class="number">Accuracy</th><th scope="col" class="number">p</th><th scope="col" class="number">AUC</th>
      <th scope="col" class="number">p</th></tr></thead>
    <tbody>${pairs.map(
      (one) => html`<tr><th scope="row">${shortVersion(one.a)} and ${shortVersion(one.b)}</th>
      <td class="number">${percent(one.agreement)}</td>
      <td class="number">${difference(one.accuracyDifference)}</td><td class="number">${pValue(one.accuracyAdjustedP)}</td>
      <td class="number">${one.aucDifference === null ? '–' : signed(one.aucDifference)}</td><td class="number">${pValue(one.aucAdjustedP)}</td></tr>`,
    )}</tbody></table></div></section>`
}

const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`
const pValue = (p: number | null): string =>
  p === null ? '–' : p < 0.001 ? '< 0.001' : p.toFixed(3)

function difference({ value, interval }: Figure): Html | string {
  if (value === null) return '–'
  return html`${signed(value)}${interval && html`<span class="row-note">${signed(interval[0])} to ${signed(interval[1])}</span>`}`
}

function confusions({ models, classes }: ComparisonResults): Html | undefined {
  const known = models.filter(({ confusion }) => confusion !== null)
  if (known.length === 0) return undefined
  return html`<section aria-label="Confusion"><h2>Confusion matrices</h2>
    <p class="hint">Rows: actual; columns: predicted.</p>
    <div class="confusions">${known.map(
      ({
        id,
        confusion,
      }) => html`<div class="table-wrap" tabindex="0" role="region" aria-label="Confusion of ${id}"><table class="table">
      <caption>${shortVersion(id)}</caption>
      <thead><tr><td></td>${classes.map(({ label }) => html`<th scope="col" class="number">${label}</th>`)}</tr></thead>
      <tbody>${confusion?.map(
        (row, k) =>
          html`<tr><th scope="row">${classes[k]?.label}</th>${row.map((n) => html`<td class="number">${n}</td>`)}</tr>`,
      )}</tbody></table></div>`,
    )}</div></section>`
}

/** Only what is not the same everywhere. */
function differences({ models }: ComparisonResults): Html | undefined {
  const names = [...new Set(models.flatMap(({ configuration }) => Object.keys(configuration)))]
  const differing = names.filter(
    (name) =>
      new Set(models.map(({ configuration }) => String(configuration[name] ?? '–'))).size > 1,
  )
  if (differing.length === 0) {
    return html`<p class="hint">Same training settings except for the architecture.</p>`
  }
  return html`<section aria-label="Settings that differ"><h2>Settings that differ</h2>
    <div class="table-wrap" tabindex="0" role="region" aria-label="Table of settings"><table class="table">
    <thead><tr><th scope="col">Setting</th>${models.map(({ id }) => html`<th scope="col">${shortVersion(id)}</th>`)}</tr></thead>
    <tbody>${differing.map(
      (name) =>
        html`<tr><th scope="row">${name}</th>${models.map(
          ({ configuration }) => html`<td>${String(configuration[name] ?? '–')}</td>`,
        )}</tr>`,
    )}</tbody></table></div></section>`
}

function chooser({ choices, condition, chosen }: ModelComparisonProps): Html {
  const current = choices.find((one) => one.condition.id === condition) ?? choices[0]
  return html`<section class="panel" aria-label="Choose versions"><h2>${chosen.length > 0 ? 'Change selection' : 'Choose versions'}</h2>
    <form class="stack" method="get" action="${links.modelComparison([])}">
      ${field('condition', {
        label: 'Condition',
        control: html`<select id="condition" name="condition">${options(
          choices.map((one) => ({ value: one.condition.id, text: one.condition.name })),
          current?.condition.id,
        )}</select>`,
      })}
      <button class="button" type="submit">Show its versions</button>
    </form>
    ${current && current.versions.length > 0 && versionForm(current, chosen)}
    ${current && current.versions.length === 0 && html`<p class="hint">${current.condition.name} has no versions yet.</p>`}
  </section>`
}

function versionForm({ versions }: ConditionChoice, chosen: readonly string[]): Html {
  return html`<form class="stack" method="get" action="${links.modelComparison([])}">
    <fieldset><legend>Two or more of its versions</legend>${versions.map(
      (
        { id, architecture },
        at,
      ) => html`<label class="check" for="version-${at}"><input type="checkbox" id="version-${at}" name="version"
      value="${id}"${chosen.includes(id) ? html` checked` : ''} /><span>${shortVersion(id)} <span class="hint">${architecture}</span></span></label>`,
    )}</fieldset>
    <button class="button button-primary" type="submit">Compare</button>
  </form>`
}
