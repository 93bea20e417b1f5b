// The diagnose page: choose what to look for, give an image, read the result. The result itself: prediction-result.ts.
import { html } from 'hono/html'
import { field, type Html } from '../shared/components.ts'
import { type ProblemProps, problemNotice } from '../shared/error.ts'
import {
  conditionTiles,
  type Example,
  exampleStrip,
  explanationField,
  frameField,
  imageField,
  progress,
  type UploadLimits,
} from '../shared/image-form.ts'
import { type Frame, page } from '../shared/layout.ts'
import { links } from '../shared/links.ts'
import { type ConditionChoice, versionOptions } from '../shared/version-parts.ts'

export interface DiagnoseProps {
  readonly frame: Frame
  readonly choices: readonly ConditionChoice[]
  readonly chosen: {
    readonly condition?: string | undefined
    readonly version?: string | undefined
    readonly explain?: string | undefined
    readonly operatingPoint?: string | undefined
  }
  readonly examples: readonly Example[]
  readonly limits: UploadLimits
  /** Why the form that was just sent could not be answered. */
  readonly problem?: ProblemProps | undefined
}

export function diagnosePage(props: DiagnoseProps): Html {
  const action = links.predictions()
  return page(
    props.frame,
    { title: 'Diagnose', width: 'wide' },
    html`<div class="desk">
      <div class="desk-form">
        <h1>Diagnose an image</h1>
        ${props.choices.length === 0 ? noConditions() : diagnoseForm(props, action)}
      </div>
      <div class="desk-stage">
        <section id="result" class="result" aria-label="Result" data-drop-stage>
          ${props.problem ? problemNotice(props.problem) : emptyStage()}
        </section>
        ${exampleStrip(props.examples, { action })}
      </div>
    </div>`,
  )
}

function diagnoseForm({ choices, chosen, limits }: DiagnoseProps, action: string): Html {
  return html`<form class="stack" method="post" action="${action}" enctype="multipart/form-data"
    hx-post="${action}" hx-target="#result" hx-swap="innerHTML show:top"
    hx-disable="find button[type=submit]" data-upload data-main-form>
    ${conditionTiles(choices, chosen.condition)}
    ${imageField({ limits })}
    <details class="options">
      <summary>Advanced: version, operating point, heatmap</summary>
      ${field('version', {
        label: 'Version',
        control: html`<select id="version" name="version"
          data-versions>${versionOptions(choices, { chosen: chosen.version, first: 'The active version' })}</select>`,
        hint: 'Other versions load on demand.',
      })}
      ${operatingPointField(operatingPointNames(choices), chosen.operatingPoint)}
      ${explanationField(chosen.explain)}
      ${frameField()}
    </details>
    ${progress()}
    <button class="button button-primary button-wide" type="submit">Diagnose</button>
    <p class="hint">Several images? <a href="${links.batches}">Analyse a batch</a>.</p>
  </form>`
}

/** Names of all operating points that any of the versions brings. */
function operatingPointNames(choices: readonly ConditionChoice[]): string[] {
  const names = choices.flatMap(({ versions }) =>
    versions.flatMap((one) => one.operatingPoints.map((point) => point.name)),
  )
  return [...new Set(names)].sort()
}

function operatingPointField(names: readonly string[], chosen: string | undefined): Html {
  return field('operating-point', {
    label: 'Operating point',
    control: html`<input id="operating-point" name="operatingPoint" list="operating-points"
      value="${chosen ?? ''}" placeholder="default for this condition" autocomplete="off" />
      <datalist id="operating-points">${names.map(
        (name) => html`<option
        value="${name}"></option>`,
      )}</datalist>`,
  })
}

function emptyStage(): Html {
  return html`<label class="stage-empty" for="image" data-stage>
    <svg class="stage-mark" viewBox="0 0 64 64" aria-hidden="true" focusable="false"><rect x="10"
      y="6" width="44" height="52" rx="5" /><path
      d="M32 16v32M22 22c6-3 14-3 20 0M20 30c7-3.5 17-3.5 24 0M22 38c6-3 14-3 20 0" /></svg>
    <img class="stage-preview" alt="" data-stage-preview hidden />
    <strong data-stage-words>Your image will appear here</strong>
    <span class="needs-script">Choose a condition, then drop an image anywhere on this page.</span>
  </label>`
}

function noConditions(): Html {
  return html`<p>No conditions yet. <a
    href="${links.conditions}">Add one</a>, then import or train a version for it.</p>`
}
