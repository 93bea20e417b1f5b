// ResNet50 (He et al. 2016), layer for layer and name for name as in keras.applications: version 1, with the stride in the
// first 1x1 convolution of a stage. torchvision's version 1.5 has it in the 3x3, without biases: that is a variant here.
import * as tf from '@tensorflow/tfjs'
import {
  type Architecture,
  type BuildOptions,
  CAFFE_SCALING,
  LINEAR_HEAD,
  TORCH_EPSILON,
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
  type Sides,
  zeroPadding,
} from './building.ts'

interface Stage {
  readonly blocks: number
  readonly filters: number
  readonly stride: 1 | 2
}
const STAGES: readonly Stage[] = [
  { blocks: 3, filters: 64, stride: 1 },
  { blocks: 4, filters: 128, stride: 2 },
  { blocks: 6, filters: 256, stride: 2 },
  { blocks: 3, filters: 512, stride: 2 },
]
const KERAS_EPSILON = 1.001e-5

const THREE: Sides = [3, 3]
const ONE: Sides = [1, 1]

function normOf(isTorch: boolean): { readonly epsilon: number } {
  return { epsilon: isTorch ? TORCH_EPSILON : KERAS_EPSILON }
}

interface Block {
  readonly name: string
  readonly filters: number
  readonly stride: number
  /** The first block of a stage changes the shape, so that its shortcut needs a convolution. */
  readonly isFirst: boolean
  readonly isTorch: boolean
}

function bottleneck(x: Features, { name, filters, stride, isFirst, isTorch }: Block): Features {
  const strided = isTorch ? [0, 2] : [0, 1]
  const normalised = (from: Features, part: number, o: { filters: number; kernel: number }) => {
    const step = strided.includes(part) ? { stride, padding: 'valid' as const } : {}
    const isPadded = o.kernel > 1 && step.stride !== undefined
    const padded = isPadded ? zeroPadding(from, `${name}_${part}_pad`, [ONE, ONE]) : from
    const y = convolution(padded, { name: `${name}_${part}_conv`, bias: !isTorch, ...o, ...step })
    return batchNorm(y, `${name}_${part}_bn`, normOf(isTorch))
  }
  const shortcut = isFirst ? normalised(x, 0, { filters: 4 * filters, kernel: 1 }) : x
  let y = activation(normalised(x, 1, { filters, kernel: 1 }), `${name}_1_relu`, 'relu')
  y = activation(normalised(y, 2, { filters, kernel: 3 }), `${name}_2_relu`, 'relu')
  y = normalised(y, 3, { filters: 4 * filters, kernel: 1 })
  const sum = apply(tf.layers.add({ name: `${name}_add` }), [shortcut, y])
  return activation(sum, `${name}_out`, 'relu')
}

function build(options: BuildOptions): tf.LayersModel {
  const input = imageInput(options)
  const isTorch = options.variant === 'torchvision'
  const stem = { filters: 64, kernel: 7, stride: 2, padding: 'valid', bias: !isTorch } as const
  let x = zeroPadding(input, 'conv1_pad', [THREE, THREE])
  x = batchNorm(convolution(x, { name: 'conv1_conv', ...stem }), 'conv1_bn', normOf(isTorch))
  x = zeroPadding(activation(x, 'conv1_relu', 'relu'), 'pool1_pad', [ONE, ONE])
  x = apply(tf.layers.maxPooling2d({ name: 'pool1_pool', poolSize: 3, strides: 2 }), x)
  for (const [index, { blocks, filters, stride }] of STAGES.entries()) {
    for (let block = 1; block <= blocks; block++) {
      const name = `conv${index + 2}_block${block}`
      const isFirst = block === 1
      x = bottleneck(x, { name, filters, stride: isFirst ? stride : 1, isFirst, isTorch })
    }
  }
  return network({ name: 'resnet50', input, output: pooledTop(x, options) }, options)
}

export const resnet50: Architecture = {
  name: 'resnet50',
  title: 'ResNet50',
  purpose: 'The standard baseline in publications; many parameters to fine-tune.',
  inputSize: 224,
  channels: 'any',
  parameters: 23_530_000,
  gigaMacs: 3.8,
  activationMegabytes: 140,
  preprocessing: CAFFE_SCALING,
  learningRate: 1e-4,
  build,
  explanation: { layer: 'conv5_block3_out', reason: LINEAR_HEAD },
}
