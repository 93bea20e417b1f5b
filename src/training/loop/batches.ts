// Batches of a prepared dataset as the training step wants them: pixels (changed a little), targets and weights.

import { positiveIndex } from '../../inference/scores.ts'
import type { ConditionKind } from '../../package/schema.ts'
import type { PreparedImage, PreparedIndex } from '../dataset/prepared.ts'
import type { ImageSource } from './image-source.ts'

export interface Batch {
  readonly x: Float32Array // [batch, height, width, channels], or [batch, features]
  readonly y: Float32Array // [batch, outputs]
  readonly sampleWeights: Float32Array // [batch]
}

/** Numbers that a model gives for one image: one for binary, else one for each class. */
export function outputsOf({ kind, classes }: Pick<PreparedIndex, 'kind' | 'classes'>): number {
  return kind === 'binary' ? 1 : classes.length
}

/** What is true of an image, as the model's outputs would say it. */
export function targetOf(
  image: PreparedImage,
  index: Pick<PreparedIndex, 'kind' | 'classes'>,
): number[] {
  if (index.kind === 'binary') {
    return [image.classes.includes(positiveIndex(index.classes)) ? 1 : 0]
  }
  return index.classes.map((_, k) => (image.classes.includes(k) ? 1 : 0))
}

/** Weight of each class, such that every class has the same share of the loss; all 1 for multi-label. */
export function classWeights(images: readonly PreparedImage[], index: PreparedIndex): number[] {
  if (index.kind === 'multi-label') return index.classes.map(() => 1)
  const counts = index.classes.map((_, k) => images.filter((one) => one.classes[0] === k).length)
  const present = counts.filter((count) => count > 0).length
  return counts.map((count) => (count === 0 ? 0 : images.length / (present * count)))
}

export interface Feeder {
  /** Fills and returns the same buffers each time. */
  readonly fill: (images: readonly PreparedImage[], epoch: number) => Batch
}

export interface FeederOptions {
  readonly index: PreparedIndex
  readonly source: ImageSource
  readonly batchSize: number
  /** By class; null weighs every image 1. */
  readonly weights: readonly number[] | null
}

export function createFeeder(o: FeederOptions): Feeder {
  const { index, source, batchSize } = o
  const { rowLength } = source
  const outputs = outputsOf(index)
  const x = new Float32Array(batchSize * rowLength)
  const y = new Float32Array(batchSize * outputs)
  const sampleWeights = new Float32Array(batchSize)
  const fill = (images: readonly PreparedImage[], epoch: number): Batch => {
    images.forEach((image, place) => {
      const target = x.subarray(place * rowLength, (place + 1) * rowLength)
      source.readChanged(image, { epoch, target })
      y.set(targetOf(image, index), place * outputs)
      sampleWeights[place] = o.weights?.[image.classes[0] ?? 0] ?? 1
    })
    return { x, y, sampleWeights }
  }
  return { fill }
}

/** Right or wrong of each image of a batch; for multi-label the share of right labels. */
export function correctness(
  kind: ConditionKind,
  o: { readonly logits: ArrayLike<number>; readonly y: ArrayLike<number>; readonly count: number },
): number {
  const outputs = o.logits.length / o.count
  let right = 0
  for (let image = 0; image < o.count; image++) {
    const z = Array.from({ length: outputs }, (_, k) => o.logits[image * outputs + k] as number)
    const is = Array.from({ length: outputs }, (_, k) => o.y[image * outputs + k] as number)
    if (kind === 'single-label') right += is[z.indexOf(Math.max(...z))] === 1 ? 1 : 0
    else right += z.filter((value, k) => value > 0 === (is[k] === 1)).length / outputs
  }
  return right / o.count
}
