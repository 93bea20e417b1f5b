// Temperature scaling (Guo et al. 2017): one number that divides the logits so that probabilities mean what they say.
import type { Calibration } from '../package/schema.ts'
import {
  expectedCalibrationError,
  negativeLogLikelihood,
  type Outputs,
  probabilitiesOf,
  reliability,
} from './probabilities.ts'

const LEAST = 0.05
const MOST = 20
/** Fewer images than this say too little to correct anything. */
const MIN_IMAGES = 20
const FOLDS = 5

/**
 * The temperature of least NLL, within 0.05..20. The NLL is convex in b = 1/T, so its derivative
 * mean(sum_k p_k z_k - z_true) is bisected.
 */
export function fitTemperature(outputs: Outputs): number {
  let [low, high] = [1 / MOST, 1 / LEAST]
  if (slope(outputs, low) >= 0) return MOST
  if (slope(outputs, high) <= 0) return LEAST
  for (let step = 0; step < 80; step++) {
    const middle = (low + high) / 2
    if (slope(outputs, middle) > 0) high = middle
    else low = middle
  }
  return 2 / (low + high)
}

/** dNLL/db at b = 1/T, times the number of images. */
function slope({ kind, logits, truth }: Outputs, b: number): number {
  let sum = 0
  logits.forEach((row, index) => {
    const p = probabilitiesOf(kind, row, 1 / b)
    row.forEach((z, k) => {
      sum += z * ((p[k] as number) - (truth[index]?.[k] ?? 0))
    })
  })
  return sum
}

/**
 * Fits on the calibration split and keeps the temperature when five-fold cross-validation on it says that NLL falls on
 * images that the fit did not see; else the temperature stays 1, which says: looked at, and left as it is.
 * Null with too few images to tell.
 */
export function calibrate(outputs: Outputs): Calibration | null {
  const n = outputs.logits.length
  if (n < MIN_IMAGES) return null
  const temperature = improvesUnseen(outputs) ? fitTemperature(outputs) : 1
  return {
    method: 'temperature',
    temperature,
    eceBefore: expectedCalibrationError(reliability(outputs)),
    eceAfter: expectedCalibrationError(reliability(outputs, temperature)),
    n,
  }
}

function improvesUnseen(outputs: Outputs): boolean {
  let [before, after] = [0, 0]
  for (let fold = 0; fold < FOLDS; fold++) {
    const unseen = part(outputs, (index) => index % FOLDS === fold)
    const fitted = fitTemperature(part(outputs, (index) => index % FOLDS !== fold))
    before += negativeLogLikelihood(unseen) * unseen.logits.length
    after += negativeLogLikelihood(unseen, fitted) * unseen.logits.length
  }
  return after < before
}

function part({ kind, logits, truth }: Outputs, wanted: (index: number) => boolean): Outputs {
  return {
    kind,
    logits: logits.filter((_, index) => wanted(index)),
    truth: truth.filter((_, index) => wanted(index)),
  }
}
