// MobileNetV2 (Sandler et al. 2018) of any width, layer for layer and name for name as in keras.applications, so that its
// published weights fit; with a linear head on top.
import * as tf from '@tensorflow/tfjs'
import { type Architecture, type BuildOptions, initialiserSeeds } from './architecture.ts'

/** Expansion, channels, repeats, stride of the first: table 2 of the paper. */
const STAGES: readonly (readonly [number, number, number, 1 | 2])[] = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
]
const FEATURES = 1280

/** To a multiple of 8, never below nine tenths. */
function divisible(channels: number): number {
  const rounded = Math.max(8, Math.floor((channels + 4) / 8) * 8)
  return rounded < 0.9 * channels ? rounded + 8 : rounded
}

function builder(width: number): (options: BuildOptions) => tf.LayersModel {
  return (options) => {
    const nextSeed = initialiserSeeds(options.seed)
    const he = () => tf.initializers.heNormal({ seed: nextSeed() })
    const apply = (layer: tf.layers.Layer, x: tf.SymbolicTensor): tf.SymbolicTensor =>
      layer.apply(x) as tf.SymbolicTensor
    const norm = (x: tf.SymbolicTensor, name: string): tf.SymbolicTensor =>
      apply(tf.layers.batchNormalization({ name, momentum: 0.999, epsilon: 1e-3 }), x)
    const relu6 = (x: tf.SymbolicTensor, name: string): tf.SymbolicTensor =>
      apply(tf.layers.reLU({ name, maxValue: 6 }), x)
    const pointwise = (x: tf.SymbolicTensor, name: string, filters: number): tf.SymbolicTensor => {
      const layer = { name, filters, kernelSize: 1, useBias: false, kernelInitializer: he() }
      return apply(tf.layers.conv2d({ ...layer, padding: 'same' }), x)
    }
    /** What "same" would do at stride 2, spelt out as Keras does. */
    const padded = (x: tf.SymbolicTensor, name: string): tf.SymbolicTensor => {
      const [top, left] = [x.shape[1], x.shape[2]].map((side) => (side ?? 0) % 2)
      const padding: [[number, number], [number, number]] = [
        [top ?? 0, 1],
        [left ?? 0, 1],
      ]
      return apply(tf.layers.zeroPadding2d({ name, padding }), x)
    }
    const block = (
      x: tf.SymbolicTensor,
      o: { name: string; expand: number; filters: number; stride: 1 | 2 },
    ): tf.SymbolicTensor => {
      const before = x.shape[3] ?? 0
      let y = x
      if (o.expand > 1) {
        y = norm(pointwise(y, `${o.name}_expand`, before * o.expand), `${o.name}_expand_BN`)
        y = relu6(y, `${o.name}_expand_relu`)
      }
      if (o.stride === 2) y = padded(y, `${o.name}_pad`)
      const depthwise = tf.layers.depthwiseConv2d({
        name: `${o.name}_depthwise`,
        kernelSize: 3,
        strides: o.stride,
        padding: o.stride === 2 ? 'valid' : 'same',
        useBias: false,
        depthwiseInitializer: he(),
      })
      y = relu6(norm(apply(depthwise, y), `${o.name}_depthwise_BN`), `${o.name}_depthwise_relu`)
      y = norm(pointwise(y, `${o.name}_project`, o.filters), `${o.name}_project_BN`)
      if (o.stride === 2 || before !== o.filters) return y
      return tf.layers.add({ name: `${o.name}_add` }).apply([x, y]) as tf.SymbolicTensor
    }

    const shape = [options.height, options.width, options.channels]
    const input = tf.input({ shape, name: 'image' })
    const stem = tf.layers.conv2d({
      name: 'Conv1',
      filters: divisible(32 * width),
      kernelSize: 3,
      strides: 2,
      padding: 'valid',
      useBias: false,
      kernelInitializer: he(),
    })
    let x = relu6(norm(apply(stem, padded(input, 'Conv1_pad')), 'bn_Conv1'), 'Conv1_relu')
    let number = 0
    for (const [expand, channels, repeats, stride] of STAGES) {
      for (let repeat = 0; repeat < repeats; repeat++) {
        const name = number === 0 ? 'expanded_conv' : `block_${number}`
        const filters = divisible(Math.floor(channels * width))
        x = block(x, { name, expand, filters, stride: repeat === 0 ? stride : 1 })
        number++
      }
    }
    const features = width > 1 ? divisible(FEATURES * width) : FEATURES
    x = relu6(norm(pointwise(x, 'Conv_1', features), 'Conv_1_bn'), 'out_relu')
    x = apply(tf.layers.globalAveragePooling2d({ name: 'avg_pool' }), x)
    x = apply(tf.layers.dropout({ name: 'dropout', rate: 0.2 }), x)
    const head = tf.layers.dense({
      name: 'logits',
      units: options.outputs,
      kernelInitializer: tf.initializers.glorotUniform({ seed: nextSeed() }),
    })
    return tf.model({ name: 'mobilenet_v2', inputs: input, outputs: apply(head, x) })
  }
}

/** `width` scales the channels of every layer but the last: 0.35, 0.5, 0.75, 1 are published. */
export function mobileNetV2(width: number, parameters: number): Architecture {
  const hundredths = String(Math.round(width * 100)).padStart(3, '0')
  return {
    name: `mobilenet_v2_${hundredths}`,
    title: `MobileNetV2, width ${width}`,
    purpose: 'A small network of good repute: phones, laptops, fine-tuning from ImageNet weights.',
    inputSize: 224,
    channels: 'any',
    parameters,
    learningRate: 1e-3,
    build: builder(width),
    explanation: {
      layer: 'out_relu',
      reason:
        'The last feature map before global average pooling: a linear head follows, so the map adds up to the score.',
    },
  }
}
