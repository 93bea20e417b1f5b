// A model from elsewhere becomes a version: what it looks for, its classes, how images are prepared; tried on an image
// before it is saved.
import { html } from 'hono/html'
import type { PendingImport, Trial } from '../../src/app/models/pending-imports.ts'
import type { Condition } from '../../src/registry/conditions/conditions.ts'
import { badge, facts, field, type Html, notice, options } from '../shared/components.ts'
import { type ProblemProps, problemNotice } from '../shared/error.ts'
import { bytes, probability as percentOf } from '../shared/format.ts'
import type { Example } from '../shared/image-form.ts'
import { type Frame, page } from '../shared/layout.ts'
import { links } from '../shared/links.ts'

export interface ModelImportProps {
  readonly frame: Frame
  readonly pending: PendingImport
  readonly conditions: readonly Condition[]
  /** Names of those that exist here; a state dict needs one of them. */
  readonly architectures: readonly string[]
  readonly examples: readonly Example[]
  readonly problem?: ProblemProps | undefined
}

const KINDS = [
  { value: '', text: 'as in the condition or the file' },
  { value: 'binary', text: 'binary: one finding, present or absent' },
  { value: 'single-label', text: 'single-label: exactly one of several classes' },
  { value: 'multi-label', text: 'multi-label: any number of findings' },
]

const OUTPUTS = [
  { value: '', text: 'auto: as the graph ends, else as its answers look' },
  { value: 'logits', text: 'logits: any numbers; a sigmoid or softmax is still to come' },
  { value: 'probabilities', text: 'probabilities: from 0 to 1' },
]

const SCALINGS = [
  { value: '', text: 'Choose how it was trained' },
  { value: 'torch', text: 'torch: ImageNet mean and deviation (torchvision)' },
  { value: 'tf', text: 'tf: from -1 to 1 (MobileNet, EfficientNet V2, Teachable Machine)' },
  { value: 'unit', text: 'unit: from 0 to 1' },
  { value: 'raw', text: 'raw: from 0 to 255' },
  { value: 'caffe', text: 'caffe: BGR with the mean subtracted (VGG and ResNet of Keras)' },
  { value: 'xrv', text: 'xrv: from -1024 to 1024, the middle of the image (torchxrayvision)' },
  { value: 'own', text: 'custom, below' },
]

export function modelImportPage(props: ModelImportProps): Html {
  const { frame, pending, problem } = props
  const { trial } = pending
  return page(
    frame,
    { title: 'Import a model', width: 'wide' },
    html`<header class="heading"><h1>Import a model</h1>
      <p>${pending.fileName} · ${pending.format} · ${bytes(pending.size)}. Describe the outputs, test on an image, then save. The file’s code is never executed.</p></header>
    ${problem && problemNotice(problem)}
    <div class="condition-columns">
      <div class="condition-main">${trial ? trialOf(pending.id, trial) : ''}${detailsForm(props)}</div>
      <div class="condition-side">${help()}
        <form method="post" action="${links.modelImportStep(pending.id, 'discard')}"><button
          class="button button-quiet" type="submit">Discard</button></form></div>
    </div>`,
  )
}

function detailsForm(props: ModelImportProps): Html {
  const { pending, conditions, architectures, examples } = props
  const said = (name: string): string => pending.fields[name] ?? ''
  const action = links.modelImportStep(pending.id, 'try')
  return html`<form class="panel stack" method="post" action="${action}" enctype="multipart/form-data">
    <h2>${pending.trial ? 'Change and test again' : 'Description'}</h2>
    ${field('condition', {
      label: 'Condition',
      control: html`<input id="condition" name="condition" list="conditions" required maxlength="64"
        value="${said('condition')}" autocomplete="off" aria-describedby="condition-hint" />
        <datalist id="conditions">${conditions.map(({ id, name }) => html`<option value="${id}">${name}</option>`)}</datalist>`,
      hint: 'Existing or new id.',
    })}
    ${field('name', {
      label: 'Version name',
      control: html`<input id="name" name="name" required maxlength="64" value="${said('name')}" autocomplete="off" />`,
    })}
    ${field('classes', {
      label: 'Classes, one per line, in output order',
      control: html`<textarea id="classes" name="classes" rows="4" placeholder="NORMAL\n*PNEUMONIA"
        aria-describedby="classes-hint">${said('classes')}</textarea>`,
      hint: 'Mark positive findings with *. May be empty if the condition or the file defines them.',
    })}
    ${field('unitClass', {
      label: 'One output: whose probability is it?',
      control: html`<input id="unitClass" name="unitClass" maxlength="100" value="${said('unitClass')}"
        autocomplete="off" aria-describedby="unitClass-hint" />`,
      hint: 'For a binary model with one output. Empty: that of the second class above, as Keras numbers its folders.',
    })}
    ${field('outputs', {
      label: 'What the outputs are',
      control: html`<select id="outputs" name="outputs">${options(OUTPUTS, said('outputs'))}</select>`,
    })}
    ${field('kind', { label: 'Kind', control: html`<select id="kind" name="kind">${options(KINDS, said('kind'))}</select>` })}
    ${field('scaling', {
      label: 'Pixel scaling',
      control: html`<select id="scaling" name="scaling" required>${options(SCALINGS, said('scaling'))}</select>`,
    })}
    ${field('preprocessing', {
      label: 'Custom preprocessing (JSON)',
      control: html`<textarea id="preprocessing" name="preprocessing" rows="3" spellcheck="false"
        placeholder='{"scale":0.00392157,"mean":[0.5],"std":[0.25],"aspect":"stretch"}'>${said('preprocessing')}</textarea>`,
      hint: 'value × scale, minus mean, divided by std; size and channels come from the model.',
    })}
    ${field('architecture', {
      label: 'Architecture',
      control: html`<input id="architecture" name="architecture" list="architectures" maxlength="100"
        value="${said('architecture')}" autocomplete="off" />
        <datalist id="architectures">${architectures.map((one) => html`<option value="${one}"></option>`)}</datalist>`,
      hint: 'Required for a PyTorch state dict if it cannot be detected; otherwise a label.',
    })}
    ${field('image', {
      label: 'Test image',
      control: html`<input type="file" id="image" name="image" aria-describedby="image-hint" />`,
      hint: 'Use an image with a known label. It is not kept.',
    })}
    ${
      examples.length > 0 &&
      field('example', {
        label: 'or an example',
        control: html`<select id="example" name="example">${options(
          [
            { value: '', text: 'none' },
            ...examples.map(({ id, title, condition }) => ({
              value: id,
              text: `${condition}: ${title}`,
            })),
          ],
          '',
        )}</select>`,
      })
    }
    <button class="button button-primary" type="submit">Convert and test</button>
  </form>`
}

function trialOf(id: string, { manifest, diagnosis, input, outputs }: Trial): Html {
  const { decision, classes, warnings } = diagnosis
  const unitClass = classes.length === 2 ? (outputs?.unitClass ?? null) : null
  const isUnit = unitClass !== null
  const shown = classes.toSorted((a, b) => b.probability - a.probability).slice(0, 20)
  return html`<section class="panel" aria-label="Trial"><h2>Test result</h2>
    <p><strong>${decision.label}</strong> ${decision.positive ? badge('positive finding', 'warn', 'positive') : badge('no positive finding', 'neutral', 'negative')}</p>
    <div class="table-wrap" tabindex="0" role="region" aria-label="Scores"><table class="table">
      <thead><tr><th scope="col">Class</th><th scope="col" class="number">Score</th>${isUnit && html`<th scope="col" class="number">The other way round</th>`}</tr></thead>
      <tbody>${shown.map(({ label, probability }) => html`<tr><th scope="row">${label}</th><td class="number">${percentOf(probability)}</td>${isUnit && html`<td class="number">${percentOf(1 - probability)}</td>`}</tr>`)}</tbody>
    </table></div>
    ${classes.length > shown.length && html`<p class="hint">and ${classes.length - shown.length} more classes</p>`}
    ${
      isUnit &&
      html`<p>The one output is taken for the probability of <strong>${unitClass}</strong>. If the answer is right
        the other way round, name the other class below.</p>`
    }
    ${facts([
      ['Version', `${manifest.condition}/${manifest.name}`],
      ['Kind', manifest.kind],
      ['Outputs', outputs?.taken ?? 'logits'],
      ['Architecture', manifest.architecture],
      [
        'Input',
        `${input.width} × ${input.height}, ${input.channels} channel${input.channels === 1 ? '' : 's'}`,
      ],
    ])}
    ${(outputs?.notes ?? []).map((text) => notice(text))}
    ${warnings.map((text) => notice(text, { tone: 'warn' }))}
    ${notice('If this result is wrong, check the scaling and the class order below.')}
    <form method="post" action="${links.modelImportStep(id, 'save')}"><button class="button button-primary"
      type="submit">Save as a version</button></form>
    <p class="hint">It stays inactive and unevaluated until evaluated.</p>
  </section>`
}

function help(): Html {
  return html`<section class="panel" aria-label="Help"><h2>Which scaling?</h2>
    <p>Check how the authors preprocess images. Wrong scaling produces plausible but wrong results. Test one positive and one negative image.</p></section>`
}
