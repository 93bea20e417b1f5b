// Batches of a prepared dataset as the training step wants them: pixels (changed a little), targets and weights.

import { positiveIndex } from '../../inference/scores.ts'
import type { ConditionKind } from '../../package/schema.ts'
import type { PreparedImage, PreparedIndex } from '../dataset/prepared.ts'
import type { ImageSource } from './image-source.ts'

export interface Batch {
  readonly x: Float32Array // [batch, height, width, channels], or [batch, features]
  readonly y: Float32Array // [batch, outputs]
  readonly sampleWeights: Float32Array // [batch]; [batch, outputs] for multi-label
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

/** Weight of an image in the loss where a class is there, and where it is not. */
export interface ClassWeight {
  readonly present: number
  /** Multi-label only. */
  readonly absent: number
}

/**
 * Single-label and binary: every class has the same share of the loss. Multi-label: for each label, the images that bear it
 * and those that do not have the same share. A class without images, or that all bear, weighs 1.
 */
export function classWeights(
  images: readonly PreparedImage[],
  { kind, classes }: Pick<PreparedIndex, 'kind' | 'classes'>,
): ClassWeight[] {
  const n = images.length
  if (kind === 'multi-label') {
    return classes.map((_, k) => {
      const count = images.filter((one) => one.classes.includes(k)).length
      if (count === 0 || count === n) return { present: 1, absent: 1 }
      return { present: n / (2 * count), absent: n / (2 * (n - count)) }
    })
  }
  const counts = classes.map((_, k) => images.filter((one) => one.classes[0] === k).length)
  const present = counts.filter((count) => count > 0).length
  return counts.map((count) => {
    const weight = count === 0 ? 0 : n / (present * count)
    return { present: weight, absent: weight }
  })
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
  readonly weights: readonly ClassWeight[] | null
}

export function createFeeder(o: FeederOptions): Feeder {
  const { index, source, batchSize } = o
  const { rowLength } = source
  const outputs = outputsOf(index)
  const x = new Float32Array(batchSize * rowLength)
  const y = new Float32Array(batchSize * outputs)
  const isMulti = index.kind === 'multi-label'
  const sampleWeights = new Float32Array(batchSize * (isMulti ? outputs : 1))
  const weightsOf = (image: PreparedImage): number[] => {
    if (!isMulti) return [o.weights?.[image.classes[0] ?? 0]?.present ?? 1]
    return index.classes.map((_, k) => {
      const weight = o.weights?.[k]
      return (image.classes.includes(k) ? weight?.present : weight?.absent) ?? 1
    })
  }
  const fill = (images: readonly PreparedImage[], epoch: number): Batch => {
    images.forEach((image, place) => {
      const target = x.subarray(place * rowLength, (place + 1) * rowLength)
      source.readChanged(image, { epoch, target })
      y.set(targetOf(image, index), place * outputs)
      sampleWeights.set(weightsOf(image), place * (isMulti ? outputs : 1))
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
