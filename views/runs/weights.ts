// The choice of what a training starts from: random numbers, or weights that are kept here.
import { html } from 'hono/html'
import type { StoredWeights } from '../../src/conversion/pretrained/weights-store.ts'
import { field, type Html, options } from '../shared/components.ts'

export interface TrainingWeightsProps {
  readonly weights: readonly StoredWeights[]
  /** The form as it was sent. */
  readonly chosen: ReadonlyMap<string, string>
}

export function weightsChoice({ weights, chosen }: TrainingWeightsProps): Html {
  const isImagenet = ({ name, architecture }: StoredWeights) => name === `${architecture}-imagenet`
  const known = weights.filter(isImagenet).map(({ architecture }) => architecture)
  const choices = [
    { value: '', text: 'random numbers, drawn from the seed' },
    { value: 'imagenet', text: 'ImageNet weights of the architecture' },
    ...weights
      .filter((one) => !isImagenet(one))
      .map(({ name, architecture, channels }) => ({
        value: name,
        text: `${name} (${architecture}, ${channels === 1 ? 'grey' : 'colour'} images)`,
      })),
  ]
  const hint =
    known.length === 0
      ? html`No ImageNet weights are kept here yet; fetch or import them first: <code>roentgen weights fetch densenet121</code>.`
      : html`ImageNet weights are here for ${known.join(', ')}; for others <code>roentgen weights fetch</code> or <code>import</code> first. With weights the last 20 layers and the head are trained, unless the fine-tuning depth says otherwise.`
  return field('weights', {
    label: 'Start from',
    control: html`<select id="weights" name="weights" aria-describedby="weights-hint">${options(choices, chosen.get('weights') ?? '')}</select>`,
    hint,
  })
}
