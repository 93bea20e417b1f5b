// Starting from a version that exists: its weights into a new network, all but a head of other classes.
import type * as tf from '@tensorflow/tfjs'
import { loadLayersModel } from '../engine/layers-model.ts'
import { AppError } from '../errors.ts'

/**
 * By the order of the weights, which is that of the layers. Those of the last layer are left as they are when their
 * shape differs. @throws AppError `invalid` when it is another architecture, `invalid-package`
 */
export async function adoptWeights(
  model: tf.LayersModel,
  { version, modelDir }: { readonly version: string; readonly modelDir: string },
): Promise<void> {
  const source = await loadLayersModel(modelDir)
  const [theirs, own] = [source.getWeights(), model.getWeights()]
  const head = new Set(model.layers.at(-1)?.weights.map(({ originalName }) => originalName))
  const chosen = own.map((weight, at) => {
    const other = theirs[at]
    if (other && other.shape.join() === weight.shape.join()) return other
    if (other && head.has(model.weights[at]?.originalName ?? '')) return weight
    throw new AppError(
      'invalid',
      `${version} has another architecture or input, so its weights do not fit; start without it.`,
    )
  })
  if (theirs.length !== own.length) {
    throw new AppError('invalid', `${version} has another architecture; start without it.`)
  }
  model.setWeights(chosen)
  source.dispose()
}
