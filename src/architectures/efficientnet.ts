// EfficientNet B0 and B3 (Tan and Le 2019), layer for layer and name for name as in keras.applications. They take pixels of
// 0..255: scaling and normalisation are their first layers.
import * as tf from '@tensorflow/tfjs'
import { normalization } from '../engine/layers/normalization.ts'
import '../engine/layers/registered.ts'
import {
  type Architecture,
  type BuildOptions,
  LINEAR_HEAD,
  NO_SCALING,
  TORCH_EPSILON,
} from './architecture.ts'
import {
  activation,
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

interface Stage {
  readonly kernel: 3 | 5
  readonly repeats: number
  readonly filters: number
  readonly expand: 1 | 6
  readonly stride: 1 | 2
}
/** Table 1 of the paper, for B0. */
const STAGES: readonly Stage[] = [
  { kernel: 3, repeats: 1, filters: 16, expand: 1, stride: 1 },
  { kernel: 3, repeats: 2, filters: 24, expand: 6, stride: 2 },
  { kernel: 5, repeats: 2, filters: 40, expand: 6, stride: 2 },
  { kernel: 3, repeats: 3, filters: 80, expand: 6, stride: 2 },
  { kernel: 5, repeats: 3, filters: 112, expand: 6, stride: 1 },
  { kernel: 5, repeats: 4, filters: 192, expand: 6, stride: 2 },
  { kernel: 3, repeats: 1, filters: 320, expand: 6, stride: 1 },
]
const STEM = 32
const FEATURES = 1280
const KERAS_EPSILON = 1e-3
/** Share of residual branches that are left out in training, growing from block to block up to this. */
const DROP_CONNECT = 0.2

interface Scaling {
  readonly width: number
  readonly depth: number
  readonly dropout: number
}

interface Details {
  readonly isTorch: boolean
  readonly norm: { readonly epsilon: number }
}

/**
 * The padding that TensorFlow's "same" has at stride 2, which depends on whether the side is even; PyTorch pads both ends
 * by half the kernel.
 */
function padded(
  x: Features,
  name: string,
  { kernel, isTorch }: Pick<Details, 'isTorch'> & { readonly kernel: number },
): Features {
  const half = Math.floor(kernel / 2)
  const sides = (side: number | null | undefined): Sides =>
    isTorch ? [half, half] : [half - (1 - ((side ?? 0) % 2)), half]
  return zeroPadding(x, name, [sides(x.shape[1]), sides(x.shape[2])])
}

/** Hu et al. 2018: each channel times what one look at all of them says, through `reduced` numbers. */
function squeezeAndExcite(x: Features, name: string, reduced: number): Features {
  const filters = x.shape[3] ?? 0
  const mean = apply(tf.layers.globalAveragePooling2d({ name: `${name}_se_squeeze` }), x)
  const shaped = { name: `${name}_se_reshape`, targetShape: [1, 1, filters] }
  let s = apply(tf.layers.reshape(shaped), mean)
  const linear = { kernel: 1, bias: true } as const
  const reduce = { name: `${name}_se_reduce`, filters: reduced, activation: 'swish' } as const
  s = convolution(s, { ...reduce, ...linear })
  s = convolution(s, { name: `${name}_se_expand`, filters, activation: 'sigmoid', ...linear })
  return apply(tf.layers.multiply({ name: `${name}_se_excite` }), [x, s])
}

interface Block extends Omit<Stage, 'repeats'>, Details {
  readonly name: string
  readonly dropRate: number
}

/** An inverted residual (MBConv) with squeeze and excitation. */
function block(x: Features, o: Block): Features {
  const { name, kernel, stride, norm } = o
  const before = x.shape[3] ?? 0
  let y = x
  if (o.expand > 1) {
    const filters = before * o.expand
    y = convolution(y, { name: `${name}_expand_conv`, filters, kernel: 1 })
    y = batchNorm(y, `${name}_expand_bn`, norm)
    y = activation(y, `${name}_expand_activation`, 'swish')
  }
  if (stride === 2) y = padded(y, `${name}_dwconv_pad`, o)
  const padding = stride === 2 ? 'valid' : 'same'
  y = depthwise(y, { name: `${name}_dwconv`, kernel, stride, padding })
  y = activation(batchNorm(y, `${name}_bn`, norm), `${name}_activation`, 'swish')
  y = squeezeAndExcite(y, name, Math.max(1, Math.floor(before * 0.25)))
  y = convolution(y, { name: `${name}_project_conv`, filters: o.filters, kernel: 1 })
  y = batchNorm(y, `${name}_project_bn`, norm)
  if (stride === 2 || before !== o.filters) return y
  if (o.dropRate > 0) {
    // Whole images at a time: one draw for each.
    const noiseShape = [null, 1, 1, 1] as unknown as number[]
    y = apply(tf.layers.dropout({ name: `${name}_drop`, rate: o.dropRate, noiseShape }), y)
  }
  return apply(tf.layers.add({ name: `${name}_add` }), [y, x])
}

function features(
  input: Features,
  { width, depth, ...details }: Omit<Scaling, 'dropout'> & Details,
): Features {
  const { norm } = details
  let x = padded(input, 'stem_conv_pad', { kernel: 3, ...details })
  const stem = {
    filters: toMultipleOf8(STEM * width),
    kernel: 3,
    stride: 2,
    padding: 'valid',
  } as const
  x = batchNorm(convolution(x, { name: 'stem_conv', ...stem }), 'stem_bn', norm)
  x = activation(x, 'stem_activation', 'swish')
  const stages = STAGES.map((stage) => ({ ...stage, repeats: Math.ceil(depth * stage.repeats) }))
  const total = stages.reduce((sum, { repeats }) => sum + repeats, 0)
  let done = 0
  for (const [index, { repeats, ...stage }] of stages.entries()) {
    for (let repeat = 0; repeat < repeats; repeat++) {
      x = block(x, {
        ...stage,
        ...details,
        name: `block${index + 1}${String.fromCharCode('a'.charCodeAt(0) + repeat)}`,
        filters: toMultipleOf8(stage.filters * width),
        stride: repeat === 0 ? stage.stride : 1,
        dropRate: (DROP_CONNECT * done) / total,
      })
      done++
    }
  }
  x = convolution(x, { name: 'top_conv', filters: toMultipleOf8(FEATURES * width), kernel: 1 })
  return activation(batchNorm(x, 'top_bn', norm), 'top_activation', 'swish')
}

/**
 * The first layers. Keras' ImageNet weights hold standard deviations as variances, so Keras divides by their root once more.
 * torchvision leaves the scaling of pixels to whoever calls the network.
 */
function normalised(input: Features, { channels, variant }: BuildOptions): Features {
  if (variant === 'torchvision') return input
  let x = apply(tf.layers.rescaling({ name: 'rescaling', scale: 1 / 255 }), input)
  x = apply(normalization({ name: 'normalization' }), x)
  if (variant !== 'keras-imagenet' || channels !== 3) return x
  const scale = [0.229, 0.224, 0.225].map((deviation) => 1 / Math.sqrt(deviation))
  const layer = { name: 'rescaling_1', scale: scale as unknown as number }
  return apply(tf.layers.rescaling(layer), x)
}

function builder(name: string, { dropout: rate, ...scaling }: Scaling): Architecture['build'] {
  return (options) => {
    const input = imageInput(options)
    const dropout = { name: 'top_dropout', rate }
    const isTorch = options.variant === 'torchvision'
    const norm = { epsilon: isTorch ? TORCH_EPSILON : KERAS_EPSILON }
    const x = features(normalised(input, options), { ...scaling, isTorch, norm })
    return network({ name, input, output: pooledTop(x, options, dropout) }, options)
  }
}

const common = {
  channels: 'any',
  preprocessing: NO_SCALING,
  learningRate: 1e-4,
  explanation: { layer: 'top_activation', reason: LINEAR_HEAD },
} as const

export const efficientnetB0: Architecture = {
  ...common,
  name: 'efficientnet_b0',
  title: 'EfficientNet B0',
  purpose: 'Best accuracy for its cost on photographs; good first choice for skin images.',
  inputSize: 224,
  parameters: 4_008_000,
  gigaMacs: 0.38,
  activationMegabytes: 94,
  build: builder('efficientnetb0', { width: 1, depth: 1, dropout: 0.2 }),
}

export const efficientnetB3: Architecture = {
  ...common,
  name: 'efficientnet_b3',
  title: 'EfficientNet B3',
  purpose: 'Scaled-up B0 for finer detail at 300 px; needs more data and time.',
  inputSize: 300,
  parameters: 10_697_000,
  gigaMacs: 1.8,
  activationMegabytes: 330,
  build: builder('efficientnetb3', { width: 1.2, depth: 1.4, dropout: 0.3 }),
}
