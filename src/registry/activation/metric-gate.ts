// Is a version worse than the active one by more than the condition allows? Pure; what follows from it: activate.ts.
import type { Metrics } from '../../package/schema.ts'
import type { Condition } from '../conditions/conditions.ts'

export interface MetricVerdict {
  readonly outcome: 'passed' | 'gate' | 'unevaluated'
  /** One sentence for the history. */
  readonly detail: string
}

/** A version with the figures that it may be judged by: its package's own first, then evaluations, newest first. */
export interface Measured {
  readonly id: string
  readonly measured: readonly Metrics[]
}

/** Not worse: candidate >= active - margin, both measured on the same images. */
export function judgeMetrics(
  candidate: Measured,
  { active, gate }: { active: Measured | undefined; gate: Condition['gate'] },
): MetricVerdict {
  const [first] = candidate.measured
  if (!first) {
    return { outcome: 'unevaluated', detail: `${candidate.id} has no metrics: evaluate it first` }
  }
  if (!active) {
    return { outcome: 'passed', detail: `first active version; ${figure(first, gate.metric)}` }
  }
  if (active.measured.length === 0) {
    return {
      outcome: 'unevaluated',
      detail: `the active ${active.id} has no metrics to compare with`,
    }
  }
  const pair = onSameImages(candidate, active)
  if (!pair) {
    return {
      outcome: 'unevaluated',
      detail: `${candidate.id} and the active ${active.id} were measured on different test sets`,
    }
  }
  const [mine, theirs] = pair
  const [a, b] = [mine[gate.metric], theirs[gate.metric]]
  if (a === null || b === null) {
    const lacking = a === null ? candidate.id : active.id
    return { outcome: 'unevaluated', detail: `${lacking} has no ${inWords(gate.metric)}` }
  }
  const compared = `${inWords(gate.metric)} ${a.toFixed(4)} against ${b.toFixed(4)} of ${active.id} on ${mine.n} images`
  // A hair of tolerance: 0.90 - 0.05 is not exactly 0.85 in binary.
  return a >= b - gate.margin - 1e-12
    ? { outcome: 'passed', detail: `${compared}, within ${gate.margin}` }
    : { outcome: 'gate', detail: `${compared}: worse by more than the margin of ${gate.margin}` }
}

/** The first figures of the candidate that the active version has too for the very same images. */
function onSameImages(candidate: Measured, active: Measured): [Metrics, Metrics] | undefined {
  for (const mine of candidate.measured) {
    const theirs = active.measured.find((one) => one.testSet === mine.testSet && one.n === mine.n)
    if (theirs) return [mine, theirs]
  }
  return undefined
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
