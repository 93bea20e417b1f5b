// Is a version worse than the active one by more than the condition allows? Pure; what follows from it: activate.ts.
import type { Metrics } from '../package/schema.ts'
import type { Condition } from './conditions.ts'
import type { Version } from './versions.ts'

export interface MetricVerdict {
  readonly outcome: 'passed' | 'gate' | 'unevaluated'
  /** One sentence for the history. */
  readonly detail: string
}

/** Not worse: candidate >= active - margin, both measured on the same images. */
export function judgeMetrics(
  candidate: Version,
  { active, gate }: { active: Version | undefined; gate: Condition['gate'] },
): MetricVerdict {
  const mine = candidate.metrics
  if (mine === null) {
    return { outcome: 'unevaluated', detail: `${candidate.id} has no metrics: evaluate it first` }
  }
  if (!active) {
    return { outcome: 'passed', detail: `first version to answer; ${figure(mine, gate.metric)}` }
  }
  const theirs = active.metrics
  if (theirs === null) {
    return {
      outcome: 'unevaluated',
      detail: `the active ${active.id} has no metrics to compare with`,
    }
  }
  if (mine.testSet !== theirs.testSet) {
    return {
      outcome: 'unevaluated',
      detail: `${candidate.id} and the active ${active.id} were measured on different test sets`,
    }
  }
  const [a, b] = [mine[gate.metric], theirs[gate.metric]]
  if (a === null || b === null) {
    const lacking = a === null ? candidate.id : active.id
    return { outcome: 'unevaluated', detail: `${lacking} has no ${inWords(gate.metric)}` }
  }
  const compared = `${inWords(gate.metric)} ${a.toFixed(4)} against ${b.toFixed(4)} of ${active.id} on ${mine.n} images`
  // A hair of tolerance: 0.90 - 0.05 is not exactly 0.85 in binary.
  return a >= b - gate.margin - 1e-12
    ? { outcome: 'passed', detail: `${compared}, within ${gate.margin}` }
    : { outcome: 'gate', detail: `${compared}: worse by more than ${gate.margin}` }
}

function figure(metrics: Metrics, metric: Condition['gate']['metric']): string {
  const value = metrics[metric]
  return value === null
    ? `no ${inWords(metric)} known`
    : `${inWords(metric)} ${value.toFixed(4)} on ${metrics.n} images`
}

/** `balancedAccuracy` as a person writes it. */
function inWords(metric: Condition['gate']['metric']): string {
  return metric === 'auc' ? 'AUC' : metric.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
