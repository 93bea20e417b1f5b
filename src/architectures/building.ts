// The few layers that convolutional networks are written in, applied one after the other, and their head. Weights start as
// zeros, which costs nothing; initial-weights.ts draws them.
import * as tf from '@tensorflow/tfjs'
import type { BuildOptions } from './architecture.ts'
import { drawWeights } from './initial-weights.ts'

export type Features = tf.SymbolicTensor

const IMAGENET_CLASSES = 1000
const zeros = (): ReturnType<typeof tf.initializers.zeros> => tf.initializers.zeros()

export function apply(layer: tf.layers.Layer, x: Features | Features[]): Features {
  return layer.apply(x) as Features
}

export function imageInput({ height, width, channels }: BuildOptions): Features {
  return tf.input({ shape: [height, width, channels], name: 'image' })
}

export interface Convolution {
  readonly name: string
  readonly filters: number
  readonly kernel: number
  readonly stride?: number
  readonly padding?: 'same' | 'valid'
  readonly bias?: boolean
  readonly activation?: 'relu' | 'swish' | 'sigmoid'
}

/** Stride 1, padding "same", no bias and no activation unless asked for. */
export function convolution(x: Features, o: Convolution): Features {
  const layer = tf.layers.conv2d({
    name: o.name,
    filters: o.filters,
    kernelSize: o.kernel,
    strides: o.stride ?? 1,
    padding: o.padding ?? 'same',
    useBias: o.bias ?? false,
    kernelInitializer: zeros(),
    ...(o.activation ? { activation: o.activation } : {}),
  })
  return apply(layer, x)
}

/** One filter for each channel, without bias. */
export function depthwise(x: Features, o: Omit<Convolution, 'filters' | 'bias'>): Features {
  const layer = tf.layers.depthwiseConv2d({
    name: o.name,
    kernelSize: o.kernel,
    strides: o.stride ?? 1,
    padding: o.padding ?? 'same',
    useBias: false,
    depthwiseInitializer: zeros(),
  })
  return apply(layer, x)
}

export type Sides = readonly [before: number, after: number]

/** Zeros above and below, left and right. */
export function zeroPadding(x: Features, name: string, [rows, columns]: readonly [Sides, Sides]) {
  const padding: [[number, number], [number, number]] = [[...rows], [...columns]]
  return apply(tf.layers.zeroPadding2d({ name, padding }), x)
}

export function batchNorm(
  x: Features,
  name: string,
  { epsilon, momentum = 0.99 }: { readonly epsilon: number; readonly momentum?: number },
): Features {
  return apply(tf.layers.batchNormalization({ name, momentum, epsilon }), x)
}

/** Channels of a network made wider or narrower: to a multiple of 8, never below nine tenths of what was asked for. */
export function toMultipleOf8(channels: number): number {
  const rounded = Math.max(8, Math.floor((channels + 4) / 8) * 8)
  return rounded < 0.9 * channels ? rounded + 8 : rounded
}

export function activation(x: Features, name: string, kind: 'relu' | 'swish'): Features {
  return apply(tf.layers.activation({ name, activation: kind }), x)
}

export function dense(
  x: Features,
  o: { name: string; units: number; activation?: 'relu' | 'softmax' | 'gelu' },
): Features {
  const { name, units, activation: kind } = o
  const layer = { name, units, kernelInitializer: zeros(), ...(kind ? { activation: kind } : {}) }
  return apply(tf.layers.dense(layer), x)
}

/** Global average pooling and one dense layer: `logits` for a condition, Keras' own `predictions`, or nothing. */
export function pooledTop(
  features: Features,
  options: BuildOptions,
  dropout?: { readonly name: string; readonly rate: number },
): Features {
  if (options.top === 'none') return features
  const pooled = apply(tf.layers.globalAveragePooling2d({ name: 'avg_pool' }), features)
  return classifier(dropout ? apply(tf.layers.dropout(dropout), pooled) : pooled, options)
}

/** One number a class from one vector an image. */
export function classifier(x: Features, { top, outputs }: BuildOptions): Features {
  return top === 'imagenet'
    ? dense(x, { name: 'predictions', units: IMAGENET_CLASSES, activation: 'softmax' })
    : dense(x, { name: 'logits', units: outputs })
}

export interface Ends {
  readonly name: string
  readonly input: Features
  readonly output: Features
}

/** The whole network, with weights drawn from the seed unless they are to stay zero. */
export function network({ name, input, output }: Ends, options: BuildOptions): tf.LayersModel {
  const model = tf.model({ name, inputs: input, outputs: output })
  if (options.weights !== 'zeros') drawWeights(model, options.seed)
  return model
}
