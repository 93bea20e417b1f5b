// Suspicious labels: the images whose label a model that never saw them would have given otherwise, each beside its
// picture, to be left out in one click.
import { html } from 'hono/html'
import type { Dataset } from '../../src/registry/runs/datasets.ts'
import type { LabelCheck } from '../../src/registry/runs/label-check.ts'
import type { Html } from '../shared/components.ts'
import { count } from '../shared/format.ts'
import { links } from '../shared/links.ts'
import { versionLink } from '../shared/version-parts.ts'

/** Above always saying the commonest class: a model that gains less has learnt too little to doubt a label. */
const LEARNT = 0.1

/** Shown once it is prepared. */
export function labelsPanel({ id, prepared, labelCheck, scan }: Dataset): Html | undefined {
  if (!prepared) return undefined
  return html`<section class="panel" aria-label="Suspicious labels"><h2>Suspicious labels</h2>
    ${
      labelCheck
        ? found(id, labelCheck, { prepared, groups: scan?.groups ?? 0 })
        : html`<p class="hint">Five-fold cross-validation on the features of a trained version. Images confidently predicted as another class may be mislabelled.</p>`
    }
    <form method="post" action="${links.datasetLabelCheck(id)}">
      <button class="button" type="submit">${labelCheck ? 'Check again' : 'Check labels'}</button>
    </form>
  </section>`
}

function found(
  id: string,
  check: LabelCheck,
  { prepared, groups }: { prepared: NonNullable<Dataset['prepared']>; groups: number },
): Html {
  const left = check.labels.filter(({ file }) => !prepared.exclude.includes(file))
  const isOld = check.fingerprint !== prepared.fingerprint
  const agreed = `${Math.round(check.accuracy * 100)}%`
  return html`<p>${check.count} of ${count(check.images, 'label')} ${check.count === 1 ? 'looks' : 'look'} suspicious (${check.sure} with high confidence). Cross-validated agreement: ${agreed}.</p>
    <p class="hint">${check.folds}-fold cross-validation on the features of ${versionLink(check.version)}, ${groups > 0 ? 'grouped by patient' : 'by image: patients are not known'}. The features come from a model trained on these labels, so memorised errors may be missed. A suspicious label is not necessarily wrong: check the image.</p>
    ${check.accuracy < commonest(prepared) + LEARNT && html`<p class="notice notice-warn">These models barely separate the classes, so this check says little. Train longer or with another architecture first, then check again.</p>`}
    ${isOld && html`<p class="hint">The dataset has been re-prepared since; check again to update.</p>`}
    ${
      left.length > 0 &&
      html`<form class="stack" method="post" action="${links.datasetExclude(id)}">
      <div class="table-wrap" tabindex="0" role="region" aria-label="Suspicious labels"><table class="table">
        <thead><tr><th scope="col">Exclude</th><th scope="col">Image</th><th scope="col">Label</th><th scope="col">Predicted</th></tr></thead>
        <tbody>${left.map((one, at) => row(id, one, at))}</tbody>
      </table></div>
      <button class="button button-primary" type="submit">Exclude selected and re-prepare</button>
    </form>`
    }`
}

/** Share of the commonest class: what is right by always saying the same. */
function commonest({ splits, images }: NonNullable<Dataset['prepared']>): number {
  const totals = new Map<string, number>()
  for (const [label, n] of Object.values(splits).flatMap((split) => Object.entries(split))) {
    totals.set(label, (totals.get(label) ?? 0) + n)
  }
  return Math.max(0, ...totals.values()) / Math.max(1, images)
}

function row(id: string, one: LabelCheck['labels'][number], at: number): Html {
  const percent = (p: number): string => `${Math.round(p * 100)}%`
  return html`<tr>
    <td><input type="checkbox" id="doubt-${at}" name="file:${one.file}" aria-label="Exclude ${one.file}" /></td>
    <th scope="row"><label for="doubt-${at}"><img class="thumbnail" src="${links.datasetImage(id, one.file)}" alt="" width="72" height="72" loading="lazy" /> <code>${one.file}</code></label><span class="row-note">${one.split}</span></th>
    <td>${one.given} <span class="row-note">${percent(one.givenProbability)}</span></td>
    <td>${one.suggested} <span class="row-note">${percent(one.suggestedProbability)}${one.sure ? ' (confident)' : ''}</span></td>
  </tr>`
}
