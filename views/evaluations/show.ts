// One evaluation whole: whether it performs much worse on these images, every figure with its interval, and the plots.
import { html } from 'hono/html'
import type { Evaluation } from '../../src/app/evaluations/evaluate-version.ts'
import type { Version } from '../../src/registry/versions/versions.ts'
import { facts, type Html, notice, time } from '../shared/components.ts'
import { count, duration, operatingPointName, percent } from '../shared/format.ts'
import { type Frame, page } from '../shared/layout.ts'
import { links } from '../shared/links.ts'
import { plotGrid, type ShownPlot } from '../shared/plot.ts'
import { shortVersion, versionNotice } from '../shared/version-parts.ts'

export interface EvaluationPageProps {
  readonly frame: Frame
  readonly version: Version
  readonly evaluation: Evaluation
  readonly plots: readonly ShownPlot[]
}

interface Estimate {
  readonly value: number | null
  readonly interval: readonly [number, number] | null
}

export function evaluationPage({ frame, version, evaluation, plots }: EvaluationPageProps): Html {
  const { dataset, split, metrics, report, at, by } = evaluation
  const { warnings, leftOut, seconds } = report
  return page(
    frame,
    { title: `${version.id} on ${dataset}`, width: 'wide' },
    html`<header class="heading"><h1>${shortVersion(version.id)} on ${dataset}</h1>
        <p><a href="${links.version(version.id)}">${version.id}</a> · ${count(metrics.n, 'image')}${split !== 'all' && html` ${split} split`} · ${time(at)} by ${by}</p></header>
      ${versionNotice(version.notice)}
      ${
        warnings.length > 0
          ? notice(html`<ul class="plain">${warnings.map((one) => html`<li>${one}</li>`)}</ul>`, {
              tone: 'warn',
            })
          : notice('No metric is significantly worse than on its internal test images.', {
              tone: 'good',
            })
      }
      <div class="condition-main">
        ${overall(evaluation)}
        ${classes(evaluation)}
        ${points(evaluation)}
        <section aria-label="Plots"><h2>Plots</h2>${plotGrid(plots)}</section>
        ${leftOutFiles(leftOut)}
        <p class="hint">In brackets: 95% confidence intervals (proportions: Wilson; AUC: DeLong; others: bootstrap over
          ${report.assessment.resampled}). Analysed in ${duration(seconds)}. Image set fingerprint:
          <code>${metrics.testSet.slice(0, 16)}</code>. <a href="${links.evaluationJson(version.id, evaluation.id)}">JSON</a></p>
      </div>`,
  )
}

function overall({ report }: Evaluation): Html {
  const { assessment: a } = report
  const { raw, calibrated } = a.quality
  const [finding, ...others] = a.classes.filter((one) => one.positive)
  const isBinary = a.classes.length === 2 && finding !== undefined && others.length === 0
  const auc =
    isBinary && finding.area
      ? { value: finding.area.auc, interval: finding.area.interval }
      : a.macro.auc
  const precision = isBinary
    ? { value: finding.averagePrecision, interval: finding.averagePrecisionInterval }
    : a.macro.averagePrecision
  const mean = isBinary ? '' : ', mean over classes'
  return html`<section aria-label="Figures"><h2>Figures</h2>${facts([
    [a.confusion === null ? 'All labels correct' : 'Accuracy', share(a.accuracy)],
    ['Balanced accuracy', share(a.balancedAccuracy)],
    [`AUC${mean}`, plain(auc)],
    [`Average precision${mean}`, plain(precision)],
    ['Sensitivity', share(a.finding.sensitivity)],
    ['Specificity', share(a.finding.specificity)],
    ['PPV at this prevalence', share(a.finding.ppv)],
    ['NPV', share(a.finding.npv)],
    [
      'Calibration error (ECE)',
      `${plain({ value: calibrated.ece, interval: calibrated.eceInterval })}; raw ${raw.ece.toFixed(3)}`,
    ],
    [
      'Brier score',
      `${plain({ value: calibrated.brier, interval: calibrated.brierInterval })}; raw ${raw.brier.toFixed(3)}`,
    ],
  ])}</section>`
}

function classes({ report }: Evaluation): Html {
  const rows = report.assessment.classes.map((one) => [
    one.label,
    String(one.support),
    share(one.precision),
    share(one.recall),
    share(one.specificity),
    plain({ value: one.f1, interval: one.f1Interval }),
    plain({ value: one.area?.auc ?? null, interval: one.area?.interval ?? null }),
    plain({ value: one.averagePrecision, interval: one.averagePrecisionInterval }),
  ])
  const head = ['n', 'Precision', 'Recall', 'Specificity', 'F1', 'AUC', 'Average precision']
  return html`<section aria-label="Classes"><h2>Per class</h2>${table({ label: 'Table of classes', first: 'Class', head, rows })}</section>`
}

function points({ report }: Evaluation): Html {
  const rows = report.assessment.points.map(({ name, test }) => [
    operatingPointName(name),
    share(test.sensitivity),
    share(test.specificity),
    share(test.ppv),
    share(test.npv),
  ])
  const head = ['Sensitivity', 'Specificity', 'PPV', 'NPV']
  return html`<section aria-label="Operating points"><h2>Operating points</h2>
    ${table({ label: 'Table of operating points', first: 'Name', head, rows })}
    <p class="hint">Thresholds are those of the version; they were chosen on other images.</p></section>`
}

interface Table {
  readonly label: string
  readonly first: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

function table({ label, first, head, rows }: Table): Html {
  return html`<div class="table-wrap" tabindex="0" role="region" aria-label="${label}"><table class="table">
    <thead><tr><th scope="col">${first}</th>${head.map((name) => html`<th scope="col" class="number">${name}</th>`)}</tr></thead>
    <tbody>${rows.map(
      ([name, ...cells]) =>
        html`<tr><th scope="row">${name}</th>${cells.map((cell) => html`<td class="number">${cell}</td>`)}</tr>`,
    )}</tbody></table></div>`
}

function leftOutFiles({ count: n, files }: Evaluation['report']['leftOut']): Html | undefined {
  if (n === 0) return undefined
  return html`<details class="files"><summary><h2>Excluded</h2> <span class="hint">${count(n, 'file')}</span></summary>
    <ul class="plain findings">${files.map(({ file, reason }) => html`<li><code>${file}</code>: ${reason}</li>`)}</ul></details>`
}

function share({ value, interval }: Estimate): string {
  return interval
    ? `${percent(value)} (${percent(interval[0])} to ${percent(interval[1])})`
    : percent(value)
}

function plain({ value, interval }: Estimate): string {
  if (value === null) return '–'
  return interval
    ? `${value.toFixed(3)} (${interval[0].toFixed(3)} to ${interval[1].toFixed(3)})`
    : value.toFixed(3)
}
