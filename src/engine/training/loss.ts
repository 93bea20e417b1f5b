// The loss of a batch from its logits, written in TF.js ops so that TF.js differentiates it.
import * as tf from '@tensorflow/tfjs'

/** As a condition's kind: one sigmoid, softmax over classes, or several independent sigmoids. */
export type LossKind = 'binary' | 'single-label' | 'multi-label'

export interface LossOptions {
  readonly kind: LossKind
  /** Share of the target that is spread evenly over the classes (Szegedy et al. 2016), 0..1. */
  readonly labelSmoothing: number
}

export interface LossInputs {
  readonly logits: tf.Tensor // [batch, classes]
  readonly targets: tf.Tensor // [batch, classes]
  readonly sampleWeights: tf.Tensor // [batch]; [batch, classes] for multi-label
}

/**
 * sum(weight * loss) / sum(weight) over the images, for multi-label over every label of every image; a weight of 0 leaves it
 * out.
 */
export function weightedLoss(inputs: LossInputs, options: LossOptions): tf.Scalar {
  const { logits, targets, sampleWeights } = inputs
  const classes = logits.shape[1] ?? 1
  const isSoftmax = options.kind === 'single-label'
  const rest = options.labelSmoothing / (isSoftmax ? classes : 2)
  const smoothed =
    options.labelSmoothing === 0
      ? targets
      : tf.add(tf.mul(targets, 1 - options.labelSmoothing), rest)
  const losses = isSoftmax
    ? tf.neg(tf.sum(tf.mul(smoothed, tf.logSoftmax(logits)), 1))
    : options.kind === 'multi-label'
      ? sigmoidCrossEntropy(logits, smoothed)
      : tf.mean(sigmoidCrossEntropy(logits, smoothed), 1)
  const total = tf.sum(tf.mul(losses, sampleWeights))
  return tf.div(total, tf.maximum(tf.sum(sampleWeights), 1e-7)).asScalar()
}

/** softplus(z) - z y: stable for any z, and differentiable at 0, where the usual max(z, 0) form is not. */
function sigmoidCrossEntropy(logits: tf.Tensor, targets: tf.Tensor): tf.Tensor {
  return tf.sub(tf.softplus(logits), tf.mul(logits, targets))
}
