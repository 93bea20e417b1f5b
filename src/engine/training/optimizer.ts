// Optimizers over one flat vector of all trained numbers: a dozen nodes in the graph instead of a dozen for each weight,
// which is what makes a session for a deep network quick to create.
import * as tf from '@tensorflow/tfjs'

export interface AdamOptions {
  readonly name: 'adam'
  readonly beta1?: number
  readonly beta2?: number
  readonly epsilon?: number
  /** Decoupled (Loshchilov and Hutter 2019), times the learning rate; only on kernels, not on biases or batch norm. */
  readonly weightDecay?: number
}

export interface SgdOptions {
  readonly name: 'sgd'
  readonly momentum?: number
  readonly weightDecay?: number
}

export type OptimizerOptions = AdamOptions | SgdOptions

export interface Optimizer {
  /** Names of its vectors, each as long as the trained numbers, zero at first. */
  readonly slots: readonly string[]
  /** Scalars that depend on the step (1 for the first), computed in double precision outside the graph. */
  scalars(step: number): Readonly<Record<string, number>>
  update(inputs: UpdateInputs): UpdateResult
}

export interface UpdateInputs {
  readonly values: tf.Tensor1D
  readonly gradients: tf.Tensor1D
  readonly slots: Readonly<Record<string, tf.Tensor>>
  readonly scalars: Readonly<Record<string, tf.Tensor>>
  readonly learningRate: tf.Tensor
  /** Weight decay of each number. */
  readonly decay: tf.Tensor1D | undefined
}

export interface UpdateResult {
  readonly values: tf.Tensor
  readonly slots: Readonly<Record<string, tf.Tensor>>
}

export function optimizerOf(options: OptimizerOptions): Optimizer {
  return options.name === 'adam' ? adam(options) : sgd(options)
}

/** Kingma and Ba 2015, with the defaults of Keras and TF.js. */
function adam({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 }: AdamOptions): Optimizer {
  return {
    slots: ['m', 'v'],
    scalars: (step) => ({
      correction1: 1 / (1 - beta1 ** step),
      correction2: 1 / (1 - beta2 ** step),
    }),
    update({ values, gradients, slots, scalars, learningRate, decay }) {
      const m = tf.add(tf.mul(given(slots, 'm'), beta1), tf.mul(gradients, 1 - beta1))
      const squares = tf.mul(tf.square(gradients), 1 - beta2)
      const v = tf.add(tf.mul(given(slots, 'v'), beta2), squares)
      const deviation = tf.sqrt(tf.mul(v, given(scalars, 'correction2')))
      const direction = tf.div(tf.mul(m, given(scalars, 'correction1')), tf.add(deviation, epsilon))
      return { values: moved(values, direction, { learningRate, decay }), slots: { m, v } }
    },
  }
}

/** Stochastic gradient descent; momentum as in Keras and PyTorch without dampening: u = momentum u + g. */
function sgd({ momentum = 0 }: SgdOptions): Optimizer {
  return {
    slots: momentum > 0 ? ['momentum'] : [],
    scalars: () => ({}),
    update({ values, gradients, slots, learningRate, decay }) {
      const direction =
        momentum > 0 ? tf.add(tf.mul(given(slots, 'momentum'), momentum), gradients) : gradients
      return {
        values: moved(values, direction, { learningRate, decay }),
        slots: momentum > 0 ? { momentum: direction } : {},
      }
    },
  }
}

/** values - learningRate * (direction + decay * values) */
function moved(
  values: tf.Tensor,
  direction: tf.Tensor,
  { learningRate, decay }: Pick<UpdateInputs, 'learningRate' | 'decay'>,
): tf.Tensor {
  const whole = decay ? tf.add(direction, tf.mul(values, decay)) : direction
  return tf.sub(values, tf.mul(whole, learningRate))
}

function given(tensors: Readonly<Record<string, tf.Tensor>>, name: string): tf.Tensor {
  const tensor = tensors[name]
  if (!tensor) throw new Error(`the optimizer's input ${name} is missing`)
  return tensor
}
