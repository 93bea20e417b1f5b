// Batches for the training tests: noise with stripes whose direction is the class, the same in every run.
import { uniforms } from '../../src/engine/random/counter-random.ts'
import type { TrainingBatch } from '../../src/engine/training/step-interface.ts'

export const BATCH = 4
export const LEARNING_RATE = 0.01

interface BatchOptions {
  readonly size?: number
  readonly channels?: number
  readonly classes?: number
  /** A weight for each label of each image. */
  readonly isMulti?: boolean
}

/** Noise with stripes: rows in the first class, columns in the second, diagonals in the third. */
export function batchAt(
  step: number,
  { size = 16, channels = 1, classes = 1, isMulti = false }: BatchOptions = {},
): TrainingBatch {
  const x = uniforms(BATCH * size * size * channels, 11, step)
  const y = new Float32Array(BATCH * classes)
  const labels = uniforms(BATCH, 12, step).map((draw) => Math.floor(draw * Math.max(2, classes)))
  labels.forEach((label, b) => {
    if (classes === 1) y[b] = label
    else y[b * classes + label] = 1
    for (let i = 0; i < size * size * channels; i++) {
      const place = Math.floor(i / channels)
      const [row, column] = [Math.floor(place / size), place % size]
      const stripe = [row, column, row + column][label] ?? 0
      x[b * size * size * channels + i] =
        (x[b * size * size * channels + i] ?? 0) * 0.5 + ((stripe >> 1) & 1)
    }
  })
  return {
    x,
    y,
    sampleWeights: isMulti ? uniforms(BATCH * classes, 13, step) : Float32Array.of(1, 2, 0.5, 1),
    learningRate: LEARNING_RATE,
    dropoutSeed: 5,
  }
}
