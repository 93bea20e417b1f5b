// The training loop: epochs over shuffled batches, validation after each, best weights back at the end.
// Draws depend on (seed, epoch, index) only and nothing depends on time, so the same job gives the same weights.
import type * as tf from '@tensorflow/tfjs'
import { shuffledIndices } from '../../engine/counter-random.ts'
import type { EngineName } from '../../engine/native/choose-engine.ts'
import { createTrainingStep, type TrainingStep } from '../../engine/training-step.ts'
import { AppError } from '../../errors.ts'
import type { Prepared, PreparedImage } from '../dataset/prepared.ts'
import { predictAll } from '../evaluation/predict.ts'
import { negativeLogLikelihood } from '../evaluation/probabilities.ts'
import { areaUnderCurve } from '../evaluation/roc.ts'
import type { EpochRecord, TrainingMessage, TrainingSummary } from '../job.ts'
import { PURPOSE } from '../random.ts'
import type { Hyperparameters } from '../settings.ts'
import { type Batch, classWeights, correctness, createFeeder } from './batches.ts'
import { type Checkpoint, type Weights, writeCheckpoint } from './checkpoint.ts'
import { type Control, whilePaused } from './control.ts'
import { openSource } from './frozen-features.ts'
import type { FrozenRecord, ImageSource } from './image-source.ts'
import { afterEpoch, firstProgress, isEnough, learningRateAt, type Progress } from './schedule.ts'

export interface LoopOptions {
  readonly prepared: Prepared
  readonly hyperparameters: Hyperparameters
  readonly engine: EngineName
  readonly threads: number
  readonly control: Control
  readonly checkpointPath: string
  /** Go on from here instead of from the model's weights. */
  readonly resumeFrom?: Checkpoint
  readonly report: (message: TrainingMessage) => void
}

export interface Trained {
  readonly history: readonly EpochRecord[]
  readonly bestEpoch: number
  readonly endedBy: TrainingSummary['endedBy']
  readonly steps: number
  /** The checkpoint that it went on from, and what was other than before; null when it was never interrupted. */
  /** How the frozen part was run once; null where all of the network was run in every epoch. */
  readonly frozen: FrozenRecord | null
  readonly resumed: { readonly epoch: number; readonly differs: readonly string[] } | null
}

/** Trains in place: afterwards the model has the best epoch's weights. @throws AppError `invalid` in one sentence */
export async function trainModel(model: tf.LayersModel, o: LoopOptions): Promise<Trained> {
  const { prepared, hyperparameters: h } = o
  const training = prepared.imagesOf('train')
  checkEnough(training, o)
  const source = await openSource(model, o)
  const step = await createTrainingStep({
    model,
    kind: prepared.index.kind,
    batchSize: h.batchSize,
    optimizer: { name: 'adam', weightDecay: h.weightDecay },
    labelSmoothing: h.labelSmoothing,
    threads: o.threads,
    engine: o.engine,
    ...(source.prefix && { prefix: source.prefix }),
  })
  try {
    return await runEpochs({ ...o, model, step, source, training })
  } finally {
    await step.close()
    await source.close()
  }
}

function checkEnough(
  training: readonly PreparedImage[],
  { prepared, hyperparameters: h }: LoopOptions,
): void {
  if (training.length < h.batchSize) {
    throw new AppError(
      'invalid',
      `The dataset has ${training.length} images to train on, fewer than one batch of ${h.batchSize}: ` +
        'choose a smaller batch or add images.',
    )
  }
  if (prepared.imagesOf('validation').length === 0) {
    throw new AppError('invalid', 'The dataset is too small: no image is left to validate on.')
  }
}

interface Running extends LoopOptions {
  readonly model: tf.LayersModel
  readonly step: TrainingStep
  readonly source: ImageSource
  readonly training: readonly PreparedImage[]
}

async function runEpochs(run: Running): Promise<Trained> {
  const { hyperparameters: h, step, model, control, resumeFrom } = run
  if (resumeFrom) step.restore({ weights: resumeFrom.weights, optimizer: resumeFrom.optimizer })
  let progress: Progress = resumeFrom?.progress ?? firstProgress(h)
  let best: Weights = resumeFrom?.bestWeights ?? step.weights()
  const history: EpochRecord[] = [...(resumeFrom?.history ?? [])]
  const resumed = resumeFrom ? resumedFrom(run, resumeFrom) : null
  let endedBy: Trained['endedBy'] = isEnough(h, progress) ? 'early stopping' : 'all epochs'
  for (
    let epoch = (resumeFrom?.epoch ?? 0) + 1;
    epoch <= h.epochs && endedBy === 'all epochs';
    epoch++
  ) {
    const started = performance.now()
    const trained = await trainEpoch(run, { epoch, progress })
    if (!trained) {
      endedBy = 'stopped by hand'
      break
    }
    step.applyTo(model)
    const validated = await validate(run)
    const { pausedSeconds, ...figures } = trained
    const seconds = (performance.now() - started) / 1000 - pausedSeconds
    const after = afterEpoch(progress, { h, epoch, loss: validated.valLoss })
    progress = after.progress
    if (after.improved) best = step.weights()
    const record: EpochRecord = {
      epoch,
      ...figures,
      ...validated,
      seconds,
      imagesPerSecond: Math.round(trainedImages(run) / seconds),
    }
    history.push(record)
    const etaSeconds = seconds * (h.epochs - epoch)
    run.report({ type: 'epoch', record, best: after.improved, epochs: h.epochs, etaSeconds })
    await writeCheckpoint(run.checkpointPath, {
      identity: identityOf(run),
      epoch,
      progress,
      history,
      weights: step.weights(),
      bestWeights: best,
      optimizer: step.optimizerState(),
    })
    if (after.enough) endedBy = 'early stopping'
    await whilePaused(control, run.report)
    if (control.wish !== 'go on') endedBy = 'stopped by hand'
  }
  if (control.wish === 'cancel' || history.length === 0) {
    throw new AppError('conflict', 'The training was cancelled before it had a result.')
  }
  step.restore({ weights: best })
  step.applyTo(model)
  return {
    history,
    bestEpoch: progress.bestEpoch,
    endedBy,
    steps: stepsPerEpoch(run),
    resumed,
    frozen: run.source.record,
  }
}

function stepsPerEpoch({ training, hyperparameters }: Running): number {
  return Math.floor(training.length / hyperparameters.batchSize)
}

function trainedImages(run: Running): number {
  return stepsPerEpoch(run) * run.hyperparameters.batchSize
}

interface TrainedEpoch extends Pick<EpochRecord, 'trainLoss' | 'trainAccuracy' | 'learningRate'> {
  readonly pausedSeconds: number
}

/** One pass over the training images; the remainder of a batch is left out (other images each epoch). Undefined when stopped. */
async function trainEpoch(
  run: Running,
  { epoch, progress }: { readonly epoch: number; readonly progress: Progress },
): Promise<TrainedEpoch | undefined> {
  const { hyperparameters: h, prepared, training, step, source, control } = run
  const weights = h.classWeights ? classWeights(training, prepared.index) : null
  const feeder = createFeeder({ index: prepared.index, source, batchSize: h.batchSize, weights })
  const order = shuffledIndices(training.length, h.seed, PURPOSE.shuffle, epoch)
  const steps = stepsPerEpoch(run)
  const started = performance.now()
  let [loss, right, learningRate, pausedSeconds] = [0, 0, 0, 0]
  for (let at = 0; at < steps; at++) {
    pausedSeconds += await whilePaused(control, run.report)
    if (control.wish !== 'go on') return undefined
    const places = order.subarray(at * h.batchSize, (at + 1) * h.batchSize)
    const batch: Batch = feeder.fill(
      [...places].map((place) => training[place] as PreparedImage),
      epoch,
    )
    learningRate = learningRateAt(h, { progress, epoch, step: at, steps })
    const result = await step.run({ ...batch, learningRate, dropoutSeed: h.seed })
    if (!Number.isFinite(result.loss)) {
      throw new AppError(
        'invalid',
        `The loss is no longer a number in epoch ${epoch}, batch ${at + 1}: try a smaller learning rate.`,
      )
    }
    loss += result.loss
    right += correctness(prepared.index.kind, { ...result, y: batch.y, count: h.batchSize })
    const perStep = ((performance.now() - started) / 1000 - pausedSeconds) / (at + 1)
    run.report({
      type: 'batch',
      epoch,
      epochs: h.epochs,
      batch: at + 1,
      batches: steps,
      loss: loss / (at + 1),
      accuracy: right / (at + 1),
      etaSeconds: perStep * (steps - at - 1 + steps * (h.epochs - epoch)),
    })
  }
  return { trainLoss: loss / steps, trainAccuracy: right / steps, learningRate, pausedSeconds }
}

async function validate(
  run: Running,
): Promise<Pick<EpochRecord, 'valLoss' | 'valAccuracy' | 'valAuc'>> {
  const { model, prepared, source, threads, engine } = run
  const images = prepared.imagesOf('validation')
  const outputs = await predictAll(model, { prepared, images, source, threads, engine })
  const { kind, logits, truth } = outputs
  const column = (k: number) => ({
    scores: logits.map((row) => row[k] ?? 0),
    positives: truth.map((row) => row[k] === 1),
  })
  const areas = (truth[0] ?? []).map((_, k) => areaUnderCurve(column(k))?.auc ?? null)
  const known = areas.filter((auc) => auc !== null)
  return {
    valLoss: negativeLogLikelihood(outputs),
    valAccuracy: correctness(kind, {
      logits: logits.flat(),
      y: truth.flat(),
      count: images.length,
    }),
    valAuc: known.length === 0 ? null : known.reduce((sum, auc) => sum + auc, 0) / known.length,
  }
}

/** @throws AppError `conflict` when the checkpoint is of another dataset, architecture or configuration */
function resumedFrom(run: Running, { identity, epoch, history }: Checkpoint) {
  const now = identityOf(run)
  const other = Object.keys(now).filter((name) => now[name] !== identity[name])
  const differs = other.filter((name) => MAY_DIFFER.includes(name))
  if (run.engine === 'tensorflow') differs.push('the order in which TensorFlow adds')
  const wrong = other.find((name) => !MAY_DIFFER.includes(name))
  if (wrong) {
    throw new AppError(
      'conflict',
      `The checkpoint cannot be gone on from: its ${wrong} is another; start a new run.`,
    )
  }
  run.report({ type: 'resumed', epoch, history, differs })
  return { epoch, differs }
}

/** Without these being equal a run can go on, but ends with other bits. */
const MAY_DIFFER: readonly string[] = ['engine', 'threads', 'node']

/** A resumed run is exact when all of this is equal. */
function identityOf({
  prepared,
  hyperparameters,
  engine,
  threads,
  model,
}: Running): Checkpoint['identity'] {
  return {
    dataset: prepared.index.fingerprint,
    preprocessing: prepared.index.preprocessingSha256,
    hyperparameters: JSON.stringify(hyperparameters),
    architecture: model.name,
    engine,
    threads,
    node: process.version,
  }
}
