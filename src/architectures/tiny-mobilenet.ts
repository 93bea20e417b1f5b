// tiny_mobilenet: inverted residuals with depthwise convolutions (Sandler et al. 2018) at a demonstration's size; sees the
// image through wider kernels than tiny_cnn and errs on other images.
import * as tf from '@tensorflow/tfjs'
import {
  type Architecture,
  type BuildOptions,
  initialiserSeeds,
  LINEAR_HEAD,
  TF_SCALING,
} from './architecture.ts'

interface Block {
  readonly filters: number
  /** Widening before the depthwise step; 1 leaves it out, for it costs most where the map is large. */
  readonly expand: number
  readonly kernel: 3 | 5
  readonly stride: 1 | 2
}

/** After a stem of stride 2: 128 px in gives an 8x8 map. */
const BLOCKS: readonly Block[] = [
  { filters: 24, expand: 1, kernel: 3, stride: 2 },
  { filters: 24, expand: 2, kernel: 3, stride: 1 },
  { filters: 40, expand: 2, kernel: 5, stride: 2 },
  { filters: 40, expand: 2, kernel: 5, stride: 1 },
  { filters: 64, expand: 3, kernel: 5, stride: 2 },
  { filters: 64, expand: 3, kernel: 5, stride: 1 },
]
const STEM = 16
const FEATURES = 128

function build({ height, width, channels, outputs, seed }: BuildOptions): tf.LayersModel {
  const nextSeed = initialiserSeeds(seed)
  const he = () => tf.initializers.heNormal({ seed: nextSeed() })
  const pointwise = (x: tf.SymbolicTensor, name: string, filters: number): tf.SymbolicTensor => {
    const layer = tf.layers.conv2d({
      name: `${name}_conv`,
      filters,
      kernelSize: 1,
      padding: 'same',
      useBias: false,
      kernelInitializer: he(),
    })
    return normalised(layer.apply(x) as tf.SymbolicTensor, name)
  }
  const activated = (x: tf.SymbolicTensor, name: string): tf.SymbolicTensor =>
    tf.layers.reLU({ name: `${name}_relu`, maxValue: 6 }).apply(x) as tf.SymbolicTensor

  const input = tf.input({ shape: [height, width, channels], name: 'image' })
  const stem = tf.layers.conv2d({
    name: 'stem_conv',
    filters: STEM,
    kernelSize: 3,
    strides: 2,
    padding: 'same',
    useBias: false,
    kernelInitializer: he(),
  })
  let x = activated(normalised(stem.apply(input) as tf.SymbolicTensor, 'stem'), 'stem')
  let before = STEM
  for (const [index, { filters, expand, kernel, stride }] of BLOCKS.entries()) {
    const block = `block${index + 1}`
    const wide =
      expand === 1
        ? x
        : activated(pointwise(x, `${block}_expand`, before * expand), `${block}_expand`)
    const depthwise = tf.layers.depthwiseConv2d({
      name: `${block}_depthwise`,
      kernelSize: kernel,
      strides: stride,
      padding: 'same',
      useBias: false,
      depthwiseInitializer: he(),
    })
    const seen = normalised(depthwise.apply(wide) as tf.SymbolicTensor, `${block}_depthwise`)
    const narrow = pointwise(activated(seen, `${block}_depthwise`), `${block}_project`, filters)
    const same = stride === 1 && before === filters
    x = same
      ? (tf.layers.add({ name: `${block}_add` }).apply([x, narrow]) as tf.SymbolicTensor)
      : narrow
    before = filters
  }
  x = activated(pointwise(x, 'features', FEATURES), 'features')
  x = tf.layers.globalAveragePooling2d({ name: 'avg_pool' }).apply(x) as tf.SymbolicTensor
  const logits = tf.layers.dense({
    name: 'logits',
    units: outputs,
    kernelInitializer: tf.initializers.glorotUniform({ seed: nextSeed() }),
  })
  return tf.model({
    name: 'tiny_mobilenet',
    inputs: input,
    outputs: logits.apply(x) as tf.SymbolicTensor,
  })
}

function normalised(x: tf.SymbolicTensor, name: string): tf.SymbolicTensor {
  const layer = tf.layers.batchNormalization({ name: `${name}_bn`, momentum: 0.9, epsilon: 1e-3 })
  return layer.apply(x) as tf.SymbolicTensor
}

export const tinyMobilenet: Architecture = {
  name: 'tiny_mobilenet',
  title: 'Tiny MobileNet',
  purpose: 'For demos: depthwise convolutions, fewer parameters than Tiny CNN.',
  inputSize: 128,
  channels: 'any',
  parameters: 75_000,
  gigaMacs: 0.012,
  activationMegabytes: 5,
  preprocessing: TF_SCALING,
  learningRate: 1e-3,
  build,
  explanation: {
    layer: 'features_relu',
    reason: LINEAR_HEAD,
  },
}
