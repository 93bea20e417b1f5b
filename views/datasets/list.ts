// Datasets: the folders below the data root, what was found in each, and the form that scans another.
import { html } from 'hono/html'
import type { Dataset } from '../../src/registry/runs/datasets.ts'
import { badge, emptyState, field, type Html, type Tone } from '../shared/components.ts'
import { type ProblemProps, problemNotice } from '../shared/error.ts'
import { count } from '../shared/format.ts'
import { type Frame, page } from '../shared/layout.ts'
import { links } from '../shared/links.ts'

export interface DatasetListProps {
  readonly frame: Frame
  readonly datasets: readonly Dataset[]
  /** Folders directly below the data root that were never scanned. */
  readonly folders: readonly string[]
  readonly problem?: ProblemProps | undefined
  /** The path that was asked for in vain, to be corrected. */
  readonly path?: string | undefined
}

const TONES: Readonly<Record<Dataset['state'], Tone>> = {
  scanning: 'accent',
  scanned: 'neutral',
  preparing: 'accent',
  prepared: 'good',
  failed: 'bad',
}

export function datasetBadge(state: Dataset['state']): Html {
  const sign = state === 'prepared' ? 'check' : state === 'failed' ? 'cross' : undefined
  return badge(state, TONES[state], sign)
}

export function datasetListPage(props: DatasetListProps): Html {
  const { frame, datasets, folders, problem, path } = props
  return page(
    frame,
    { title: 'Datasets', width: 'wide' },
    html`<header class="heading"><h1>Datasets</h1>
      <p>Folders of labelled images. Scan checks the files. Prepare removes broken and duplicate files, splits the images and caches them.</p></header>
    ${problem && problemNotice(problem)}
    ${
      datasets.length === 0
        ? emptyState(
            'No datasets yet',
            'Create one folder per class inside the dataset folder, then scan it.',
          )
        : table(datasets)
    }
    ${scanForm(folders, path)}`,
  )
}

function table(datasets: readonly Dataset[]): Html {
  return html`<div class="table-wrap" tabindex="0" role="region" aria-label="Datasets"><table class="table">
    <thead><tr><th scope="col">Dataset</th><th scope="col">State</th><th scope="col" class="number">Images</th><th scope="col">Classes</th><th scope="col" class="number">Broken</th><th scope="col" class="number">Duplicates</th><th scope="col" class="number">Warnings</th></tr></thead>
    <tbody>${datasets.map(
      ({ id, name, path, state, reason, scan }) => html`<tr>
        <th scope="row"><a href="${links.dataset(id)}">${name}</a>${path !== name && html`<span class="row-note">${path}</span>`}</th>
        <td>${datasetBadge(state)}${reason && html`<span class="row-note">${reason}</span>`}</td>
        <td class="number">${scan?.images ?? '–'}</td>
        <td>${scan ? scan.classes.map((one) => `${one.label} ${one.count}`).join(', ') : '–'}</td>
        <td class="number">${scan?.broken.count ?? '–'}</td>
        <td class="number">${scan ? scan.duplicates.count + scan.nearDuplicates.count : '–'}</td>
        <td class="number">${scan?.warnings.length ?? '–'}</td>
      </tr>`,
    )}</tbody>
  </table></div>`
}

function scanForm(folders: readonly string[], path = ''): Html {
  const found =
    folders.length > 0 &&
    html`<p class="hint">${count(folders.length, 'folder')} not scanned yet:</p>
      <ul class="button-row">${folders.map(
        (
          folder,
        ) => html`<li><form class="inline-form" method="post" action="${links.datasetScan}"><input type="hidden" name="path" value="${folder}" />
          <button class="button button-small" type="submit">Scan ${folder}</button></form></li>`,
      )}</ul>`
  return html`<section class="panel" aria-label="Scan">
    <h2>Scan a folder</h2>
    ${found}
    <form class="stack" method="post" action="${links.datasetScan}">
      ${field('path', { label: 'Folder', control: html`<input id="path" name="path" value="${path}" required maxlength="500" autocomplete="off" placeholder="chest-xray" aria-describedby="path-hint" />`, hint: 'Relative to the dataset folder (“Dataset” by default, or ROENTGEN_DATASETS). One folder per class, with or without train, val and test, or a CSV file of labels beside the images.' })}
      <button class="button" type="submit">Scan</button>
    </form>
  </section>`
}
