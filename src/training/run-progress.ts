// How far a run is, from what its process says: pure functions over the registry's progress record.
import type { RunEpoch, RunProgress } from '../registry/runs.ts'
import type { TrainingMessage } from './job.ts'

/** The progress after a message. */
export function progressed(before: RunProgress, message: TrainingMessage): RunProgress {
  switch (message.type) {
    case 'phase':
      return { ...before, phase: message.phase, prepared: null, etaSeconds: null }
    case 'progress':
      return { ...before, prepared: { done: message.done, total: message.total } }
    case 'prepared':
      return { ...before, epochs: message.hyperparameters.epochs }
    case 'resumed':
      return withHistory({ ...before, epoch: message.epoch }, message.history)
    case 'batch': {
      const { epoch, epochs, batch, batches, loss, accuracy, etaSeconds } = message
      const last = before.history.at(-1)
      const metrics = {
        loss,
        accuracy,
        valLoss: last?.valLoss ?? null,
        valAccuracy: last?.valAccuracy ?? null,
        valAuc: last?.valAuc ?? null,
      }
      return { ...before, epoch, epochs, batch, batches, metrics, etaSeconds }
    }
    case 'epoch': {
      const { record, epochs, etaSeconds } = message
      // A run that was interrupted does the epochs behind its checkpoint again.
      const earlier = before.history.filter(({ epoch }) => epoch < record.epoch)
      return withHistory({ ...before, epochs, etaSeconds }, [...earlier, record])
    }
    case 'resources': {
      const { memoryBytes, cpuSeconds } = message
      return { ...before, memoryBytes, cpuSeconds }
    }
    case 'finished':
      return { ...before, etaSeconds: 0 }
    default:
      return before
  }
}

function withHistory(before: RunProgress, history: readonly RunEpoch[]): RunProgress {
  const last = history.at(-1)
  if (!last) return { ...before, history }
  const best = history.reduce((least, one) => (one.valLoss < least.valLoss ? one : least))
  const { epoch, learningRate, imagesPerSecond, trainLoss, trainAccuracy } = last
  const { valLoss, valAccuracy, valAuc } = last
  return {
    ...before,
    epoch,
    learningRate,
    imagesPerSecond,
    metrics: { loss: trainLoss, accuracy: trainAccuracy, valLoss, valAccuracy, valAuc },
    bestEpoch: best.epoch,
    history,
    notes: notesOn(history),
  }
}

const RISING_EPOCHS = 3
const LEAST_GAP = 0.1
const LEAST_GAIN = 0.02
const JUDGED_AFTER = 5

/** Overfitting and underfitting as they can be seen in the curves; sentences, none while all is well. */
export function notesOn(history: readonly RunEpoch[]): string[] {
  const last = history.at(-1)
  const first = history[0]
  if (!last || !first) return []
  const recent = history.slice(-RISING_EPOCHS - 1)
  const rises = recent.every((one, at) => at === 0 || one.valLoss > (recent[at - 1]?.valLoss ?? 0))
  const falls = last.trainLoss < (recent[0]?.trainLoss ?? 0)
  const gap = last.trainAccuracy - last.valAccuracy
  if (recent.length > RISING_EPOCHS && rises && falls) {
    return [
      `It begins to learn the training images by heart (overfitting): the validation loss has risen for ${RISING_EPOCHS} epochs ` +
        'while the training loss falls. Keep the best epoch, add images, or augment more.',
    ]
  }
  if (history.length >= JUDGED_AFTER && gap > 2 * LEAST_GAP) {
    return [
      `It is better on the training images than on others by ${Math.round(gap * 100)} points of accuracy (overfitting).`,
    ]
  }
  if (history.length >= JUDGED_AFTER && first.trainLoss - last.trainLoss < LEAST_GAIN) {
    return [
      'It hardly learns (underfitting): the training loss has not fallen. Try another learning rate or a larger architecture.',
    ]
  }
  return []
}
