// How the learning rate falls and when a run has learnt enough: pure state machines over the validation loss.
import type { Hyperparameters } from '../hyperparameters.ts'

/** All that the schedule remembers; part of a checkpoint. */
export interface Progress {
  readonly learningRate: number
  readonly bestEpoch: number
  readonly bestLoss: number
  readonly sinceBest: number
  readonly sincePlateau: number
}

export function firstProgress(h: Hyperparameters): Progress {
  return {
    learningRate: h.learningRate,
    bestEpoch: 0,
    bestLoss: Number.POSITIVE_INFINITY,
    sinceBest: 0,
    sincePlateau: 0,
  }
}

const MIN_SHARE = 0.01
/** Steps of linear warm-up, so that batch norm's first statistics do no harm. */
export const WARM_UP_STEPS = 30

/** Learning rate of one step; epochs count from 1, steps of an epoch from 0. */
export function learningRateAt(
  h: Hyperparameters,
  o: {
    readonly progress: Progress
    readonly epoch: number
    readonly step: number
    readonly steps: number
  },
): number {
  const done = (o.epoch - 1) * o.steps + o.step
  const warm = Math.min(1, (done + 1) / WARM_UP_STEPS)
  if (h.schedule === 'step') {
    return h.learningRate * warm * h.stepFactor ** Math.floor((o.epoch - 1) / h.stepEpochs)
  }
  if (h.schedule !== 'cosine') return o.progress.learningRate * warm
  const share = done / (h.epochs * o.steps)
  const cosine = (1 + Math.cos(Math.PI * share)) / 2
  return h.learningRate * warm * (MIN_SHARE + (1 - MIN_SHARE) * cosine)
}

/** After an epoch: is it the best so far, does the rate fall, is it enough? */
export function afterEpoch(
  progress: Progress,
  o: { readonly h: Hyperparameters; readonly epoch: number; readonly loss: number },
): { readonly progress: Progress; readonly improved: boolean; readonly enough: boolean } {
  const { h, epoch, loss } = o
  if (loss < progress.bestLoss) {
    const better = { ...progress, bestEpoch: epoch, bestLoss: loss, sinceBest: 0, sincePlateau: 0 }
    return { progress: better, improved: true, enough: false }
  }
  const sinceBest = progress.sinceBest + 1
  const flat = progress.sincePlateau + 1
  const falls = h.schedule === 'plateau' && flat >= h.plateauPatience
  return {
    progress: {
      ...progress,
      sinceBest,
      sincePlateau: falls ? 0 : flat,
      learningRate: falls
        ? Math.max(progress.learningRate * h.plateauFactor, h.learningRate * MIN_SHARE)
        : progress.learningRate,
    },
    improved: false,
    enough: isEnough(h, { ...progress, sinceBest }),
  }
}

/** Whether an earlier part of the run had already learnt enough. */
export function isEnough(h: Hyperparameters, { sinceBest }: Progress): boolean {
  return h.earlyStopping > 0 && sinceBest >= h.earlyStopping
}
