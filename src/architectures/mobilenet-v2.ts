// MobileNetV2 (Sandler et al. 2018) of any width, layer for layer and name for name as in keras.applications, so that its
// published weights fit.
import * as tf from '@tensorflow/tfjs'
import { type Architecture, type BuildOptions, LINEAR_HEAD, TF_SCALING } from './architecture.ts'
import {
  apply,
  batchNorm,
  convolution,
  depthwise,
  type Features,
  imageInput,
  network,
  pooledTop,
  type Sides,
  toMultipleOf8,
  zeroPadding,
} from './building.ts'

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
const NORM = { epsilon: 1e-3, momentum: 0.999 } as const

function relu6(x: Features, name: string): Features {
  return apply(tf.layers.reLU({ name, maxValue: 6 }), x)
}

/** What "same" would do at stride 2, spelt out as Keras does. */
function padded(x: Features, name: string): Features {
  const sides = (side: number | null | undefined): Sides => [(side ?? 0) % 2, 1]
  return zeroPadding(x, name, [sides(x.shape[1]), sides(x.shape[2])])
}

interface Block {
  readonly name: string
  readonly expand: number
  readonly filters: number
  readonly stride: 1 | 2
}

/** An inverted residual: widened, seen by each channel on its own, narrowed without activation. */
function block(x: Features, { name, expand, filters, stride }: Block): Features {
  const before = x.shape[3] ?? 0
  let y = x
  if (expand > 1) {
    y = convolution(y, { name: `${name}_expand`, filters: before * expand, kernel: 1 })
    y = relu6(batchNorm(y, `${name}_expand_BN`, NORM), `${name}_expand_relu`)
  }
  if (stride === 2) y = padded(y, `${name}_pad`)
  const padding = stride === 2 ? 'valid' : 'same'
  y = depthwise(y, { name: `${name}_depthwise`, kernel: 3, stride, padding })
  y = relu6(batchNorm(y, `${name}_depthwise_BN`, NORM), `${name}_depthwise_relu`)
  y = convolution(y, { name: `${name}_project`, filters, kernel: 1 })
  y = batchNorm(y, `${name}_project_BN`, NORM)
  if (stride === 2 || before !== filters) return y
  return apply(tf.layers.add({ name: `${name}_add` }), [x, y])
}

function features(input: Features, width: number): Features {
  const filters = toMultipleOf8(32 * width)
  const stem = { name: 'Conv1', filters, kernel: 3, stride: 2, padding: 'valid' } as const
  let x = convolution(padded(input, 'Conv1_pad'), stem)
  x = relu6(batchNorm(x, 'bn_Conv1', NORM), 'Conv1_relu')
  let number = 0
  for (const [expand, channels, repeats, stride] of STAGES) {
    for (let repeat = 0; repeat < repeats; repeat++) {
      const name = number === 0 ? 'expanded_conv' : `block_${number}`
      const narrow = toMultipleOf8(Math.floor(channels * width))
      x = block(x, { name, expand, filters: narrow, stride: repeat === 0 ? stride : 1 })
      number++
    }
  }
  const last = width > 1 ? toMultipleOf8(FEATURES * width) : FEATURES
  x = convolution(x, { name: 'Conv_1', filters: last, kernel: 1 })
  return relu6(batchNorm(x, 'Conv_1_bn', NORM), 'out_relu')
}

function builder(width: number): Architecture['build'] {
  return (options: BuildOptions) => {
    const input = imageInput(options)
    const isOriginal = options.top === 'imagenet'
    const dropout = isOriginal ? undefined : { name: 'dropout', rate: 0.2 }
    const output = pooledTop(features(input, width), options, dropout)
    return network({ name: 'mobilenet_v2', input, output }, options)
  }
}

export interface MobileNetCard {
  /** Scales the channels of every layer but the last: Keras publishes 0.35, 0.5, 0.75, 1, 1.3 and 1.4. */
  readonly width: number
  readonly parameters: number
  readonly gigaMacs: number
  readonly activationMegabytes: number
}

export function mobileNetV2({ width, ...cost }: MobileNetCard): Architecture {
  const hundredths = String(Math.round(width * 100)).padStart(3, '0')
  return {
    ...cost,
    name: `mobilenet_v2_${hundredths}`,
    title: `MobileNetV2, width ${width}`,
    purpose: 'Small, well-established; suited to fine-tuning from ImageNet weights.',
    inputSize: 224,
    channels: 'any',
    preprocessing: TF_SCALING,
    learningRate: 1e-3,
    build: builder(width),
    explanation: { layer: 'out_relu', reason: LINEAR_HEAD },
  }
}
