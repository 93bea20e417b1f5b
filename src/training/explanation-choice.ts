// At which layer a version explains its answers: the architecture's own, or one that the run names.
import type * as tf from '@tensorflow/tfjs'
import type { Architecture } from '../architectures/architecture.ts'
import { AppError } from '../errors.ts'

export interface ExplanationChoice {
  readonly layer: string
  /** For the model card. */
  readonly reason: string
}

/** @throws AppError `invalid` naming some layers, when the one that is wished for is none with a map */
export function explanationChoice(
  { explanation }: Architecture,
  { model, wished }: { readonly model: tf.LayersModel; readonly wished: string | null },
): ExplanationChoice {
  if (wished === null || wished === explanation.layer) return explanation
  const maps = model.layers.filter(({ outputShape }) => hasPlaces(outputShape))
  if (maps.some(({ name }) => name === wished)) {
    const reason = `This layer was chosen for this run; the usual one is ${explanation.layer}: ${explanation.reason}`
    return { layer: wished, reason }
  }
  const last = maps.slice(-5).map(({ name }) => name)
  throw new AppError(
    'invalid',
    `"explanationLayer": the network has no layer "${wished.slice(0, 80)}" with a map; its last ones are ${last.join(', ')}.`,
    { extra: { field: 'explanationLayer' } },
  )
}

/** More than one place: [batch, height, width, features] or, of a transformer, [batch, tokens, features]. */
function hasPlaces(shape: tf.Shape | tf.Shape[]): boolean {
  if (shape.some(Array.isArray)) return false
  const [, first, second, ...rest] = shape as tf.Shape
  if (rest.length > 1 || typeof first !== 'number') return false
  return rest.length === 1 ? first * (second ?? 0) > 1 : second !== undefined && first > 1
}
