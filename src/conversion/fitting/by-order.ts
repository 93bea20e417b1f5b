// Keras weights by the order of layers: files from before today's names, and networks whose layers Keras numbered anew.
import { AppError } from '../../errors.ts'
import type { KerasLayers, LayerWeights } from '../../formats/keras-layers.ts'
import { type Fitting, placesOfLayer } from './by-name.ts'
import type { Place } from './places.ts'

/** VGG16 has three dense layers at its end. */
const MAX_HEAD_LAYERS = 3

/**
 * The n-th layer with weights of the file for the n-th of the network; dense layers at the end of the file may be left over.
 * @throws AppError `invalid-package` when they are fewer, more, or of another shape
 */
export async function placesByOrder(
  { layers, isOrdered }: KerasLayers,
  { own, network }: Fitting,
): Promise<Place[]> {
  if (!isOrdered) {
    throw new AppError(
      'invalid-package',
      `The names of the layers in the file are not those of ${network}, and the file does not say in which order they stand; save it as ".h5" with model.save_weights.`,
    )
  }
  const over = layers.slice(own.length)
  if (layers.length < own.length || !(await isHead(over))) {
    throw new AppError(
      'invalid-package',
      `The file holds ${layers.length} layers with weights, but ${network} has ${own.length}; it is of another network.`,
    )
  }
  return own.flatMap((weights, i) => {
    const layer = layers[i]
    return layer ? placesOfLayer(layer, { weights, network }) : []
  })
}

async function isHead(layers: readonly LayerWeights[]): Promise<boolean> {
  if (layers.length > MAX_HEAD_LAYERS) return false
  for (const layer of layers) {
    const [kernel, bias, ...more] = await layer.read()
    if (kernel?.shape.length !== 2 || (bias && bias.shape.length !== 1) || more.length > 0) {
      return false
    }
  }
  return true
}
