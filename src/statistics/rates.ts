// Counts of right and wrong -> the rates that a reader of a test knows, each with its Wilson 95% interval.
import { wilsonInterval } from './wilson.ts'

export interface Counts {
  readonly tp: number
  readonly fp: number
  readonly tn: number
  readonly fn: number
}

/** A share with its uncertainty; `value` is null for 0/0. */
export interface Rate {
  readonly value: number | null
  readonly interval: readonly [number, number] | null
  readonly n: number
}

/** Wilson's score interval (1927). */
export function rate(successes: number, n: number): Rate {
  if (n === 0) return { value: null, interval: null, n }
  return { value: successes / n, interval: wilsonInterval(successes, n), n }
}

export function countOutcomes(predicted: readonly boolean[], truth: readonly boolean[]): Counts {
  const count = (said: boolean, is: boolean): number =>
    truth.filter((one, index) => one === is && predicted[index] === said).length
  return {
    tp: count(true, true),
    fp: count(true, false),
    tn: count(false, false),
    fn: count(false, true),
  }
}

export interface BinaryRates {
  readonly counts: Counts
  readonly accuracy: Rate
  readonly sensitivity: Rate
  readonly specificity: Rate
  readonly ppv: Rate
  readonly npv: Rate
  readonly balancedAccuracy: number | null
  readonly f1: number | null
  /** Matthews' correlation coefficient, -1..1. */
  readonly mcc: number | null
}

export function binaryRates(counts: Counts): BinaryRates {
  const { tp, fp, tn, fn } = counts
  const sensitivity = rate(tp, tp + fn)
  const specificity = rate(tn, tn + fp)
  const root = Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
  return {
    counts,
    accuracy: rate(tp + tn, tp + fp + tn + fn),
    sensitivity,
    specificity,
    ppv: rate(tp, tp + fp),
    npv: rate(tn, tn + fn),
    balancedAccuracy:
      sensitivity.value === null || specificity.value === null
        ? null
        : (sensitivity.value + specificity.value) / 2,
    f1: quotient(2 * tp, 2 * tp + fp + fn),
    mcc: quotient(tp * tn - fp * fn, root),
  }
}

/** 0/0 is unknown, not 0. */
export function quotient(over: number, under: number): number | null {
  return under === 0 ? null : over / under
}

/** PPV and NPV at another prevalence than the test set's (Bayes). */
export function predictiveValues(
  { sensitivity, specificity }: { readonly sensitivity: number; readonly specificity: number },
  prevalence: number,
): { readonly ppv: number | null; readonly npv: number | null } {
  const [sick, well] = [prevalence, 1 - prevalence]
  return {
    ppv: quotient(sensitivity * sick, sensitivity * sick + (1 - specificity) * well),
    npv: quotient(specificity * well, specificity * well + (1 - sensitivity) * sick),
  }
}

/** Exact two-sided McNemar test of two classifiers on the same images: b only the first is right, c only the second. */
export function mcnemarExact(b: number, c: number): number {
  const n = b + c
  let term = 0.5 ** n
  let sum = 0
  for (let k = 0; k <= Math.min(b, c); k++) {
    sum += term
    term *= (n - k) / (k + 1)
  }
  return Math.min(1, 2 * sum)
}
