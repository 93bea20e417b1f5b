// Many images at once: the form, and the table of what was read. The table is sent in parts while the images are read, so the
// document is handed out as what comes before the rows and what comes after them.
import { html } from 'hono/html'
import type { BatchRow } from '../../src/app/batches/batch-job.ts'
import type { Condition } from '../../src/registry/conditions/conditions.ts'
import { badge, field, type Html } from '../shared/components.ts'
import { type ProblemProps, problemNotice } from '../shared/error.ts'
import { bytes, probability } from '../shared/format.ts'
import {
  conditionTiles,
  explanationField,
  progress,
  type UploadLimits,
} from '../shared/image-form.ts'
import { type Frame, page } from '../shared/layout.ts'
import { links } from '../shared/links.ts'
import { type ConditionChoice, versionOptions } from '../shared/version-parts.ts'

export interface BatchFormProps {
  readonly frame: Frame
  readonly choices: readonly ConditionChoice[]
  readonly chosen: string | undefined
  readonly limits: UploadLimits
  readonly maxZipBytes: number
  readonly problem?: ProblemProps | undefined
}

export function batchFormPage(props: BatchFormProps): Html {
  const { frame, choices, chosen, limits, maxZipBytes, problem } = props
  return page(
    frame,
    { title: 'Batch' },
    html`<header class="heading"><h1>Analyse a batch</h1>
        <p>Images are processed in order; unreadable files are skipped and listed.</p></header>
      ${problem && problemNotice(problem)}
      <form class="stack" method="post" action="${links.batches}" enctype="multipart/form-data">
        ${conditionTiles(choices, chosen)}
        ${field('images', {
          label: 'Images',
          control: html`<input type="file" id="images" name="image" multiple
            aria-describedby="images-hint" />`,
          hint: `DICOM, JPEG, PNG, WebP or TIFF, up to ${bytes(limits.maxUploadBytes)} each.`,
        })}
        ${field('zip', {
          label: 'or a zip file',
          control: html`<input type="file" id="zip" name="zip" accept=".zip,application/zip"
            aria-describedby="zip-hint" />`,
          hint: `Up to ${bytes(maxZipBytes)}.`,
        })}
        ${field('folder', {
          label: 'or a folder on the server',
          control: html`<input id="folder" name="folder" placeholder="chest-xray/test"
            autocomplete="off" aria-describedby="folder-hint" />`,
          hint: 'Inside the dataset folder, including subfolders.',
        })}
        <details class="options">
          <summary>Advanced: version, heatmap</summary>
          ${field('version', {
            label: 'Version',
            control: html`<select id="version" name="version"
              data-versions>${versionOptions(choices, { chosen: undefined, first: 'Active version' })}</select>`,
          })}
          ${explanationField('none')}
        </details>
        ${progress()}
        <button class="button button-primary" type="submit">Analyse</button>
      </form>`,
  )
}

interface BatchShown {
  readonly id: string
  readonly total: number
}

export function batchPageParts(o: {
  readonly frame: Frame
  readonly batch: BatchShown
  readonly condition: Condition | undefined
}): { readonly before: string; readonly after: string } {
  const { batch } = o
  const whole = page(
    o.frame,
    { title: 'Batch', width: 'wide' },
    html`<header class="heading"><h1>${batch.total} images${o.condition && html` for ${o.condition.name}`}</h1>
        <p>Results appear as they finish. You can close this page.</p></header>
      <div class="table-wrap" tabindex="0" role="region" aria-label="What was read"><table class="table">
        <thead><tr><th scope="col">No.</th><th scope="col">File</th><th scope="col">Prediction</th><th
          scope="col">Probability</th><th scope="col">Notes</th></tr></thead>
        <tbody>${ROWS}</tbody>
      </table></div>
      <p class="button-row"><a class="button button-primary" href="${links.batchCsv(batch.id)}"
        download="batch.csv">Download CSV</a>
        <a class="button" href="${links.batches}">New batch</a></p>`,
  )
  const [before = '', after = ''] = String(whole).split(ROWS)
  return { before, after }
}

const ROWS = '[[rows]]'

/** `n` of `total`, so that the last row tells how far it is. */
export function batchRow({ n, file, result }: BatchRow, total: number): Html {
  const place = html`<td>${n} of ${total}</td><td class="file-name">${file}</td>`
  if (!('id' in result)) {
    return html`<tr>${place}<td>${badge(result.title, 'bad', 'cross')}</td><td></td><td>${result.detail}</td></tr>`
  }
  const { label, positive, confidence, id, warnings } = result
  const sign = positive ? 'positive' : 'negative'
  return html`<tr>${place}
    <td><a href="${links.prediction(id)}">${label}</a> ${badge(positive ? 'positive finding' : 'no positive finding', positive ? 'warn' : 'neutral', sign)}</td>
    <td>${probability(confidence)}</td>
    <td>${warnings.join(' ')}</td></tr>`
}
