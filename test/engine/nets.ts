// Small nets for the engine's tests, with seeded weights and batch-norm statistics that are not the trivial 0 and 1.
import * as tf from '@tensorflow/tfjs'
import { numbers } from './compare.ts'

/** Gives every weight numbers that depend on its place only; variances and scales positive. */
export function randomiseWeights(model: tf.LayersModel, { normsOnly = false } = {}): void {
  model.weights.forEach((weight, i) => {
    const isNorm = /gamma|beta|moving_/.test(weight.originalName)
    if ((normsOnly && !isNorm) || weight.dtype !== 'float32') return
    const isPositive = /gamma|variance/.test(weight.originalName)
    const shape = weight.shape.map(Number)
    const fanIn = shape.slice(0, -1).reduce((product, dim) => product * dim, 1)
    const spread = isNorm ? 0.3 : Math.sqrt(3 / Math.max(1, fanIn))
    const range = isPositive ? [0.5, 1.5] : [-spread, spread]
    const { data } = numbers(shape, i + 1, range as [number, number])
    weight.write(tf.tensor(data, shape))
  })
}

/** conv, batch norm, relu, pooling; global average pooling and a dense layer. */
export function tinyNet({
  size = 16,
  channels = 1,
  classes = 1,
  seeded = true,
} = {}): tf.LayersModel {
  const activation = classes === 1 ? 'sigmoid' : 'softmax'
  const model = tf.sequential({
    layers: [
      tf.layers.conv2d({
        inputShape: [size, size, channels],
        filters: 6,
        kernelSize: 3,
        padding: 'same',
        useBias: false,
        name: 'conv1',
      }),
      tf.layers.batchNormalization({ name: 'bn1' }),
      tf.layers.reLU({ name: 'relu1' }),
      tf.layers.maxPooling2d({ poolSize: 2, name: 'pool1' }),
      tf.layers.conv2d({
        filters: 8,
        kernelSize: 3,
        padding: 'same',
        activation: 'relu',
        name: 'conv2',
      }),
      tf.layers.globalAveragePooling2d({ name: 'gap' }),
      tf.layers.dense({ units: classes, activation, name: 'head' }),
    ],
  })
  if (seeded) randomiseWeights(model)
  return model
}

/** Depthwise-separable with a residual connection and a two-layer head, as a functional model. */
export function separableNet({ size = 16, classes = 3, dropout = 0 } = {}): tf.LayersModel {
  const input = tf.input({ shape: [size, size, 3] })
  const apply = (layer: tf.layers.Layer, x: tf.SymbolicTensor | tf.SymbolicTensor[]) =>
    layer.apply(x) as tf.SymbolicTensor
  // No biases before a batch norm: their gradient is zero but for rounding, which Adam would blow up to a full step.
  let x = apply(
    tf.layers.conv2d({
      filters: 8,
      kernelSize: 3,
      strides: 2,
      padding: 'same',
      useBias: false,
      name: 'stem',
    }),
    input,
  )
  x = apply(tf.layers.batchNormalization({ name: 'stem_bn' }), x)
  const before = apply(tf.layers.reLU({ maxValue: 6, name: 'stem_relu' }), x)
  x = apply(
    tf.layers.depthwiseConv2d({ kernelSize: 3, padding: 'same', useBias: false, name: 'dw' }),
    before,
  )
  x = apply(tf.layers.batchNormalization({ name: 'dw_bn' }), x)
  x = apply(tf.layers.activation({ activation: 'swish', name: 'dw_act' }), x)
  x = apply(tf.layers.conv2d({ filters: 8, kernelSize: 1, name: 'project' }), x)
  x = apply(tf.layers.add({ name: 'residual' }), [before, x])
  x = apply(tf.layers.separableConv2d({ filters: 12, kernelSize: 3, name: 'separable' }), x)
  x = apply(tf.layers.globalAveragePooling2d({ name: 'gap' }), x)
  x = apply(tf.layers.dense({ units: 10, activation: 'relu', name: 'hidden' }), x)
  if (dropout > 0) x = apply(tf.layers.dropout({ rate: dropout, name: 'drop' }), x)
  x = apply(tf.layers.dense({ units: classes, activation: 'softmax', name: 'head' }), x)
  const model = tf.model({ inputs: input, outputs: x })
  randomiseWeights(model)
  return model
}
