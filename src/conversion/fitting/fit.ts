// A network and a file of weights: which weight of the file goes where, and putting them there.
import * as tf from '@tensorflow/tfjs'
import type { Architecture, BuildOptions, Variant } from '../../architectures/architecture.ts'
import type { LayerWeights } from '../../formats/keras-layers.ts'
import { hasNamesOf, placesByName } from './by-name.ts'
import { placesByOrder } from './by-order.ts'
import { placesByTorchName } from './by-torch-name.ts'
import { ownLayers, type Place } from './places.ts'
import type { OpenWeights } from './weights-file.ts'

/** Every weight of the network has its place. @throws AppError `invalid-package` naming what does not fit */
export async function fit(
  model: tf.LayersModel,
  { file, architecture }: { readonly file: OpenWeights; readonly architecture: Architecture },
): Promise<Place[]> {
  const fitting = { own: ownLayers(model), network: architecture.title }
  if ('torch' in file) {
    return placesByTorchName(file.torch, { ...fitting, architecture: architecture.name })
  }
  return hasNamesOf(file.keras, fitting)
    ? placesByName(file.keras, fitting)
    : await placesByOrder(file.keras, fitting)
}

/** Puts them into the network. @throws AppError `invalid-package` */
export async function fill(model: tf.LayersModel, places: readonly Place[]): Promise<void> {
  const named = new Map(model.weights.map((weight) => [weight.originalName, weight]))
  for (const { weight, read } of places) {
    const tensor = tf.tensor(
      await read(),
      [...weight.shape],
      named.get(weight.name)?.dtype as 'float32',
    )
    named.get(weight.name)?.write(tensor)
    tensor.dispose()
  }
}

/** Whose details a network must have for these weights. */
export async function variantOf(
  file: OpenWeights,
  { architecture }: { readonly architecture: Architecture },
): Promise<Variant> {
  if ('torch' in file) return 'torchvision'
  if (!architecture.name.startsWith('efficientnet')) return 'keras'
  const normalisation = file.keras.layers.find(({ name }) => /^normalization(_\d+)?$/.test(name))
  return normalisation && (await holdsDeviations(normalisation)) ? 'keras-imagenet' : 'keras'
}

/** Keras' ImageNet weights say 0.229, 0.224, 0.225 for the variances, which are the deviations. */
async function holdsDeviations(normalisation: LayerWeights): Promise<boolean> {
  const [, variance] = await normalisation.read()
  return [0.229, 0.224, 0.225].every(
    (deviation, i) => Math.abs((variance?.values[i] ?? 0) - deviation) < 1e-3,
  )
}

/** Size and channels of the network's input as the weights have them. */
export type BuildShape = Pick<BuildOptions, 'height' | 'width' | 'channels'>
