// What every architecture is: a card for people and a function that builds a tfjs-layers model ending in linear logits.
import type * as tf from '@tensorflow/tfjs'
import { uniformAt } from '../../engine/counter-random.ts'
import { PURPOSE } from '../random.ts'

export interface BuildOptions {
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3
  /** Outputs: 1 for binary, else one for each class. */
  readonly outputs: number
  readonly seed: number
}

export interface Architecture {
  readonly name: string
  readonly title: string
  /** For whom and what, one sentence. */
  readonly purpose: string
  /** Side of the square input that it is meant for, in pixels. */
  readonly inputSize: number
  /** Grey X-rays need one channel; `any` takes both. */
  readonly channels: 'any' | 3
  /** Trainable parameters with one input channel and one output, about. */
  readonly parameters: number
  /** Learning rate from scratch when none is asked for. */
  readonly learningRate: number
  readonly build: (options: BuildOptions) => tf.LayersModel
  /** The layer whose output is explained, with the reason for this choice. */
  readonly explanation: { readonly layer: string; readonly reason: string }
}

/**
 * Seeds for weight initialisers, one for each layer in the order of building: the same seed gives the same weights on
 * every machine.
 */
export function initialiserSeeds(seed: number): () => number {
  let layer = 0
  return () => Math.floor(uniformAt(seed, PURPOSE.weights, layer++) * 2 ** 31)
}
