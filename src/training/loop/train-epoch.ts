// One pass over the training images, from its beginning or from where a checkpoint left it.
import { shuffledIndices } from '../../engine/random/counter-random.ts'
import { PURPOSE } from '../../engine/random/draw-purposes.ts'
import { AppError } from '../../errors.ts'
import type { PreparedImage } from '../dataset/prepared.ts'
import { classWeights, correctness, createFeeder, outputsOf, targetOf } from './batches.ts'
import type { EpochSoFar } from './checkpoint.ts'
import { whilePaused } from './control.ts'
import { type EpochFigures, epochFigures } from './epoch-figures.ts'
import type { Running } from './loop-options.ts'
import { learningRateAt, type Progress } from './schedule.ts'

export interface TrainedEpoch extends EpochFigures {
  /** Mean over the batches; like the other figures of changing weights, with augmentation and dropout, as in Keras. */
  readonly loss: number
  /** Of the last batch. */
  readonly learningRate: number
  /** Without pauses. */
  readonly seconds: number
}

export interface EpochOptions {
  /** From 1. */
  readonly epoch: number
  readonly progress: Progress
  /** Go on within the epoch. */
  readonly from: EpochSoFar | null
  /** Called where the batch is one after which a checkpoint may be taken. */
  readonly onBatch: (soFar: () => EpochSoFar) => Promise<void>
}

export function stepsPerEpoch({ training, hyperparameters }: Running): number {
  return Math.floor(training.length / hyperparameters.batchSize)
}

/** The remainder of a batch is left out (other images each epoch). Undefined when it was stopped. */
export async function trainEpoch(run: Running, o: EpochOptions): Promise<TrainedEpoch | undefined> {
  const { hyperparameters: h, prepared, training, step, source, control } = run
  const { epoch, progress, from } = o
  const { index } = prepared
  const weights = h.classWeights ? classWeights(training, index) : null
  const feeder = createFeeder({ index, source, batchSize: h.batchSize, weights })
  const order = shuffledIndices(training.length, h.seed, PURPOSE.shuffle, epoch)
  const imageAt = (place: number) => training[order[place] ?? 0] as PreparedImage
  const steps = stepsPerEpoch(run)
  const outputs = outputsOf(index)
  const logits = new Float32Array(steps * h.batchSize * outputs)
  logits.set(from?.logits ?? [])
  const first = from?.batches ?? 0
  const truthOf = (count: number) =>
    Array.from({ length: count }, (_, place) => targetOf(imageAt(place), index))
  const started = performance.now() - 1000 * (from?.seconds ?? 0)
  let [lossSum, pausedSeconds] = [from?.lossSum ?? 0, 0]
  const rateAt = (at: number): number => learningRateAt(h, { progress, epoch, step: at, steps })
  let learningRate = rateAt(Math.max(0, first - 1))
  let right = first * startingAccuracy()
  const seconds = (): number => (performance.now() - started) / 1000 - pausedSeconds
  for (let at = first; at < steps; at++) {
    pausedSeconds += await whilePaused(control, run.report)
    if (control.wish !== 'go on') return undefined
    const places = Array.from({ length: h.batchSize }, (_, i) => at * h.batchSize + i)
    const batch = feeder.fill(places.map(imageAt), epoch)
    learningRate = rateAt(at)
    const result = await step.run({ ...batch, learningRate, dropoutSeed: h.seed })
    if (!Number.isFinite(result.loss)) {
      throw new AppError(
        'invalid',
        `The loss is no longer a number in epoch ${epoch}, batch ${at + 1}: try a smaller learning rate.`,
      )
    }
    lossSum += result.loss
    logits.set(result.logits, at * h.batchSize * outputs)
    right += correctness(index.kind, { ...result, y: batch.y, count: h.batchSize })
    const batches = at + 1
    const perStep = seconds() / batches
    run.report({
      type: 'batch',
      epoch,
      epochs: h.epochs,
      batch: batches,
      batches: steps,
      loss: lossSum / batches,
      accuracy: right / batches,
      learningRate,
      imagesPerSecond: Math.round(h.batchSize / perStep),
      etaSeconds: perStep * (steps - batches + steps * (h.epochs - epoch)),
    })
    await o.onBatch(() => ({
      batches,
      lossSum,
      seconds: seconds(),
      logits: logits.slice(0, batches * h.batchSize * outputs),
    }))
  }
  const figures = epochFigures({
    kind: index.kind,
    logits: rowsOf(logits, outputs),
    truth: truthOf(steps * h.batchSize),
  })
  return { ...figures, loss: lossSum / steps, learningRate, seconds: seconds() }

  /** Of the batches before `first`, to go on with what is shown. */
  function startingAccuracy(): number {
    const count = first * h.batchSize
    if (count === 0) return 0
    const given = logits.subarray(0, count * outputs)
    return correctness(index.kind, { logits: given, y: truthOf(count).flat(), count })
  }
}

function rowsOf(values: Float32Array, length: number): number[][] {
  return Array.from({ length: values.length / length }, (_, row) => [
    ...values.subarray(row * length, (row + 1) * length),
  ])
}
