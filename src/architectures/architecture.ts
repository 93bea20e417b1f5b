// What every architecture is: a card for people and a function that builds a tfjs-layers model ending in linear logits.
import type * as tf from '@tensorflow/tfjs'
import { uniformAt } from '../engine/random/counter-random.ts'
import { PURPOSE } from '../engine/random/draw-purposes.ts'
import type { Preprocessing } from '../imaging/preprocessing.ts'

export interface BuildOptions {
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3
  /** Outputs: 1 for binary, else one for each class. */
  readonly outputs: number
  readonly seed: number
  /**
   * What stands on the features. `condition` (the default): a linear layer of `outputs`. Only where weights are published:
   * `imagenet`, the head of 1,000 classes that came with them; `original`, that head with linear `outputs` instead (VGG16
   * has two large layers before it); and `none`, the features themselves.
   */
  readonly top?: 'condition' | 'imagenet' | 'original' | 'none'
  /** `zeros` saves the time of drawing weights that are put in afterwards anyway; `seeded` by default. */
  readonly weights?: 'seeded' | 'zeros'
  /** Whose details it has; `keras` by default. */
  readonly variant?: Variant
}

/**
 * The same architecture differs in details from library to library, and weights fit only with theirs. `keras`: as in
 * keras.applications. `keras-imagenet`: as Keras builds it around its own ImageNet weights, where EfficientNet has a layer
 * more. `torchvision`: epsilon 1e-5 in batch normalisation, padding by half the kernel on every side, ResNet50's strides in
 * the 3x3 convolutions and no biases before batch normalisation, EfficientNet without layers that scale pixels.
 */
export const VARIANTS = ['keras', 'keras-imagenet', 'torchvision'] as const
export type Variant = (typeof VARIANTS)[number]

/** PyTorch's epsilon of batch normalisation. */
export const TORCH_EPSILON = 1e-5

/** The part of a preprocessing that goes with published weights, and is a sensible choice without them. */
export type PixelScaling = Pick<Preprocessing, 'scale' | 'mean' | 'std' | 'order'>

export interface Architecture {
  readonly name: string
  readonly title: string
  /** For whom and what, one sentence. */
  readonly purpose: string
  /** Side of the square input that it is meant for, in pixels. */
  readonly inputSize: number
  /** Grey X-rays need one channel; `any` takes both. Published weights need three. */
  readonly channels: 'any' | 3
  /** Trainable parameters with one input channel and one output, about. */
  readonly parameters: number
  /** Multiplications of one image of `inputSize`, in thousand millions, about. */
  readonly gigaMacs: number
  /** What its layers put out for one image of `inputSize`, about: training keeps that for every image of a batch. */
  readonly activationMegabytes: number
  readonly preprocessing: PixelScaling
  /** Learning rate when none is asked for. */
  readonly learningRate: number
  readonly build: (options: BuildOptions) => tf.LayersModel
  /** The layer whose output is explained, with the reason for this choice. */
  readonly explanation: { readonly layer: string; readonly reason: string }
}

/** Keras' mode "tf": -1 to 1. */
export const TF_SCALING: PixelScaling = { scale: 1 / 127.5, mean: [1], std: [1], order: 'rgb' }
/** Keras' mode "torch": ImageNet's mean and deviation. */
export const TORCH_SCALING: PixelScaling = {
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
  order: 'rgb',
}
/** Keras' mode "caffe": blue, green, red, minus ImageNet's mean. */
export const CAFFE_SCALING: PixelScaling = {
  scale: 1,
  mean: [103.939, 116.779, 123.68],
  std: [1],
  order: 'bgr',
}
/** 0 to 255 as they are: the network scales them itself. */
export const NO_SCALING: PixelScaling = { scale: 1, mean: [0], std: [1], order: 'rgb' }

export const LINEAR_HEAD =
  'The last feature map before global average pooling: a linear head follows, so the map adds up to the score.'

/**
 * Seeds for weight initialisers, one for each layer in the order of building: the same seed gives the same weights on
 * every machine.
 */
export function initialiserSeeds(seed: number): () => number {
  let layer = 0
  return () => Math.floor(uniformAt(seed, PURPOSE.weights, layer++) * 2 ** 31)
}
