// tiny_cnn: a plain stack of convolution, batch norm and ReLU, small enough to be trained on a laptop in a minute or two.
import * as tf from '@tensorflow/tfjs'
import {
  type Architecture,
  type BuildOptions,
  initialiserSeeds,
  LINEAR_HEAD,
  TF_SCALING,
} from './architecture.ts'

/** Filters of each 3x3 convolution and what shrinks the map after it; 128 px in gives an 8x8 map. */
const STACK: readonly (readonly [filters: number, shrinks: 'stride' | 'pool' | 'none'])[] = [
  [16, 'stride'],
  [24, 'pool'],
  [32, 'pool'],
  [48, 'pool'],
  [64, 'none'],
  [64, 'none'],
]

function build({ height, width, channels, outputs, seed }: BuildOptions): tf.LayersModel {
  const nextSeed = initialiserSeeds(seed)
  const input = tf.input({ shape: [height, width, channels], name: 'image' })
  let x: tf.SymbolicTensor = input
  for (const [index, [filters, shrinks]] of STACK.entries()) {
    const block = `conv${index + 1}`
    const convolution = tf.layers.conv2d({
      name: `${block}_conv`,
      filters,
      kernelSize: 3,
      strides: shrinks === 'stride' ? 2 : 1,
      padding: 'same',
      useBias: false,
      kernelInitializer: tf.initializers.heNormal({ seed: nextSeed() }),
    })
    x = convolution.apply(x) as tf.SymbolicTensor
    x = tf.layers
      .batchNormalization({ name: `${block}_bn`, momentum: 0.9, epsilon: 1e-3 })
      .apply(x) as tf.SymbolicTensor
    x = tf.layers.reLU({ name: `${block}_relu` }).apply(x) as tf.SymbolicTensor
    if (shrinks === 'pool') {
      // Keeps the strongest trace of a small finding, which a stride would thin out.
      const pool = tf.layers.maxPooling2d({ name: `${block}_pool`, poolSize: 2, strides: 2 })
      x = pool.apply(x) as tf.SymbolicTensor
    }
  }
  x = tf.layers.globalAveragePooling2d({ name: 'avg_pool' }).apply(x) as tf.SymbolicTensor
  const logits = tf.layers.dense({
    name: 'logits',
    units: outputs,
    kernelInitializer: tf.initializers.glorotUniform({ seed: nextSeed() }),
  })
  return tf.model({
    name: 'tiny_cnn',
    inputs: input,
    outputs: logits.apply(x) as tf.SymbolicTensor,
  })
}

export const tinyCnn: Architecture = {
  name: 'tiny_cnn',
  title: 'Tiny CNN',
  purpose: 'For demos and a first look at a dataset: trains in minutes on two cores.',
  inputSize: 128,
  channels: 'any',
  parameters: 90_000,
  gigaMacs: 0.03,
  activationMegabytes: 2.7,
  preprocessing: TF_SCALING,
  learningRate: 1e-3,
  build,
  explanation: {
    layer: `conv${STACK.length}_relu`,
    reason: LINEAR_HEAD,
  },
}
