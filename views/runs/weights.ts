// The choice of initial weights: random, or pretrained weights in the store.
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
    { value: '', text: 'Random initialisation' },
    { value: 'imagenet', text: 'ImageNet weights' },
    ...weights
      .filter((one) => !isImagenet(one))
      .map(({ name, architecture, channels }) => ({
        value: name,
        text: `${name} (${architecture}, ${channels === 1 ? 'greyscale' : 'colour'} images)`,
      })),
  ]
  const hint =
    known.length === 0
      ? html`No ImageNet weights are installed yet. Fetch or import them first: <code>roentgen weights fetch densenet121</code>.`
      : html`ImageNet weights are installed for ${known.join(', ')}; for others run <code>roentgen weights fetch</code> or <code>import</code> first. With pretrained weights, the last 20 layers and the head are trained unless you set the number of unfrozen layers.`
  return field('weights', {
    label: 'Start from',
    control: html`<select id="weights" name="weights" aria-describedby="weights-hint">${options(choices, chosen.get('weights') ?? '')}</select>`,
    hint,
  })
}
