// How much of a network with pretrained weights is trained: its head and the last layers of what stands before it.
import type * as tf from '@tensorflow/tfjs'
import { AppError } from '../errors.ts'

/** Layers of a head. What stands before them is the backbone. */
const HEAD = new Set(['GlobalAveragePooling2D', 'Flatten', 'Dropout', 'Dense'])

/** The layers before the head, as `base_model.layers` in Keras, without the input. */
export function backboneLayers(model: tf.LayersModel): tf.layers.Layer[] {
  const last = model.layers.findLastIndex((layer) => !HEAD.has(layer.getClassName()))
  return model.layers.slice(0, last + 1).filter((layer) => layer.getClassName() !== 'InputLayer')
}

/**
 * Trains the last `count` layers of the backbone (as Keras counts them: every layer, with weights or without) and the
 * head; the rest is frozen, and its batch normalisation goes by its moving averages. `all` trains everything.
 * @throws AppError `invalid`
 */
export function trainLastLayers(model: tf.LayersModel, count: number | 'all'): void {
  if (count !== 'all' && !(Number.isInteger(count) && count >= 0)) {
    throw new AppError('invalid', 'The fine-tuning depth is a whole number of layers, or "all".')
  }
  for (const layer of model.layers) layer.trainable = true
  if (count === 'all') return
  const backbone = backboneLayers(model)
  for (const layer of backbone.slice(0, Math.max(0, backbone.length - count))) {
    layer.trainable = false
  }
}

/**
 * Every batch normalisation goes by its moving averages and stays as it was given, also in the part that is trained. The
 * averages of pretrained weights come from a million images; a few hundred steps leave them far from what the trained part
 * has become, so that it does well in training and badly afterwards. Keras' guide to transfer learning says the same.
 */
export function freezeBatchNorm(model: tf.LayersModel): void {
  for (const layer of model.layers) {
    if (layer.getClassName() === 'BatchNormalization') layer.trainable = false
  }
}
