// Labels that look wrong: the images whose label a model that never saw them would have given otherwise, each beside its
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
export function labelsPanel({ id, prepared, labelCheck }: Dataset): Html | undefined {
  if (!prepared) return undefined
  return html`<section class="panel" aria-label="Labels that look wrong"><h2>Labels that look wrong</h2>
    ${
      labelCheck
        ? found(id, labelCheck, prepared)
        : html`<p class="hint">After a first training: five models, each on the features of four fifths of the images, say what the other fifth shows. Where they are sure of another class, the label may be wrong.</p>`
    }
    <form method="post" action="${links.datasetLabelCheck(id)}">
      <button class="button" type="submit">${labelCheck ? 'Look again' : 'Look for wrong labels'}</button>
    </form>
  </section>`
}

function found(id: string, check: LabelCheck, prepared: NonNullable<Dataset['prepared']>): Html {
  const left = check.labels.filter(({ file }) => !prepared.exclude.includes(file))
  const isOld = check.fingerprint !== prepared.fingerprint
  const agreed = `${Math.round(check.accuracy * 100)} %`
  return html`<p>${count(check.count, 'doubtful label')} among ${count(check.images, 'image')}, ${check.sure} of them with as much certainty as an image of that class usually gets; ${agreed} of the labels were given by models that had not seen the image, too.</p>
    <p class="hint">By the features of ${versionLink(check.version)}, in ${check.folds} folds, patients kept together. It has seen the labels: an error that it has learnt by heart may be missing here. A doubtful label is not a wrong one: look at the image.</p>
    ${check.accuracy < commonest(prepared) + LEARNT && html`<p class="notice notice-warn">These models hardly tell the classes apart, so their doubts say little. Train for longer or with another architecture first, then look again.</p>`}
    ${isOld && html`<p class="hint">The dataset was prepared anew since; look again to be up to date.</p>`}
    ${
      left.length > 0 &&
      html`<form class="stack" method="post" action="${links.datasetExclude(id)}">
      <div class="table-wrap" tabindex="0" role="region" aria-label="Doubtful labels"><table class="table">
        <thead><tr><th scope="col">Leave out</th><th scope="col">Image</th><th scope="col">Label</th><th scope="col">Looks like</th></tr></thead>
        <tbody>${left.map((one, at) => row(id, one, at))}</tbody>
      </table></div>
      <button class="button button-primary" type="submit">Leave the chosen out and prepare again</button>
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
  const percent = (p: number): string => `${Math.round(p * 100)} %`
  return html`<tr>
    <td><input type="checkbox" id="doubt-${at}" name="file:${one.file}" aria-label="Leave out ${one.file}" /></td>
    <th scope="row"><label for="doubt-${at}"><img class="thumbnail" src="${links.datasetImage(id, one.file)}" alt="" width="72" height="72" loading="lazy" /> <code>${one.file}</code></label><span class="row-note">${one.split}</span></th>
    <td>${one.given} <span class="row-note">${percent(one.givenProbability)}</span></td>
    <td>${one.suggested} <span class="row-note">${percent(one.suggestedProbability)}${one.sure ? ', sure' : ''}</span></td>
  </tr>`
}
