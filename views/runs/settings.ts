// Everything of a training that can be set beside dataset, architecture and preset; empty fields keep what is usual.
import { html } from 'hono/html'
import type { Version } from '../../src/registry/versions/versions.ts'
import { type Choice, field, type Html, options } from '../shared/components.ts'

export interface TrainingSettingsProps {
  /** Versions that a run can start from. */
  readonly versions: readonly Version[]
  /** The form as it was sent. */
  readonly chosen: ReadonlyMap<string, string>
}

interface NumberSetting {
  readonly name: string
  readonly label: string
  readonly min: number
  readonly max: number
  /** Whole numbers by default. */
  readonly step?: 'any'
  readonly hint: string
}

const LEARNING: readonly NumberSetting[] = [
  { name: 'epochs', label: 'Epochs', min: 1, max: 1000, hint: 'instead of the preset’s' },
  {
    name: 'batchSize',
    label: 'Batch size',
    min: 2,
    max: 512,
    hint: '32; smaller needs less memory',
  },
  {
    name: 'learningRate',
    label: 'Learning rate',
    min: 0,
    max: 1,
    step: 'any',
    hint: 'the architecture’s own by default',
  },
  { name: 'momentum', label: 'Momentum', min: 0, max: 0.999, step: 'any', hint: '0.9; of SGD' },
  { name: 'weightDecay', label: 'Weight decay', min: 0, max: 1, step: 'any', hint: '0' },
  { name: 'labelSmoothing', label: 'Label smoothing', min: 0, max: 0.5, step: 'any', hint: '0' },
  {
    name: 'trainedLayers',
    label: 'Fine-tuning depth (layers)',
    min: 0,
    max: 10_000,
    hint: 'so many before the head are trained, 0 the head alone; when empty all, with pretrained weights 20',
  },
  {
    name: 'frozenCopies',
    label: 'Copies for the frozen part',
    min: 0,
    max: 100,
    hint: '2: it is run once on so many augmented copies; 0 runs it anew in every epoch',
  },
  {
    name: 'earlyStopping',
    label: 'Early stopping (epochs)',
    min: 0,
    max: 1000,
    hint: '8; 0 never ends it early',
  },
  {
    name: 'seed',
    label: 'Seed',
    min: 0,
    max: 2_147_483_647,
    hint: '42; the same seed gives the same weights',
  },
]

const RATE: readonly NumberSetting[] = [
  { name: 'plateauPatience', label: 'Plateau: patience (epochs)', min: 1, max: 1000, hint: '3' },
  { name: 'plateauFactor', label: 'Plateau: factor', min: 0, max: 0.99, step: 'any', hint: '0.5' },
  { name: 'stepEpochs', label: 'Step: every (epochs)', min: 1, max: 1000, hint: '10' },
  { name: 'stepFactor', label: 'Step: factor', min: 0, max: 0.99, step: 'any', hint: '0.3' },
]

const IMAGES: readonly NumberSetting[] = [
  {
    name: 'imageSize',
    label: 'Image size (px)',
    min: 16,
    max: 1024,
    hint: 'the architecture’s own by default',
  },
  {
    name: 'maxPerClass',
    label: 'Images of each class',
    min: 2,
    max: 10_000_000,
    hint: 'at most; as it was prepared when empty',
  },
  {
    name: 'rotationDegrees',
    label: 'Rotation (degrees)',
    min: 0,
    max: 180,
    step: 'any',
    hint: 'up to 7, skin 180',
  },
  { name: 'shift', label: 'Shift (share)', min: 0, max: 0.5, step: 'any', hint: 'up to 0.05' },
  { name: 'scale', label: 'Scale (share)', min: 0, max: 0.5, step: 'any', hint: 'up to 0.08' },
  {
    name: 'brightness',
    label: 'Brightness (share)',
    min: 0,
    max: 0.5,
    step: 'any',
    hint: 'up to 0.05',
  },
  {
    name: 'contrast',
    label: 'Contrast (share)',
    min: 0,
    max: 0.9,
    step: 'any',
    hint: 'up to 0.12',
  },
]

const YES_NO = [
  { value: '', text: 'as fits the body part' },
  { value: 'yes', text: 'yes' },
  { value: 'no', text: 'no' },
]

export function moreSettings({ versions, chosen }: TrainingSettingsProps): Html {
  const number = ({ name, label, min, max, step, hint }: NumberSetting): Html =>
    field(name, {
      label,
      control: html`<input id="${name}" name="${name}" type="number" min="${min}" max="${max}" step="${step ?? 1}" value="${chosen.get(name) ?? ''}" aria-describedby="${name}-hint" />`,
      hint,
    })
  const choice = (name: string, label: string, choices: readonly Choice[]): Html =>
    field(name, {
      label,
      control: html`<select id="${name}" name="${name}">${options(choices, chosen.get(name) ?? '')}</select>`,
    })
  return html`<details class="options"><summary>More settings</summary>
    <div class="setting-grid">
      ${LEARNING.map(number)}
      ${choice('optimizer', 'Optimizer', [
        { value: '', text: 'Adam (default)' },
        { value: 'sgd', text: 'SGD with momentum' },
      ])}
      ${choice('schedule', 'Learning rate schedule', [
        { value: '', text: 'cosine (default)' },
        { value: 'plateau', text: 'plateau: lower when the validation loss stands still' },
        { value: 'step', text: 'step: lower every so many epochs' },
        { value: 'constant', text: 'constant' },
      ])}
      ${RATE.map(number)}
      ${choice('batchNorm', 'Batch normalisation', [
        { value: '', text: 'trained, with pretrained weights frozen' },
        { value: 'trained', text: 'trained' },
        { value: 'frozen', text: 'frozen' },
      ])}
      ${choice('initFrom', 'Retrain a version', [
        { value: '', text: 'no, start as chosen above' },
        ...versions.map(({ id }) => ({ value: id, text: id })),
      ])}
      ${field('name', { label: 'Name of the version', control: html`<input id="name" name="name" value="${chosen.get('name') ?? ''}" maxlength="64" autocomplete="off" />`, hint: 'architecture and preset by default' })}
    </div>
    <label class="check" for="noClassWeights"><input type="checkbox" id="noClassWeights" name="noClassWeights"${chosen.has('noClassWeights') ? html` checked` : ''} /><span>Let rare classes count as little as they are rare</span></label>
    <label class="check" for="int8"><input type="checkbox" id="int8" name="int8"${chosen.has('int8') ? html` checked` : ''} /><span>Also make it in int8: smaller, and faster on most processors. It is kept only if it loses at most half a point of accuracy on the test images.</span></label>
    <h3>Images</h3>
    <div class="setting-grid">
      ${choice('aspect', 'Made into a square by', [
        { value: '', text: 'black borders (default)' },
        { value: 'crop', text: 'cutting off the longer side' },
        { value: 'stretch', text: 'drawing it out of shape' },
      ])}
      ${choice('interpolation', 'Interpolation', [
        { value: '', text: 'bilinear (default)' },
        { value: 'bicubic', text: 'bicubic' },
        { value: 'area', text: 'area' },
        { value: 'nearest', text: 'nearest' },
      ])}
      ${choice('channels', 'Channels', [
        { value: '', text: 'colour for skin, grey for X-rays' },
        { value: '1', text: 'grey' },
        { value: '3', text: 'colour' },
      ])}
      ${choice('flipHorizontal', 'Mirror left and right', YES_NO)}
      ${choice('flipVertical', 'Mirror up and down', YES_NO)}
      ${IMAGES.map(number)}
    </div>
    <label class="check" for="noAugmentation"><input type="checkbox" id="noAugmentation" name="noAugmentation"${chosen.has('noAugmentation') ? html` checked` : ''} /><span>Train on the images as they are, without random changes</span></label>
  </details>`
}
