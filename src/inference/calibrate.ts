// Scores to probabilities, raw and calibrated (temperature scaling, Guo et al. 2017). Pure arithmetic;
// what the numbers belong to: scores.ts. Fitting a temperature is the training room's.
import type { Calibration, ConditionKind } from '../package/schema.ts'

/** Probabilities are moved this far from 0 and 1 before a logarithm is taken. */
const CLIP = 1e-7

/** Logistic function; neither branch can overflow. */
export function sigmoid(z: number): number {
  if (z >= 0) return 1 / (1 + Math.exp(-z))
  const e = Math.exp(z)
  return e / (1 + e)
}

/** Probabilities that sum to 1; the largest score is subtracted first, so nothing overflows. */
export function softmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits)
  const powers = logits.map((z) => Math.exp(z - largest))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map((power) => power / sum)
}

/** Inverse of sigmoid, p clipped to [1e-7, 1 - 1e-7]. */
export function logitOf(p: number): number {
  const clipped = Math.min(1 - CLIP, Math.max(CLIP, p))
  return Math.log(clipped / (1 - clipped))
}

/**
 * Scores that stand in for unknown logits. Softmax: log p, right up to a constant that cancels; sigmoids: the logit
 * of p. Calibration may use them; they are never shown as the model's logits.
 */
export function logitsFromProbabilities(
  kind: ConditionKind,
  probabilities: readonly number[],
): number[] {
  if (kind === 'multi-label' || probabilities.length === 1) return probabilities.map(logitOf)
  return probabilities.map((p) => Math.log(Math.min(1, Math.max(CLIP, p))))
}

/**
 * Probabilities after dividing the logits by the temperature; null calibration means temperature 1.
 * Sigmoid for one output (binary) and for each label of a multi-label graph, else softmax over all outputs.
 */
export function calibratedProbabilities(
  kind: ConditionKind,
  o: { readonly logits: readonly number[]; readonly calibration: Calibration | null },
): number[] {
  const temperature = o.calibration?.temperature ?? 1
  const scaled = o.logits.map((z) => z / temperature)
  return kind === 'multi-label' || scaled.length === 1 ? scaled.map(sigmoid) : softmax(scaled)
}
