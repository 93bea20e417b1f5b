// The parts of a form that sends an image: condition tiles, the place to drop a file, explanation methods, examples.
// Everything is plain form controls; upload.js adds dropping, pasting, a preview and progress.
import { html } from 'hono/html'
import { badge, field, type Html, options } from './components.ts'
import { EXPLANATION_CHOICES } from './explanations.ts'
import { bytes } from './format.ts'
import { links } from './links.ts'
import type { ConditionChoice } from './version-parts.ts'

export interface Example {
  readonly id: string
  readonly condition: string
  /** E.g. "Fracture, synthetic". */
  readonly title: string
  readonly thumbnail: string
  readonly image: string
}

export interface UploadLimits {
  readonly maxUploadBytes: number
  readonly maxPixels: number
}

/** One radio tile for each condition. Nothing is chosen beforehand when there are several: a wrong guess misleads. */
export function conditionTiles(
  choices: readonly ConditionChoice[],
  chosen: string | undefined,
): Html {
  const only = choices.length === 1 ? choices[0]?.condition.id : undefined
  return html`<fieldset class="tiles" data-conditions>
    <legend>Condition</legend>
    <div class="tile-grid">${choices.map((choice) => tile(choice, chosen ?? only))}</div>
  </fieldset>`
}

function tile({ condition }: ConditionChoice, chosen: string | undefined): Html {
  const id = `condition-${condition.id}`
  const checked = condition.id === chosen
  return html`<div class="tile">
    ${
      checked
        ? html`<input type="radio" name="condition" id="${id}" value="${condition.id}" required
          checked />`
        : html`<input type="radio" name="condition" id="${id}" value="${condition.id}" required />`
    }
    <label for="${id}"><span class="tile-name">${condition.name}</span>
      <span class="tile-part">${condition.bodyPart}</span>
      ${condition.active === null && badge('no active version', 'warn', 'warning')}
      ${condition.active?.state === 'damaged' && badge('damaged on disk', 'bad', 'warning')}</label>
  </div>`
}

export interface ImageFieldOptions {
  readonly limits: UploadLimits
  /** An earlier prediction whose image is used when no file is chosen. */
  readonly earlier?: { readonly id: string; readonly description: string } | undefined
}

export function imageField({ limits, earlier }: ImageFieldOptions): Html {
  const megapixels = Math.round(limits.maxPixels / 1_000_000)
  return html`<div class="field image-field" data-drop>
    <label class="drop" for="image">
      <span class="drop-title" data-drop-title>${earlier ? 'Another image' : 'Image'}</span>
      <span class="drop-words needs-script">Drop it here, paste with <kbd>Ctrl</kbd> <kbd>V</kbd>, or <em>choose a file</em></span>
      <img class="drop-preview" alt="" data-drop-preview hidden />
    </label>
    ${
      earlier
        ? html`<input type="file" id="image" name="image" accept="${ACCEPTED}"
          aria-describedby="image-hint" />
          <input type="hidden" name="prediction" value="${earlier.id}" />
          <p class="earlier"><img src="${links.predictionThumbnail(earlier.id)}" alt="" width="48"
            height="48" />
            <span>Uses the image of <a
              href="${links.prediction(earlier.id)}">${earlier.description}</a> unless you choose another.</span></p>`
        : html`<input type="file" id="image" name="image" accept="${ACCEPTED}" required
          aria-describedby="image-hint" />`
    }
    <p class="hint"
      id="image-hint">DICOM, JPEG, PNG (8 or 16 bit), WebP or TIFF, up to ${bytes(limits.maxUploadBytes).replace('.0 ', ' ')} and ${megapixels} megapixels.</p>
  </div>`
}

const ACCEPTED =
  'image/jpeg,image/png,image/webp,image/tiff,.tif,.tiff,application/dicom,.dcm,.dicom'

export function explanationField(chosen: string | undefined): Html {
  return field('explain', {
    label: 'Explanation',
    control: html`<select id="explain"
      name="explain">${options(EXPLANATION_CHOICES, chosen ?? 'gradcam')}</select>`,
  })
}

/** Which picture of a file that holds several. */
export function frameField(): Html {
  return field('frame', {
    label: 'Frame',
    control: html`<input type="number" id="frame" name="frame" min="1" max="999999" step="1"
      placeholder="1" inputmode="numeric" aria-describedby="frame-hint" />`,
    hint: 'For multi-frame files. Default: frame 1.',
  })
}

/** Hidden until a form is on its way; the bar moves only with a script. */
export function progress(): Html {
  return html`<div class="progress" data-progress hidden>
    <progress max="100" value="0" aria-label="Upload" data-progress-bar></progress>
    <p role="status" data-progress-words></p>
  </div>`
}

/** Small pictures, each a form of its own that sends that picture. `fields` are further hidden fields. */
export function exampleStrip(
  examples: readonly Example[],
  o: { action: string; fields?: Readonly<Record<string, string>> },
): Html | undefined {
  if (examples.length === 0) return undefined
  return html`<section class="examples" aria-label="Examples">
    <h2 class="examples-title">Examples <span
      class="hint">synthetic images, not patients</span></h2>
    <ul class="example-grid">${examples.map((one) => example(one, o))}</ul>
  </section>`
}

function example(
  one: Example,
  o: { action: string; fields?: Readonly<Record<string, string>> },
): Html {
  const fields = Object.entries({ ...o.fields, example: one.id, condition: one.condition })
  return html`<li>
    <form method="post" action="${o.action}" enctype="multipart/form-data" hx-post="${o.action}"
      hx-target="#result" hx-swap="innerHTML show:top" data-upload>
      ${fields.map(
        ([name, value]) => html`<input type="hidden" name="${name}"
        value="${value}" />`,
      )}
      <button class="example" type="submit"><img src="${one.thumbnail}" alt="" width="120"
        height="120" loading="lazy" /><span>${one.title}</span></button>
    </form>
  </li>`
}
