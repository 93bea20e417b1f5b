// Custom_CNN: about 2.1 million parameters and under 0.15 GMAC at 224 px, trained from scratch on one machine.
// Early layers are depthwise separable where the map is large (cheap), plain where it is small (expressive).
import * as tf from '@tensorflow/tfjs'
import { type Architecture, type BuildOptions, initialiserSeeds } from './architecture.ts'

interface Stage {
  readonly filters: number
  readonly stride: 1 | 2
  readonly separable: boolean
}

/** After the stem (112x112 from 224): 56, 28, 14, 7. */
const STAGES: readonly Stage[] = [
  { filters: 32, stride: 2, separable: true },
  { filters: 48, stride: 1, separable: true },
  { filters: 96, stride: 2, separable: true },
  { filters: 96, stride: 1, separable: true },
  { filters: 192, stride: 2, separable: true },
  { filters: 192, stride: 1, separable: true },
  { filters: 256, stride: 2, separable: false },
  { filters: 256, stride: 1, separable: false },
  { filters: 416, stride: 1, separable: false },
]
const STEM = 24

function build({ height, width, channels, outputs, seed }: BuildOptions): tf.LayersModel {
  const nextSeed = initialiserSeeds(seed)
  const convolution = (name: string, { filters, stride }: Omit<Stage, 'separable'>, size: 1 | 3) =>
    tf.layers.conv2d({
      name: `${name}_conv`,
      filters,
      kernelSize: size,
      strides: stride,
      padding: 'same',
      useBias: false,
      kernelInitializer: tf.initializers.heNormal({ seed: nextSeed() }),
    })
  const finished = (x: tf.SymbolicTensor, name: string): tf.SymbolicTensor => {
    const bn = tf.layers.batchNormalization({ name: `${name}_bn`, momentum: 0.99, epsilon: 1e-3 })
    return tf.layers.reLU({ name: `${name}_relu` }).apply(bn.apply(x)) as tf.SymbolicTensor
  }
  const input = tf.input({ shape: [height, width, channels], name: 'image' })
  const stem = convolution('stem', { filters: STEM, stride: 2 }, 3)
  let x = finished(stem.apply(input) as tf.SymbolicTensor, 'stem')
  for (const [index, { filters, stride, separable }] of STAGES.entries()) {
    const name = `stage${index + 1}`
    if (separable) {
      const depthwise = tf.layers.depthwiseConv2d({
        name: `${name}_depthwise`,
        kernelSize: 3,
        strides: stride,
        padding: 'same',
        useBias: false,
        depthwiseInitializer: tf.initializers.heNormal({ seed: nextSeed() }),
      })
      x = finished(depthwise.apply(x) as tf.SymbolicTensor, `${name}_depthwise`)
    }
    const size = separable ? 1 : 3
    const layer = convolution(name, { filters, stride: separable ? 1 : stride }, size)
    x = finished(layer.apply(x) as tf.SymbolicTensor, name)
  }
  x = tf.layers.globalAveragePooling2d({ name: 'avg_pool' }).apply(x) as tf.SymbolicTensor
  x = tf.layers.dropout({ name: 'dropout', rate: 0.2 }).apply(x) as tf.SymbolicTensor
  const logits = tf.layers.dense({
    name: 'logits',
    units: outputs,
    kernelInitializer: tf.initializers.glorotUniform({ seed: nextSeed() }),
  })
  return tf.model({
    name: 'custom_cnn',
    inputs: input,
    outputs: logits.apply(x) as tf.SymbolicTensor,
  })
}

export const customCnn: Architecture = {
  name: 'custom_cnn',
  title: 'Custom CNN',
  purpose: 'Training from scratch where pretrained weights do not fit: fast, little memory.',
  inputSize: 224,
  channels: 'any',
  parameters: 2_100_000,
  learningRate: 1e-3,
  build,
  explanation: {
    layer: `stage${STAGES.length}_relu`,
    reason:
      'The last feature map before global average pooling: a linear head follows, so the map adds up to the score.',
  },
}
