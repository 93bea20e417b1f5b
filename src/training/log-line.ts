// Messages of a training as plain lines, for logs and terminals that are none.
import type { TrainingMessage } from './job.ts'

/** Undefined for what is too frequent for a log. */
export function logLine(message: TrainingMessage): string | undefined {
  switch (message.type) {
    case 'phase':
      return message.phase
    case 'prepared':
      return `${message.images} images prepared, ${message.setAside} set aside, fingerprint ${message.fingerprint.slice(0, 16)}`
    case 'epoch': {
      const { record: r, epochs, best } = message
      const more = (auc: number | null, precision: number | null, recall: number | null): string =>
        [
          ['precision', precision],
          ['recall', recall],
          ['auc', auc],
        ]
          .map(([name, value]) => (value === null ? '' : `, ${name} ${Number(value).toFixed(3)}`))
          .join('')
      return (
        `epoch ${r.epoch}/${epochs}: loss ${r.trainLoss.toFixed(4)}, accuracy ${r.trainAccuracy.toFixed(3)}${more(r.trainAuc, r.trainPrecision, r.trainRecall)}; ` +
        `validation loss ${r.valLoss.toFixed(4)}, accuracy ${r.valAccuracy.toFixed(3)}${more(r.valAuc, r.valPrecision, r.valRecall)}; ` +
        `learning rate ${r.learningRate.toExponential(1)}, ${r.seconds.toFixed(1)} s${best ? ', best so far' : ''}`
      )
    }
    case 'log':
      return message.text
    case 'finished': {
      const { summary: s } = message
      return `finished: ${s.name}, best epoch ${s.bestEpoch} of ${s.epochs} (${s.endedBy}), balanced accuracy ${s.balancedAccuracy?.toFixed(3) ?? 'unknown'}`
    }
    case 'failed':
      return `failed: ${message.message}`
    default:
      return undefined
  }
}
