// Whether a graph in eight bits may be offered: decided on 95% intervals of paired differences on the test images, not on
// the two figures. Pure.
import { saidByClass, type TestAnswer, truthByClass } from '../../evaluation/answers.ts'
import type { Outputs } from '../../evaluation/probabilities.ts'
import type { ClassLabel } from '../../package/schema.ts'
import {
  type Difference,
  meanDifference,
  pairedDifference,
} from '../../statistics/non-inferiority.ts'

/** Half a percentage point may be lost, no more. */
export const MAX_LOST = 0.005
/** A t interval of fewer differences is not to be trusted, as they are far from normal. */
export const MIN_IMAGES = 20

export interface JudgedPair {
  readonly classes: readonly ClassLabel[]
  readonly kind: Outputs['kind']
  readonly truth: Outputs['truth']
  /** On the same images in the same order, each form at its own calibration and operating point. */
  readonly float32: readonly TestAnswer[]
  readonly int8: readonly TestAnswer[]
}

export interface Int8Verdict {
  readonly offered: boolean
  readonly reason: string
  readonly decidedBy: 'accuracy' | 'probability' | 'too few images'
  readonly images: number
  /** int8 minus float32, fractions. */
  readonly accuracy: Difference
  /** Of the probability of what is true; null with fewer than two images. */
  readonly probability: Difference | null
}

/**
 * Accuracy decides where its interval lies on one side of the loss that is allowed: that takes about 400 images without any
 * disagreement. With fewer the probability of what is true decides, which needs far fewer images to be bounded as closely;
 * accuracy must then not have lost more than is allowed as seen. With fewer than `MIN_IMAGES` nothing is offered.
 */
export function judgeInt8(pair: JudgedPair): Int8Verdict {
  const { truth, classes } = pair
  const images = truth.length
  const is = truth.map((row) => truthByClass(row, classes))
  const rights = [pair.float32, pair.int8].map((answers) =>
    answers.map((answer, at) => saidByClass(answer, pair).every((said, k) => said === is[at]?.[k])),
  )
  const [float = [], small = []] = rights
  const b = float.filter((right, at) => right && !small[at]).length
  const c = small.filter((right, at) => right && !float[at]).length
  const accuracy = pairedDifference({ n: images, b, c })
  const differences = is.map(
    (row, at) =>
      truthProbability(pair.kind, pair.int8[at], row) -
      truthProbability(pair.kind, pair.float32[at], row),
  )
  const probability = meanDifference(differences) ?? null
  const measured = { images, accuracy, probability }
  const share = (right: readonly boolean[]) => percent(right.filter(Boolean).length / images)
  const figures =
    images === 0
      ? 'there are no test images to compare it on'
      : `accuracy on the test split ${share(small)} in int8, ${share(float)} in float32 (difference ${inWords(accuracy, 1)})`
  const allowed = `${(100 * MAX_LOST).toFixed(1)} points`
  if (images < MIN_IMAGES || !probability) {
    const reason = `${figures}: at least ${MIN_IMAGES} test images are needed to compare them`
    return { offered: false, reason, decidedBy: 'too few images', ...measured }
  }
  if (accuracy.lower >= -MAX_LOST) {
    const reason = `${figures}: no more than ${allowed} lost`
    return { offered: true, reason, decidedBy: 'accuracy', ...measured }
  }
  if (accuracy.upper < -MAX_LOST) {
    const reason = `${figures}: more than ${allowed} lost`
    return { offered: false, reason, decidedBy: 'accuracy', ...measured }
  }
  const seenLoss = accuracy.seen < -MAX_LOST - 1e-12
  const offered = !seenLoss && probability.lower >= -MAX_LOST
  const why = seenLoss
    ? `and the loss as seen is more than ${allowed}`
    : `mean difference of the probability of the true class ${inWords(probability, 2)}, ${offered ? 'no more' : 'possibly more'} than ${allowed} lost`
  const reason = `${figures}; ${images} images are too few to bound the accuracy within ${allowed}, ${why}`
  return { offered, reason, decidedBy: 'probability', ...measured }
}

/**
 * Before calibration: a temperature fitted to few images can press all probabilities to 0 and 1, where nothing differs any
 * more. Mean over the labels for multi-label, where each has a probability of its own.
 */
function truthProbability(
  kind: JudgedPair['kind'],
  answer: TestAnswer | undefined,
  is: readonly boolean[],
): number {
  const probabilities = answer?.scores.map(({ uncalibrated }) => uncalibrated) ?? []
  if (kind !== 'multi-label') return probabilities[is.indexOf(true)] ?? 0
  const each = probabilities.map((p, k) => (is[k] ? p : 1 - p))
  return each.reduce((sum, p) => sum + p, 0) / Math.max(1, each.length)
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)}%`
}

/** "-0.3 points, 95% interval -1.2 to 0.6". */
function inWords({ seen, lower, upper }: Difference, digits: number): string {
  const points = (one: number): string => (100 * one).toFixed(digits)
  return `${points(seen)} points, 95% interval ${points(lower)} to ${points(upper)}`
}
