// The compare page: one image, two versions. The outcome itself: comparison.ts.
import { html } from 'hono/html'
import type { Prediction } from '../../src/registry/predictions/predictions.ts'
import { field, type Html } from '../shared/components.ts'
import { type ProblemProps, problemNotice } from '../shared/error.ts'
import {
  conditionTiles,
  type Example,
  explanationField,
  imageField,
  progress,
  type UploadLimits,
} from '../shared/image-form.ts'
import { type Frame, page } from '../shared/layout.ts'
import { links } from '../shared/links.ts'
import { type ConditionChoice, versionOptions } from '../shared/version-parts.ts'
import { type Comparison, compareResult } from './show.ts'

export interface CompareProps {
  readonly frame: Frame
  readonly choices: readonly ConditionChoice[]
  readonly chosen: {
    readonly condition?: string | undefined
    readonly a?: string | undefined
    readonly b?: string | undefined
    readonly explain?: string | undefined
    /** The reader wants to see no names and outputs before voting. */
    readonly isBlind?: boolean | undefined
    /** Its image is used unless another is uploaded. */
    readonly prediction?: Prediction | undefined
  }
  readonly examples: readonly Example[]
  readonly limits: UploadLimits
  readonly result?: Comparison | undefined
  readonly problem?: ProblemProps | undefined
}

export function comparePage(props: CompareProps): Html {
  const { result, problem } = props
  return page(
    props.frame,
    { title: 'Compare', width: 'wide' },
    html`<div class="${result ? 'desk desk-stacked' : 'desk'}">
      <div class="desk-form">
        <h1>Compare two versions</h1>
        <p class="hint"><a href="${links.ab({ condition: props.chosen.condition })}">On a set of images</a></p>
        ${
          result
            ? html`<details
          class="again"><summary>Compare again</summary>${compareForm(props)}</details>`
            : compareForm(props)
        }
      </div>
      <div class="desk-stage">
        <section id="result" class="result" aria-label="Comparison" data-drop-stage>
          ${problem ? problemNotice(problem) : result ? compareResult(result) : emptyStage()}
        </section>
      </div>
    </div>`,
  )
}

function compareForm({ choices, chosen, examples, limits }: CompareProps): Html {
  const action = links.compare()
  const earlier = chosen.prediction
  return html`<form class="stack" method="post" action="${action}" enctype="multipart/form-data"
    hx-post="${action}" hx-target="#result" hx-swap="innerHTML show:top"
    hx-disable="find button[type=submit]" data-upload data-main-form>
    ${conditionTiles(choices, chosen.condition ?? earlier?.condition)}
    <div class="pair">
      ${versionField('a', { choices, chosen: chosen.a, label: 'Version A' })}
      ${versionField('b', { choices, chosen: chosen.b, label: 'Version B' })}
    </div>
    ${imageField({ limits, earlier: earlier && { id: earlier.id, description: `${earlier.decision.label}, ${earlier.version}` } })}
    ${exampleChoice(examples)}
    <label class="check" for="blind"><input type="checkbox" id="blind" name="blind"${chosen.isBlind ? html` checked` : ''} />
      <span>Blinded comparison: hide version names until I vote</span></label>
    <details class="options"><summary>Explanation</summary>${explanationField(chosen.explain)}</details>
    ${progress()}
    <button class="button button-primary button-wide" type="submit">Compare</button>
  </form>`
}

interface VersionFieldOptions {
  readonly choices: readonly ConditionChoice[]
  readonly chosen: string | undefined
  readonly label: string
}

function versionField(id: 'a' | 'b', { choices, chosen, label }: VersionFieldOptions): Html {
  return field(id, {
    label,
    control: html`<select id="${id}" name="${id}" required data-versions
      data-versions-default="${id === 'a' ? 'active' : 'other'}">
      ${versionOptions(choices, { chosen, first: 'Choose a version' })}</select>`,
  })
}

/** Examples as submit buttons of the same form: the chosen versions go along. */
function exampleChoice(examples: readonly Example[]): Html | undefined {
  if (examples.length === 0) return undefined
  return html`<fieldset class="example-choice" data-example-choice>
    <legend>Or an example <span class="hint">(synthetic)</span></legend>
    <div class="example-grid">${examples.map(
      (one) =>
        html`<button class="example" type="submit" name="example" value="${one.id}"
          data-condition="${one.condition}" formnovalidate><img src="${one.thumbnail}" alt=""
          width="96" height="96" loading="lazy" /><span>${one.title}</span></button>`,
    )}</div>
  </fieldset>`
}

function emptyStage(): Html {
  return html`<div class="stage-empty">
    <strong>Two predictions, side by side</strong>
    <span>Same image, same colour scale, with the differences marked.</span>
  </div>`
}
