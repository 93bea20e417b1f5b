// How far a run is, from what its process says: pure functions over the registry's progress record.
import type { RunEpoch, RunProgress } from '../../registry/runs/run-record.ts'
import type { TrainingMessage } from '../../training/job.ts'
import { notesOn } from '../../training/loop/fit-notes.ts'

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
