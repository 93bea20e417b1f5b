// Starting from a version that exists: its weights into a new network, all but a head of other classes.
import type * as tf from '@tensorflow/tfjs'
import { loadLayersModel } from '../engine/layers-model.ts'
import { AppError } from '../errors.ts'

/**
 * Layer by layer in their order: a model lists the weights of its frozen layers last, so that the whole list would not do.
 * Those of the last layer are left as they are when their shape differs.
 * @throws AppError `invalid` when it is another architecture, `invalid-package`
 */
export async function adoptWeights(
  model: tf.LayersModel,
  { version, modelDir }: { readonly version: string; readonly modelDir: string },
): Promise<void> {
  const source = await loadLayersModel(modelDir)
  try {
    const [theirs, own] = [weighted(source), weighted(model)]
    if (theirs.length !== own.length) {
      throw new AppError('invalid', `${version} has another architecture; start without it.`)
    }
    own.forEach((layer, at) => {
      const weights = theirs[at]?.getWeights() ?? []
      if (shapesOf(weights) === shapesOf(layer.getWeights())) layer.setWeights(weights)
      else if (layer !== model.layers.at(-1)) {
        throw new AppError(
          'invalid',
          `${version} has another architecture or input, so its weights do not fit; start without it.`,
        )
      }
    })
  } finally {
    source.dispose()
  }
}

const weighted = (model: tf.LayersModel) => model.layers.filter(({ weights }) => weights.length > 0)
const shapesOf = (tensors: readonly tf.Tensor[]) => JSON.stringify(tensors.map((t) => t.shape))
