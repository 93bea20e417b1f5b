// How far a run is, from what its process says: pure functions over the registry's progress record.
import type { RunEpoch, RunProgress } from '../registry/runs/runs.ts'
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
    case 'resumed': {
      // Once not exact, it stays so.
      const differs = [...new Set([...(before.resumed?.differs ?? []), ...message.differs])]
      const resumed = { exact: differs.length === 0, differs }
      return withHistory({ ...before, epoch: message.epoch, resumed }, message.history)
    }
    case 'batch': {
      const { epoch, epochs, batch, batches, loss, accuracy, etaSeconds } = message
      const { learningRate, imagesPerSecond } = message
      const last = before.history.at(-1)
      const metrics = {
        loss,
        accuracy,
        valLoss: last?.valLoss ?? null,
        valAccuracy: last?.valAccuracy ?? null,
        valAuc: last?.valAuc ?? null,
      }
      const place = { epoch, epochs, batch, batches }
      return { ...before, ...place, metrics, learningRate, imagesPerSecond, etaSeconds }
    }
    case 'epoch': {
      const { record, epochs, etaSeconds } = message
      // A run that was interrupted does the epochs behind its checkpoint again.
      const earlier = before.history.filter(({ epoch }) => epoch < record.epoch)
      return withHistory({ ...before, epochs, etaSeconds }, [...earlier, record])
    }
    case 'resources': {
      const { memoryBytes, cpuSeconds, use } = message
      return { ...before, memoryBytes, cpuSeconds, use }
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
const LARGE_GAP = 0.2
const LEAST_GAIN = 0.02
const JUDGED_AFTER = 5
const LOW_ACCURACY = 0.7

/** Overfitting and underfitting as they can be seen in the curves: sentences with the figures and what to do; none while all is well. */
export function notesOn(history: readonly RunEpoch[]): string[] {
  const last = history.at(-1)
  const first = history[0]
  if (!last || !first) return []
  const recent = history.slice(-RISING_EPOCHS - 1)
  const before = recent[0] ?? last
  const rises = recent.every((one, at) => at === 0 || one.valLoss > (recent[at - 1]?.valLoss ?? 0))
  const gap = last.trainAccuracy - last.valAccuracy
  if (recent.length > RISING_EPOCHS && rises && last.trainLoss < before.trainLoss) {
    const best = history.reduce((least, one) => (one.valLoss < least.valLoss ? one : least))
    return [
      `It begins to learn the training images by heart (overfitting): in ${RISING_EPOCHS} epochs the validation loss rose from ` +
        `${figure(before.valLoss)} to ${figure(last.valLoss)} while the training loss fell from ${figure(before.trainLoss)} to ${figure(last.trainLoss)}. ` +
        `Epoch ${best.epoch} is the best so far and is what is kept: stop here, or add images, augment more or train fewer layers the next time.`,
    ]
  }
  if (history.length >= JUDGED_AFTER && gap > LARGE_GAP) {
    return [
      `It is right on ${percent(last.trainAccuracy)} of the training images and on ${percent(last.valAccuracy)} of others, ` +
        `${Math.round(gap * 100)} points fewer (overfitting). Add images, augment more, train fewer layers or take a smaller architecture.`,
    ]
  }
  if (history.length >= JUDGED_AFTER && first.trainLoss - last.trainLoss < LEAST_GAIN) {
    return [
      `It hardly learns (underfitting): after ${history.length} epochs the training loss is ${figure(last.trainLoss)}, ` +
        `it began at ${figure(first.trainLoss)}. Try another learning rate, more trained layers or a larger architecture, and look for wrong labels.`,
    ]
  }
  const best = Math.max(...history.map(({ valAccuracy }) => valAccuracy))
  if (history.length >= JUDGED_AFTER && best < LOW_ACCURACY) {
    return [
      `The accuracy on validation images is ${percent(best)} at best after ${history.length} epochs. Look for unbalanced classes and ` +
        'wrong labels on the page of the dataset, try another architecture, or more epochs (intensive).',
    ]
  }
  return []
}

function figure(loss: number): string {
  return loss.toPrecision(3)
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
