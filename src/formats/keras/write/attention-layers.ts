// The layers of our vision transformer in Keras' own: no code of ours is needed to load the file, and every number that was
// trained stays trainable there.
import type * as tf from '@tensorflow/tfjs'
import type { Layer } from '../../../engine/layer-calls.ts'
import {
  type Call,
  type Config,
  type KerasLayer,
  type Reference,
  unwritable,
  type Variable,
} from './keras-model.ts'

interface Place {
  readonly config: Config
  readonly calls: readonly Call[]
  readonly shape: readonly (number | null)[]
  readonly model: tf.LayersModel
}

/** Undefined for layers that are none of a transformer's. */
export function attentionLayers(layer: Layer, place: Place): readonly KerasLayer[] | undefined {
  switch (layer.getClassName()) {
    case 'ClassToken':
      return [classToken(layer, place)]
    case 'PositionEmbedding':
      return [positionEmbedding(layer, place)]
    case 'FirstTokens':
      return [
        firstTokens(layer.name, { ...place, input: layer.input, tokens: place.config.tokens }),
      ]
    case 'SelfAttention':
      return selfAttention(layer, place)
    default:
      return undefined
  }
}

/** A place of zeros before the tokens; what stands there is added with the positions. */
function classToken(layer: Layer, { calls, shape }: Place): KerasLayer {
  const { name } = layer
  const config = { name, trainable: layer.trainable, padding: [1, 0] }
  return { className: 'ZeroPadding1D', name, config, calls, shape, variables: [] }
}

/** x * 1 + what is learned of each place, the class token added to the first. */
function positionEmbedding(layer: Layer, { calls, shape, model }: Place): KerasLayer {
  const { name } = layer
  const [input] = (calls[0]?.[0] ?? []) as readonly unknown[]
  const before = model.layers.find((one) => one.name === input)
  const [embedding] = layer.getWeights()
  if (before?.getClassName() !== 'ClassToken' || before.outboundNodes.length !== 1 || !embedding) {
    throw unwritable('Keras has no layer for positions that do not follow a class token.')
  }
  const [, tokens = 0, width = 0] = embedding.shape
  const bias = Float32Array.from(embedding.dataSync())
  const token = before.getWeights()[0]?.dataSync() ?? []
  for (const [i, value] of token.entries()) bias[i] = (bias[i] ?? 0) + value
  const config = {
    name,
    trainable: layer.trainable,
    equation: 'bte,e->bte',
    output_shape: [tokens, width],
    bias_axes: 'te',
    activation: 'linear',
  }
  const variables: readonly Variable[] = [
    { name: 'kernel', shape: [width], values: new Float32Array(width).fill(1) },
    { name: 'bias', shape: [tokens, width], values: bias },
  ]
  return { className: 'EinsumDense', name, config, calls, shape, variables }
}

function firstTokens(
  name: string,
  { calls, input, tokens }: { calls: readonly Call[]; input: Layer['input']; tokens: unknown },
): KerasLayer {
  const [batch = null, all = 0, width = null] = (input as tf.SymbolicTensor).shape
  const shape = [batch, Number(tokens), width]
  const config = { name, trainable: true, cropping: [0, Number(all) - Number(tokens)] }
  return { className: 'Cropping1D', name, config, calls, shape, variables: [] }
}

function selfAttention(layer: Layer, { config, calls, shape }: Place): readonly KerasLayer[] {
  const { name } = layer
  const heads = Number(config.heads)
  const [inKernel, inBias, outKernel, outBias] = layer.getWeights().map((one) => one.dataSync())
  const width = Number((layer.input as tf.SymbolicTensor).shape[2])
  const size = width / heads
  if (!inKernel || !inBias || !outKernel || !outBias) throw new Error('attention without weights')
  const input = calls[0]?.[0] as Reference
  const cropped =
    config.queries === null || config.queries === undefined
      ? undefined
      : firstTokens(`${name}.query`, { calls, input: layer.input, tokens: config.queries })
  const asking: Reference = cropped ? [cropped.name, 0, 0] : input
  const part = (index: number, called: string): readonly Variable[] => {
    const values = columns(inKernel, { width, index })
    const bias = Float32Array.from(inBias.slice(index * width, (index + 1) * width))
    return [
      { name: `${called}/kernel`, shape: [width, heads, size], values },
      { name: `${called}/bias`, shape: [heads, size], values: bias },
    ]
  }
  const attention: KerasLayer = {
    className: 'MultiHeadAttention',
    name,
    config: { name, trainable: layer.trainable, num_heads: heads, key_dim: size },
    calls: [[asking, input]],
    shape,
    variables: [
      ...part(0, 'query'),
      ...part(1, 'key'),
      ...part(2, 'value'),
      {
        name: 'attention_output/kernel',
        shape: [heads, size, width],
        values: Float32Array.from(outKernel),
      },
      { name: 'attention_output/bias', shape: [width], values: Float32Array.from(outBias) },
    ],
    parts: ['query', 'key', 'value', 'output'].map((one) => ({
      attribute: `${one}_dense`,
      count: 2,
    })),
  }
  return cropped ? [cropped, attention] : [attention]
}

/** Of a kernel [width, 3 width], the columns of its query, key or value. */
function columns(
  kernel: ArrayLike<number>,
  { width, index }: { width: number; index: number },
): Float32Array {
  const values = new Float32Array(width * width)
  for (let row = 0; row < width; row++) {
    for (let column = 0; column < width; column++) {
      values[row * width + column] = kernel[row * 3 * width + index * width + column] ?? 0
    }
  }
  return values
}
