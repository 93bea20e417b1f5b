// One version whole: state, figures, calibration, operating points, activations, lineage, files. The digest is what it is.
import { html } from 'hono/html'
import type { Activation } from '../../src/registry/activation/activations.ts'
import type { Condition } from '../../src/registry/conditions/conditions.ts'
import type { GoldenReplay } from '../../src/registry/versions/replay-golden.ts'
import type { Version } from '../../src/registry/versions/versions.ts'
import { activateThisForm, changePrecisionForm } from '../conditions/activate-form.ts'
import { aliasWords } from '../conditions/aliases.ts'
import { type VersionEvaluations, versionEvaluations } from '../evaluations/list.ts'
import {
  badge,
  facts,
  field,
  type Html,
  hash,
  icon,
  notice,
  size,
  time,
} from '../shared/components.ts'
import { type ProblemProps, problemNotice } from '../shared/error.ts'
import { count, fraction, operatingPointName, percent, score } from '../shared/format.ts'
import { type Frame, page } from '../shared/layout.ts'
import { links } from '../shared/links.ts'
import { plotGrid, type ShownPlot } from '../shared/plot.ts'
import {
  activeBadge,
  METRICS,
  metricText,
  shortVersion,
  statusBadge,
  versionNotice,
} from '../shared/version-parts.ts'
import { precisionTable } from './precision.ts'
import { type SignerList, signerWords } from './signers.ts'

export interface ModelPageProps {
  readonly frame: Frame
  readonly version: Version
  readonly condition: Condition
  /** Other versions of the condition, newest first. */
  readonly siblings: readonly Version[]
  /** Of this version, newest first. */
  readonly activations: readonly Activation[]
  /** Of its training and its test split. */
  readonly plots?: readonly ShownPlot[] | undefined
  /** On images from elsewhere. */
  readonly evaluations?: VersionEvaluations | undefined
  /** Of a package from elsewhere: does it compute here what it computed there? */
  readonly replay?: GoldenReplay | undefined
  /** Who vouches for the package; `damaged`: its signature does not fit. */
  readonly signers?: SignerList | undefined
  readonly problem?: ProblemProps | undefined
}

export function modelPage(props: ModelPageProps): Html {
  const { frame, version, condition, problem } = props
  const isActive = condition.active?.version === version.id
  return page(
    frame,
    { title: version.id, width: 'wide' },
    html`<header class="heading heading-row">
        <div><h1>${shortVersion(version.id)}</h1>
          <p class="hint"><a
            href="${links.condition(condition.id)}">${condition.name}</a> · ${version.architecture} · ${size(version.sizeBytes)}</p></div>
        <p>${statusBadge(version.status)} ${isActive && condition.active && activeBadge(condition.active.state)}</p>
      </header>
      ${problem && problemNotice(problem)}
      ${versionNotice(version.notice)}
      ${version.statusReason && notice(version.statusReason, { tone: version.status === 'quarantined' ? 'bad' : 'warn' })}
      <div class="condition-columns">
        <div class="condition-main">
          ${figures(version)}
          ${calibration(version)}
          ${operatingPoints(version, condition)}
          ${precisionTable(version)}
          ${props.evaluations && versionEvaluations(version, props.evaluations)}
          ${props.plots && props.plots.length > 0 && plots(version.id, props.plots)}
          ${activations(props)}
          ${lineage(version)}
          ${files(version)}
        </div>
        <div class="condition-side">
          ${identity(props)}
          ${use(props, isActive)}
          ${notes(version)}
          ${!isActive && version.status !== 'deleted' && removal(version)}
          ${version.isInBin && putBack(version)}
        </div>
      </div>`,
  )
}

function identity({ version, signers = [], replay }: ModelPageProps): Html {
  return html`<section class="panel" aria-label="Identity"><h2>Identity</h2>
    ${facts([
      ['Version', html`<code>${version.id}</code>`],
      ['Aliases', aliasWords(version)],
      ['Package SHA-256', hash(version.sha256)],
      ['Created', time(version.createdAt)],
      [
        'Registered',
        html`${time(version.registeredAt)} by ${version.registeredBy}, ${version.registeredVia}`,
      ],
      ['Signed by', signerWords(signers)],
      [
        'Golden images on import',
        replay && `${replay.ok ? 'reproduced' : 'not reproduced'}: ${replay.detail}`,
      ],
      ['Files last verified', version.verifiedAt ? time(version.verifiedAt) : 'not yet'],
      ['Kind', version.kind],
      ['Classes', version.classes.map(({ label }) => label).join(', ')],
    ])}
    <p class="button-row"><a class="button" href="${links.versionExport(version.id)}"
      download>Export</a>
      <a class="button" href="${links.versionJson(version.id)}">JSON</a></p>
  </section>`
}

function use({ version, condition, siblings }: ModelPageProps, isActive: boolean): Html {
  const rival = siblings.find((one) => one.id === condition.active?.version) ?? siblings[0]
  const usable = version.status === 'verified' || version.status === 'unevaluated'
  return html`<section class="panel" aria-label="Use"><h2>Use</h2>
    ${isActive ? html`<p>Active for ${condition.name}.</p>${changePrecisionForm(version, condition)}` : usable ? activateThisForm(version, condition) : html`<p class="hint">A ${version.status} version cannot be activated.</p>`}
    ${
      usable &&
      html`<p class="button-row">
      <a class="button"
        href="${links.diagnose({ condition: condition.id, version: version.id })}">Diagnose with it</a>
      ${
        rival &&
        html`<a class="button"
        href="${links.compare({ condition: condition.id, a: rival.id, b: version.id })}">Compare with ${shortVersion(rival.id)}</a>`
      }
    </p>`
    }
  </section>`
}

function figures({ metrics }: Version): Html {
  if (!metrics) {
    return html`<section aria-label="Figures"><h2>Figures</h2>
      ${notice('Not evaluated: performance is unknown. Evaluate it on labelled images below; until then, activation requires overriding the performance gate.', { tone: 'warn' })}</section>`
  }
  return html`<section aria-label="Figures"><h2>Figures</h2>
    <ul class="figure-grid">${METRICS.map(
      ({ key, text }) =>
        html`<li><span class="figure-name">${text}</span><span
          class="figure-value">${metricText(key, metrics[key])}</span></li>`,
    )}</ul>
    <p class="hint">On ${count(metrics.n, 'held-out image')}; test set <code>${metrics.testSet}</code>.</p>
  </section>`
}

function plots(id: string, shown: readonly ShownPlot[]): Html {
  return html`<section aria-label="Plots"><h2>Plots</h2>
    ${plotGrid(shown)}
    <p class="hint">Training history and results on held-out test images. Downloads: PNG at 300 dpi, PDF or SVG.
      ${
        shown.some(({ name }) => name === 'loss_curve') &&
        html`Loss and accuracy combined: ${['png', 'pdf', 'svg'].map(
          (format) =>
            html`<a href="${links.versionPlot(id, `training_curves.${format}`)}" download>${format.toUpperCase()}</a> `,
        )}`
      }</p>
  </section>`
}

function calibration({ calibration: one }: Version): Html {
  return html`<section aria-label="Calibration"><h2>Calibration</h2>
    ${
      one
        ? facts([
            ['Method', `${one.method} scaling, T = ${score(one.temperature)}`],
            ['Fitted on', count(one.n, 'image')],
            [
              'Expected calibration error on these images',
              `${fraction(one.eceBefore)} before, ${fraction(one.eceAfter)} after`,
            ],
          ])
        : html`<p class="hint">None: probabilities are raw scores.</p>`
    }
  </section>`
}

function operatingPoints(version: Version, condition: Condition): Html {
  const inUse = condition.operatingPoint ?? version.defaultOperatingPoint
  return html`<section aria-label="Operating points"><h2>Operating points</h2>
    ${
      version.operatingPoints.length === 0
        ? html`<p class="hint">None: default rule (threshold 50%, or the most probable class).</p>`
        : html`<div class="table-wrap" tabindex="0" role="region"
          aria-label="Table of operating points"><table class="table">
      <thead><tr><th scope="col">Name</th><th scope="col">Thresholds on ${version.calibration ? 'calibrated probability' : 'raw score'}</th>
      <th scope="col" class="number">Sensitivity</th>
      <th scope="col" class="number">Specificity</th></tr></thead>
      <tbody>${version.operatingPoints.map(
        (point) => html`<tr><th
          scope="row">${operatingPointName(point.name)}${targetWords(point)} ${point.name === inUse && badge('in use', 'accent')}</th>
          <td>${thresholds(point.thresholds)}</td>
          <td class="number">${percent(point.sensitivity)}</td>
          <td class="number">${percent(point.specificity)}</td></tr>`,
      )}</tbody></table></div>
      <p class="hint">Thresholds were chosen on calibration images; sensitivity and specificity were measured on test images and can miss the target.</p>`
    }
  </section>`
}

/** What a point named for a target reached on the test images, when that is less. */
function targetWords({
  name,
  sensitivity,
  specificity,
}: Version['operatingPoints'][number]): Html | undefined {
  const [, metric, target] = /^(sensitivity|specificity)>=([\d.]+)$/.exec(name) ?? []
  const reached = metric === 'sensitivity' ? sensitivity : specificity
  if (target === undefined || reached === null || reached >= Number(target)) return undefined
  return html` ${badge(`target missed: reached ${percent(reached)}`, 'bad', 'warning')}`
}

function thresholds(all: Readonly<Record<string, number>>): Html {
  const entries = Object.entries(all)
  if (entries.length === 0) return html`most probable class`
  return html`<ul
    class="plain">${entries.map(([label, value]) => html`<li>${label} ${percent(value)}</li>`)}</ul>`
}

function activations({ activations: list, version }: ModelPageProps): Html {
  return html`<section aria-label="Activations"><h2>Activations</h2>
    ${
      list.length === 0
        ? html`<p class="hint">Never active.</p>`
        : html`<ul class="plain">${list.map((one) => html`<li>${time(one.at)} ${badge(one.outcome, one.outcome === 'refused' ? 'bad' : 'good')} ${one.reason} <span class="hint">${one.by}</span></li>`)}</ul>`
    }
    <p><a href="${links.predictions({ condition: version.condition, version: version.id })}">Predictions of this version</a> ·
      <a href="${links.ab({ condition: version.condition, a: version.id })}">re-run with another version</a></p>
  </section>`
}

function lineage(version: Version): Html | undefined {
  const entries = Object.entries(version.lineage).filter(([, value]) => value !== null)
  if (entries.length === 0) return undefined
  return html`<section
    aria-label="Lineage"><h2>Lineage</h2>${facts(entries.map(([key, value]) => [words(key), html`<code>${value}</code>`]))}</section>`
}

/** `datasetName` as "dataset name". */
function words(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

function files(version: Version): Html {
  return html`<details class="files"><summary><h2>Files</h2> <span
    class="hint">${count(version.files.length, 'file')}, each verified by SHA-256</span></summary>
    <div class="table-wrap" tabindex="0" role="region" aria-label="Table of files"><table
      class="table">
      <thead><tr><th scope="col">Path</th><th scope="col" class="number">Size</th>
      <th scope="col">SHA-256</th><th scope="col">MD5</th></tr></thead>
      <tbody>${version.files.map(
        (file) => html`<tr><th scope="row"><code>${file.path}</code></th>
      <td class="number">${size(file.size)}</td><td>${hash(file.sha256)}</td>
      <td>${hash(file.md5)}</td></tr>`,
      )}</tbody>
    </table></div>
  </details>`
}

function notes(version: Version): Html {
  return html`<details
    class="panel"${version.notes ? html` open` : ''}><summary><h2>Notes and tags</h2></summary>
    <form class="stack" method="post" action="${links.versionEdit(version.id)}">
      ${field('notes', {
        label: 'Notes',
        control: html`<textarea id="notes" name="notes" rows="3"
        maxlength="10000">${version.notes}</textarea>`,
      })}
      ${field('tags', {
        label: 'Tags, separated by commas',
        control: html`<input id="tags"
        name="tags" value="${version.tags.join(', ')}" autocomplete="off" />`,
      })}
      <button class="button" type="submit">Save</button>
    </form>
  </details>`
}

function putBack(version: Version): Html {
  return html`<form class="panel stack" method="post" action="${links.versionUndelete(version.id)}">
    <p>${version.deletedAt && html`Deleted ${time(version.deletedAt)}. `}Its files stay in the trash until it is emptied.</p>
    <button class="button" type="submit">${icon('undo')}Restore</button>
  </form>`
}

function removal(version: Version): Html {
  return html`<form method="post" action="${links.versionDelete(version.id)}"
    data-confirm="Move ${version.id} to the trash?">
    <button class="button button-quiet" type="submit">Move to trash</button>
  </form>`
}
