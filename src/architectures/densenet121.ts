// DenseNet121 (Huang et al. 2017), layer for layer and name for name as in keras.applications.
import * as tf from '@tensorflow/tfjs'
import {
  type Architecture,
  type BuildOptions,
  LINEAR_HEAD,
  TORCH_EPSILON,
  TORCH_SCALING,
} from './architecture.ts'
import {
  activation,
  apply,
  batchNorm,
  convolution,
  type Features,
  imageInput,
  network,
  pooledTop,
  zeroPadding,
} from './building.ts'

/** Dense layers of each block. */
const BLOCKS = [6, 12, 24, 16]
/** Channels that each dense layer adds. */
const GROWTH = 32
const KERAS_EPSILON = 1.001e-5

interface Norm {
  readonly epsilon: number
}

function normalised(x: Features, name: string, norm: Norm): Features {
  return activation(batchNorm(x, `${name}bn`, norm), `${name}relu`, 'relu')
}

function denseLayer(x: Features, name: string, norm: Norm): Features {
  let y = normalised(x, `${name}_0_`, norm)
  y = convolution(y, { name: `${name}_1_conv`, filters: 4 * GROWTH, kernel: 1 })
  y = normalised(y, `${name}_1_`, norm)
  y = convolution(y, { name: `${name}_2_conv`, filters: GROWTH, kernel: 3 })
  return apply(tf.layers.concatenate({ name: `${name}_concat`, axis: 3 }), [x, y])
}

/** Halves channels, height and width. */
function transition(x: Features, name: string, norm: Norm): Features {
  const y = normalised(x, `${name}_`, norm)
  const filters = (x.shape[3] ?? 0) / 2
  const narrow = convolution(y, { name: `${name}_conv`, filters, kernel: 1 })
  const pool = { name: `${name}_pool`, poolSize: 2, strides: 2 } as const
  return apply(tf.layers.averagePooling2d(pool), narrow)
}

function build(options: BuildOptions): tf.LayersModel {
  const input = imageInput(options)
  const norm = { epsilon: options.variant === 'torchvision' ? TORCH_EPSILON : KERAS_EPSILON }
  const [three, one] = [
    [3, 3],
    [1, 1],
  ] as const
  let x = zeroPadding(input, 'zero_padding2d', [three, three])
  x = convolution(x, { name: 'conv1_conv', filters: 64, kernel: 7, stride: 2, padding: 'valid' })
  x = zeroPadding(normalised(x, 'conv1_', norm), 'zero_padding2d_1', [one, one])
  x = apply(tf.layers.maxPooling2d({ name: 'pool1', poolSize: 3, strides: 2 }), x)
  for (const [index, layers] of BLOCKS.entries()) {
    const stage = index + 2
    for (let layer = 1; layer <= layers; layer++) {
      x = denseLayer(x, `conv${stage}_block${layer}`, norm)
    }
    if (index < BLOCKS.length - 1) x = transition(x, `pool${stage}`, norm)
  }
  const output = pooledTop(normalised(x, '', norm), options)
  return network({ name: 'densenet121', input, output }, options)
}

export const densenet121: Architecture = {
  name: 'densenet121',
  title: 'DenseNet121',
  purpose: 'The usual choice for chest X-rays: densely connected, few parameters for its depth.',
  inputSize: 224,
  channels: 'any',
  parameters: 6_949_000,
  gigaMacs: 2.8,
  activationMegabytes: 190,
  preprocessing: TORCH_SCALING,
  learningRate: 1e-4,
  build,
  explanation: { layer: 'relu', reason: LINEAR_HEAD },
}
