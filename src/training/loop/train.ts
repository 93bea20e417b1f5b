// The training loop: epochs over shuffled batches, validation after each, best weights back at the end.
// Draws depend on (seed, epoch, index) only and nothing depends on time, so the same job gives the same weights.
import type * as tf from '@tensorflow/tfjs'
import { createTrainingStep } from '../../engine/training-step.ts'
import { AppError } from '../../errors.ts'
import { negativeLogLikelihood } from '../../evaluation/probabilities.ts'
import type { PreparedImage } from '../dataset/prepared.ts'
import type { EpochRecord, TrainingSummary } from '../job.ts'
import { predictAll } from '../predict.ts'
import { type Checkpoint, type EpochSoFar, type Weights, writeCheckpoint } from './checkpoint.ts'
import { compareIdentity, identityOf, type Resumed } from './checkpoint-identity.ts'
import { whilePaused } from './control.ts'
import { epochFigures } from './epoch-figures.ts'
import { openSource } from './frozen-features.ts'
import type { FrozenRecord } from './image-source.ts'
import type { LoopOptions, Running } from './loop-options.ts'
import { afterEpoch, firstProgress, isEnough, type Progress } from './schedule.ts'
import { stepsPerEpoch, trainEpoch } from './train-epoch.ts'

/** Besides the one after each epoch. */
const CHECKPOINT_SECONDS = 120

export interface Trained {
  readonly history: readonly EpochRecord[]
  readonly bestEpoch: number
  readonly endedBy: TrainingSummary['endedBy']
  readonly steps: number
  /** How the frozen part was run once; null where all of the network was run in every epoch. */
  readonly frozen: FrozenRecord | null
  /** The checkpoint that it went on from, and what was other than before; null when it was never interrupted. */
  readonly resumed: Resumed | null
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
    optimizer:
      h.optimizer === 'sgd'
        ? { name: 'sgd', momentum: h.momentum, weightDecay: h.weightDecay }
        : { name: 'adam', weightDecay: h.weightDecay },
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

/** All that changes from epoch to epoch, beside the state of the step. */
interface State {
  epoch: number
  progress: Progress
  best: Weights
  readonly history: EpochRecord[]
}

async function runEpochs(run: Running): Promise<Trained> {
  const { hyperparameters: h, step, model, control, resumeFrom } = run
  const identity = identityOf(run)
  const resumed = resumeFrom ? resume(run, resumeFrom) : null
  const state: State = {
    epoch: resumeFrom?.epoch ?? 0,
    progress: resumeFrom?.progress ?? firstProgress(h),
    best: resumeFrom?.bestWeights ?? step.weights(),
    history: [...(resumeFrom?.history ?? [])],
  }
  const { history } = state
  let from: EpochSoFar | null = resumeFrom?.within ?? null
  let savedAt = performance.now()
  const save = async (within: EpochSoFar | null): Promise<void> => {
    await writeCheckpoint(run.checkpointPath, {
      identity,
      epoch: state.epoch,
      within,
      progress: state.progress,
      history,
      weights: step.weights(),
      bestWeights: state.best,
      optimizer: step.optimizerState(),
    })
    savedAt = performance.now()
  }
  const { checkpointSeconds = CHECKPOINT_SECONDS } = run
  const onBatch = async (soFar: () => EpochSoFar): Promise<void> => {
    if (performance.now() - savedAt >= 1000 * checkpointSeconds) await save(soFar())
  }
  let endedBy: Trained['endedBy'] = isEnough(h, state.progress) ? 'early stopping' : 'all epochs'
  while (state.epoch < h.epochs && endedBy === 'all epochs') {
    const epoch = state.epoch + 1
    const trained = await trainEpoch(run, { epoch, progress: state.progress, from, onBatch })
    from = null
    if (!trained) {
      endedBy = 'stopped by hand'
      break
    }
    const validating = performance.now()
    step.applyTo(model)
    const validated = await validate(run)
    const seconds = trained.seconds + (performance.now() - validating) / 1000
    const after = afterEpoch(state.progress, { h, epoch, loss: validated.valLoss })
    state.epoch = epoch
    state.progress = after.progress
    if (after.improved) state.best = step.weights()
    const record: EpochRecord = {
      epoch,
      trainLoss: trained.loss,
      trainAccuracy: trained.accuracy,
      trainPrecision: trained.precision,
      trainRecall: trained.recall,
      trainAuc: trained.auc,
      ...validated,
      learningRate: trained.learningRate,
      seconds,
      imagesPerSecond: Math.round((stepsPerEpoch(run) * h.batchSize) / seconds),
    }
    history.push(record)
    const etaSeconds = seconds * (h.epochs - epoch)
    run.report({ type: 'epoch', record, best: after.improved, epochs: h.epochs, etaSeconds })
    await save(null)
    if (after.enough) endedBy = 'early stopping'
    await whilePaused(control, run.report)
    if (control.wish !== 'go on') endedBy = 'stopped by hand'
  }
  if (control.wish === 'cancel' || history.length === 0) {
    throw new AppError('conflict', 'The training was cancelled before it had a result.')
  }
  step.restore({ weights: state.best })
  step.applyTo(model)
  return {
    history,
    bestEpoch: state.progress.bestEpoch,
    endedBy,
    steps: stepsPerEpoch(run),
    resumed,
    frozen: run.source.record,
  }
}

/** @throws AppError `conflict` when the checkpoint is of something else */
function resume(run: Running, checkpoint: Checkpoint): Resumed {
  const { weights, optimizer, history } = checkpoint
  const resumed = compareIdentity(identityOf(run), checkpoint)
  run.step.restore({ weights, optimizer })
  run.report({ type: 'resumed', ...resumed, history })
  return resumed
}

async function validate(run: Running) {
  const { model, prepared, source, threads, engine } = run
  const images = prepared.imagesOf('validation')
  const outputs = await predictAll(model, { prepared, images, source, threads, engine })
  const { accuracy, precision, recall, auc } = epochFigures(outputs)
  return {
    valLoss: negativeLogLikelihood(outputs),
    valAccuracy: accuracy,
    valPrecision: precision,
    valRecall: recall,
    valAuc: auc,
  }
}
