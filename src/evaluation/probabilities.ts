// Logits -> probabilities for each kind of condition, and how far those are from the truth: NLL, calibration error, Brier.
import { sigmoid, softmax } from '../inference/calibrate.ts'
import type { ConditionKind } from '../package/schema.ts'
import { mean } from '../statistics/placements.ts'

/**
 * Logits of images with what is true of them. For `binary` a row holds one logit (of the positive class) and the
 * truth is [1] or [0]; else a row holds K logits and the truth K zeros and ones.
 */
export interface Outputs {
  readonly kind: ConditionKind
  readonly logits: readonly (readonly number[])[]
  readonly truth: readonly (readonly number[])[]
}

/** Softmax of the row for single-label, else a sigmoid of each logit; logits divided by the temperature first. */
export function probabilitiesOf(
  kind: ConditionKind,
  logits: readonly number[],
  temperature = 1,
): number[] {
  const scaled = logits.map((z) => z / temperature)
  return kind === 'single-label' ? softmax(scaled) : scaled.map(sigmoid)
}

/** Mean negative log-likelihood at a temperature; for sigmoids the mean over labels too. Computed from logits, so never infinite. */
export function negativeLogLikelihood({ kind, logits, truth }: Outputs, temperature = 1): number {
  const losses = logits.map((row, index) => {
    const is = truth[index] as readonly number[]
    const scaled = row.map((z) => z / temperature)
    if (kind === 'single-label') {
      const most = Math.max(...scaled)
      const sum = scaled.reduce((total, z) => total + Math.exp(z - most), 0)
      return most + Math.log(sum) - scaled.reduce((total, z, k) => total + z * (is[k] ?? 0), 0)
    }
    return mean(scaled.map((z, k) => softplus(z) - z * (is[k] ?? 0)))
  })
  return mean(losses)
}

function softplus(z: number): number {
  return Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)))
}

/** A bin of a reliability diagram: predicted against observed. */
export interface ReliabilityBin {
  readonly from: number
  readonly to: number
  readonly count: number
  readonly predicted: number | null
  readonly observed: number | null
}

/** Which of the equal-width bins, open to the left, a probability falls in. */
export function binOf(p: number, bins: number): number {
  return Math.max(0, Math.ceil(p * bins) - 1)
}

/** Equal-width bins, open to the left (Guo et al. 2017); a probability of exactly 0 falls in the first. */
export function reliabilityBins(
  predicted: readonly number[],
  happened: readonly boolean[],
  bins: number,
): ReliabilityBin[] {
  const placed = predicted.map((p) => binOf(p, bins))
  return Array.from({ length: bins }, (_, bin) => {
    const members = [...predicted.keys()].filter((index) => placed[index] === bin)
    const count = members.length
    return {
      from: bin / bins,
      to: (bin + 1) / bins,
      count,
      predicted: count === 0 ? null : mean(members.map((index) => predicted[index] as number)),
      observed: count === 0 ? null : members.filter((index) => happened[index]).length / count,
    }
  })
}

/** Weighted mean gap of the bins, 0..1. */
export function expectedCalibrationError(bins: readonly ReliabilityBin[]): number {
  const n = bins.reduce((sum, { count }) => sum + count, 0)
  return bins.reduce((sum, { count, predicted, observed }) => {
    return sum + (count / n) * Math.abs((observed ?? 0) - (predicted ?? 0))
  }, 0)
}

/** A probability that was given, and whether it came true. */
export interface Forecast {
  /** Index of its image. */
  readonly image: number
  readonly predicted: number
  readonly happened: boolean
}

/**
 * What a reader sees as "the probability": of the positive class for sigmoids (all labels pooled), of the top class for
 * softmax.
 */
export function forecastsOf({ kind, logits, truth }: Outputs, temperature = 1): Forecast[] {
  return logits.flatMap((row, image) => {
    const p = probabilitiesOf(kind, row, temperature)
    const is = truth[image] as readonly number[]
    const top = p.indexOf(Math.max(...p))
    return p
      .map((predicted, k) => ({ image, predicted, happened: is[k] === 1 }))
      .filter((_, k) => kind !== 'single-label' || k === top)
  })
}

/** With fewer than 1000 images 10 bins, else 15, for the error is biased upwards in small samples. */
export function binCount(images: number): number {
  return images < 1000 ? 10 : 15
}

export function reliability(outputs: Outputs, temperature = 1): ReliabilityBin[] {
  const forecasts = forecastsOf(outputs, temperature)
  return reliabilityBins(
    forecasts.map((one) => one.predicted),
    forecasts.map((one) => one.happened),
    binCount(outputs.logits.length),
  )
}

/** Mean squared distance; binary 0..1, single-label the sum over classes (0..2), multi-label the mean over labels. */
export function brierScore(outputs: Outputs, temperature = 1): number {
  return mean(squaredDistances(outputs, temperature))
}

/** The Brier score's part of each image. */
export function squaredDistances({ kind, logits, truth }: Outputs, temperature = 1): number[] {
  return logits.map((row, index) => {
    const p = probabilitiesOf(kind, row, temperature)
    const squares = p.map((value, k) => (value - (truth[index]?.[k] ?? 0)) ** 2)
    const sum = squares.reduce((a, b) => a + b, 0)
    return kind === 'single-label' ? sum : sum / squares.length
  })
}
