// Where a heatmap is taken: the layer whose spatial output is explained, how a transformer's tokens become a map, and
// whether what follows the layer is so simple that Grad-CAM needs no gradient pass.
import * as tf from '@tensorflow/tfjs'
import type { Layer, LayerCall } from './layer-calls.ts'

export interface SpatialOutput {
  readonly layer: Layer
  /** Which of the model's layer calls gave it, counted from 0. */
  readonly call: number
  /** [batch, height, width, features] or [batch, tokens, features] */
  readonly output: tf.Tensor
}

/** Layers that change no number of a feature vector at inference. */
const NEUTRAL = new Set(['Dropout', 'SpatialDropout1D', 'Flatten', 'InputLayer', 'Reshape'])

interface Grid {
  readonly height: number
  readonly width: number
  /** Tokens before those of the places, such as a class token. */
  readonly skipped: number
}

/** Where the places of an output are: height and width of a map, or a square of tokens, with a class token before or not. */
function gridOf(shape: readonly number[]): Grid | undefined {
  const [, first = 0, second = 0] = shape
  if (shape.length === 4) return { height: first, width: second, skipped: 0 }
  if (shape.length !== 3) return undefined
  for (const skipped of [0, 1]) {
    const side = Math.sqrt(first - skipped)
    if (Number.isInteger(side)) return { height: side, width: side, skipped }
  }
  return undefined
}

/** Whether a layer's output has more than one place. */
function isSpatial(shape: readonly number[]): boolean {
  const grid = gridOf(shape)
  return grid !== undefined && grid.height * grid.width > 1
}

/** A spatial output, or a gradient with respect to it, as a map: [n, height, width, features]. */
export function asMap(x: tf.Tensor): tf.Tensor {
  const grid = gridOf(x.shape)
  if (!grid || x.rank === 4) return x
  const places = grid.skipped === 0 ? x : tf.slice(x, [0, grid.skipped, 0])
  const [n = 1, , features = 1] = x.shape
  return tf.reshape(places, [n, grid.height, grid.width, features])
}

/**
 * Collects spatial outputs while a model is applied. What comes after the last attention is left out: there only the class
 * token goes on, and no place has a gradient.
 */
export class SpatialOutputs {
  readonly #outputs: SpatialOutput[] = []
  #beforeAttention: number | undefined

  /** To be called before a layer does its work. */
  entering(layer: Layer): void {
    if (layer.getClassName() === 'SelfAttention') this.#beforeAttention = this.#outputs.length
  }

  /** What a layer gave, kept by the caller. */
  add({ layer, call, outputs }: Omit<SpatialOutput, 'output'> & { outputs: tf.Tensor[] }): void {
    const [output, second] = outputs
    if (output && !second && isSpatial(output.shape)) this.#outputs.push({ layer, call, output })
  }

  all(): readonly SpatialOutput[] {
    return this.#outputs.slice(0, this.#beforeAttention)
  }
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
  const grid = gridOf(chosen.output.shape)
  const features = chosen.output.shape.at(-1)
  return {
    chosen,
    reason: `the last layer with a spatial output (${grid?.height} x ${grid?.width}, ${features} features)`,
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
