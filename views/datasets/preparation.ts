// How a dataset was prepared: which image trains and which tests, what was set aside and why.
import { html } from 'hono/html'
import type { Dataset, Preparation } from '../../src/registry/runs/datasets.ts'
import { facts, type Html, hash, time } from '../shared/components.ts'
import { links } from '../shared/links.ts'

const SPLITS = ['train', 'validation', 'calibration', 'test'] as const

export function preparationPanel({ id, preparedAt }: Dataset, prepared: Preparation): Html {
  const { setAside, notes } = prepared
  return html`<section class="panel" aria-label="Prepared">
    <div class="heading-row"><h2>Prepared</h2>
      <a class="button button-primary" href="${links.training({ dataset: id, condition: prepared.condition })}">Train on it</a></div>
    <div class="table-wrap" tabindex="0" role="region" aria-label="Split"><table class="table">
      <thead><tr><th scope="col">Class</th>${SPLITS.map((split) => html`<th scope="col" class="number">${split}</th>`)}</tr></thead>
      <tbody>${prepared.classes.map(
        ({ label }) =>
          html`<tr><th scope="row">${label}</th>${SPLITS.map((split) => html`<td class="number">${prepared.splits[split]?.[label] ?? 0}</td>`)}</tr>`,
      )}</tbody>
    </table></div>
    <ul class="plain">${notes.map((note) => html`<li class="hint">${note}</li>`)}</ul>
    ${facts([
      ['Images used', prepared.images],
      ['Excluded', setAside.count],
      ['Duplicates removed', prepared.duplicates],
      ['For the condition', prepared.condition ?? 'none (original labels)'],
      ['Image size', `${prepared.imageSize} px`],
      ['Seed', prepared.seed],
      ['Fingerprint', hash(prepared.fingerprint)],
      ['Test set', hash(prepared.testSet)],
      ['Prepared', preparedAt ? time(preparedAt) : undefined],
    ])}
    ${
      setAside.count > 0 &&
      html`<details class="findings"><summary><h3>Excluded: ${setAside.count}</h3></summary>
        <ul class="plain">${setAside.files.map(({ file, reason }) => html`<li><code>${file}</code> ${reason}</li>`)}</ul></details>`
    }
  </section>`
}
