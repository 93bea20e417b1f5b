// Overfitting and underfitting as the curves of a run show them, in sentences with the figures and what to do.
import type { RunEpoch } from '../../registry/runs/run-record.ts'

const RISING_EPOCHS = 3
const LARGE_GAP = 0.2
const MIN_GAIN = 0.02
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
      `Overfitting: in ${RISING_EPOCHS} epochs the validation loss rose from ` +
        `${figure(before.valLoss)} to ${figure(last.valLoss)} while the training loss fell from ${figure(before.trainLoss)} to ${figure(last.trainLoss)}. ` +
        `Epoch ${best.epoch} is the best so far and is kept. Stop here, or next time add images, increase augmentation or train fewer layers.`,
    ]
  }
  if (history.length >= JUDGED_AFTER && gap > LARGE_GAP) {
    return [
      `Overfitting: accuracy is ${percent(last.trainAccuracy)} on training images and ${percent(last.valAccuracy)} on validation images, ` +
        `${Math.round(gap * 100)} points lower. Add images, augment more, train fewer layers or use a smaller architecture.`,
    ]
  }
  if (history.length >= JUDGED_AFTER && first.trainLoss - last.trainLoss < MIN_GAIN) {
    return [
      `Underfitting: after ${history.length} epochs the training loss is ${figure(last.trainLoss)}, ` +
        `it began at ${figure(first.trainLoss)}. Try another learning rate, more trained layers or a larger architecture, and look for wrong labels.`,
    ]
  }
  const best = Math.max(...history.map(({ valAccuracy }) => valAccuracy))
  if (history.length >= JUDGED_AFTER && best < LOW_ACCURACY) {
    return [
      `Validation accuracy is ${percent(best)} at best after ${history.length} epochs. Look for unbalanced classes and ` +
        'wrong labels on the dataset page, try another architecture, or more epochs (intensive).',
    ]
  }
  return []
}

function figure(loss: number): string {
  return loss.toPrecision(3)
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`
}
