// Where a heatmap is taken: the layer whose spatial output is explained, and whether what follows it is so simple that
// Grad-CAM needs no gradient pass.
import type * as tf from '@tensorflow/tfjs'
import type { Layer, LayerCall } from './layer-calls.ts'

export interface SpatialOutput {
  readonly layer: Layer
  /** [batch, height, width, features] */
  readonly output: tf.Tensor
}

/** Layers that change no number of a feature vector at inference. */
const NEUTRAL = new Set(['Dropout', 'SpatialDropout1D', 'Flatten', 'InputLayer', 'Reshape'])

/** Whether a layer's output is a map: [batch, height, width, features] with more than one place. */
export function isSpatial(shape: readonly number[]): boolean {
  const [, height = 0, width = 0] = shape
  return shape.length === 4 && height * width > 1
}

/** The named layer, or the last one with a spatial output. */
export function chooseExplanation(
  outputs: readonly SpatialOutput[],
  name: string | undefined,
): { readonly chosen: SpatialOutput | undefined; readonly reason: string } {
  if (name !== undefined) {
    const chosen = outputs.findLast(({ layer }) => layer.name === name)
    const reason = chosen
      ? 'this layer was asked for'
      : `the model has no layer "${name}" with a spatial output`
    return { chosen, reason }
  }
  const chosen = outputs.at(-1)
  if (!chosen) return { chosen, reason: 'no layer of the model has a spatial output' }
  const [, height, width, features] = chosen.output.shape
  return {
    chosen,
    reason: `the last layer with a spatial output (${height} x ${width}, ${features} features)`,
  }
}

/**
 * The dense layer, when all that follows the explanation layer is global average pooling and that layer: then
 * d logit_k / d features is its weight divided by the number of places, everywhere and for every image.
 */
export function linearTail(calls: readonly LayerCall[]): Layer | undefined {
  const [pooling, dense, ...rest] = calls
    .map(({ layer }) => layer)
    .filter((layer) => !NEUTRAL.has(layer.getClassName()))
  const isLinear =
    pooling?.getClassName() === 'GlobalAveragePooling2D' &&
    dense?.getClassName() === 'Dense' &&
    rest.every(
      (layer) => layer.getClassName() === 'Activation' || layer.getClassName() === 'Softmax',
    )
  return isLinear ? dense : undefined
}
