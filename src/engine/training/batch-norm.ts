// Batch normalisation over the statistics of a batch, with its gradient in closed form: fewer passes over the batch and
// less memory than differentiating through mean and variance.
import * as tf from '@tensorflow/tfjs'

export interface BatchNormOptions {
  readonly gamma: tf.Tensor // [channels]
  readonly beta: tf.Tensor // [channels]
  readonly epsilon: number
}

export interface BatchNormResult {
  readonly output: tf.Tensor
  readonly mean: tf.Tensor
  /** Of the batch, not corrected for bias, as Keras has it. */
  readonly variance: tf.Tensor
}

type Save = tf.GradSaveFunc

/**
 * x [..., channels]. Ioffe and Szegedy 2015. With r = 1 / sqrt(variance + epsilon) and xhat = (x - mean) r:
 * dgamma = sum(dy xhat), dbeta = sum(dy), dx = gamma r (dy - mean(dy) - xhat mean(dy xhat)).
 */
export function batchNormOfBatch(x: tf.Tensor, options: BatchNormOptions): BatchNormResult {
  const { epsilon } = options
  const axes = x.shape.slice(0, -1).map((_, axis) => axis)
  const mean = tf.mean(x, axes) as tf.Tensor1D
  const variance = tf.mean(tf.square(tf.sub(x, mean)), axes) as tf.Tensor1D
  const normalise = tf.customGrad((...args) => {
    const [values, scale, shift, save] = args as [tf.Tensor, tf.Tensor1D, tf.Tensor1D, Save]
    save([values, scale, mean, variance])
    return {
      value: tf.batchNorm(values, mean, variance, shift, scale, epsilon),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => gradients(dy, saved, epsilon),
    }
  })
  return { output: normalise(x, options.gamma, options.beta), mean, variance }
}

function gradients(dy: tf.Tensor, saved: tf.Tensor[], epsilon: number): tf.Tensor[] {
  const [x, gamma, mean, variance] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]
  const axes = x.shape.slice(0, -1).map((_, axis) => axis)
  const count = x.size / gamma.size
  const r = tf.rsqrt(tf.add(variance, epsilon))
  const dbeta = tf.sum(dy, axes)
  const dgamma = tf.mul(tf.sub(tf.sum(tf.mul(dy, x), axes), tf.mul(mean, dbeta)), r)
  // dx = a dy + b x + c with one number of each a channel: two passes, no temporary of xhat
  const a = tf.mul(gamma, r)
  const b = tf.neg(tf.div(tf.mul(tf.mul(a, r), dgamma), count))
  const c = tf.neg(tf.add(tf.div(tf.mul(a, dbeta), count), tf.mul(b, mean)))
  return [tf.add(affine(dy, a, c), affine(x, b, tf.zerosLike(b))), dgamma, dbeta]
}

/** scale x + shift for each channel, as a batch normalisation with mean 0 and variance 1: one node. */
function affine(x: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor): tf.Tensor {
  const zeros = tf.zerosLike(scale) as tf.Tensor1D
  const ones = tf.onesLike(scale) as tf.Tensor1D
  return tf.batchNorm(x, zeros, ones, shift as tf.Tensor1D, scale as tf.Tensor1D, 0)
}
