// VGG16 (Simonyan and Zisserman 2015), layer for layer and name for name as in keras.applications. For a condition global
// average pooling takes the place of its two large dense layers, which hold nine tenths of its weights.
import * as tf from '@tensorflow/tfjs'
import { type Architecture, type BuildOptions, CAFFE_SCALING } from './architecture.ts'
import {
  apply,
  classifier,
  convolution,
  dense,
  type Features,
  imageInput,
  network,
  pooledTop,
} from './building.ts'

/** Convolutions and filters of each block. */
const BLOCKS: readonly (readonly [convolutions: number, filters: number])[] = [
  [2, 64],
  [2, 128],
  [3, 256],
  [3, 512],
  [3, 512],
]

function build(options: BuildOptions): tf.LayersModel {
  const input = imageInput(options)
  let x = input
  for (const [index, [convolutions, filters]] of BLOCKS.entries()) {
    const block = `block${index + 1}`
    for (let i = 1; i <= convolutions; i++) {
      const name = `${block}_conv${i}`
      x = convolution(x, { name, filters, kernel: 3, bias: true, activation: 'relu' })
    }
    x = apply(tf.layers.maxPooling2d({ name: `${block}_pool`, poolSize: 2, strides: 2 }), x)
  }
  const isOriginal = options.top === 'imagenet' || options.top === 'original'
  const output = isOriginal ? originalTop(x, options) : pooledTop(x, options)
  return network({ name: 'vgg16', input, output }, options)
}

function originalTop(features: Features, options: BuildOptions): Features {
  const flat = apply(tf.layers.flatten({ name: 'flatten' }), features)
  const wide = { units: 4096, activation: 'relu' } as const
  return classifier(dense(dense(flat, { name: 'fc1', ...wide }), { name: 'fc2', ...wide }), options)
}

export const vgg16: Architecture = {
  name: 'vgg16',
  title: 'VGG16',
  purpose: 'Simple, with fine heatmaps (twice the usual resolution); slow for its accuracy.',
  inputSize: 224,
  channels: 'any',
  parameters: 14_714_000,
  gigaMacs: 15.3,
  activationMegabytes: 58,
  preprocessing: CAFFE_SCALING,
  learningRate: 1e-4,
  build,
  explanation: {
    layer: 'block5_conv3',
    reason:
      'The last convolution, before the last pooling halves its map: 14 x 14 places at 224 px instead of 7 x 7.',
  },
}
