// What layers do differently in training: batch normalisation by the batch, dropout by masks that are fed, and the refusal of
// layers that would draw random numbers of their own, which a recorded graph would repeat for ever.
import * as tf from '@tensorflow/tfjs'
import { AppError } from '../../errors.ts'
import { type Layer, type LayerCall, onlyTensor } from '../layer-calls.ts'
import { uniforms } from '../random/counter-random.ts'
import { batchNormOfBatch } from './batch-norm.ts'
import { isBatchNorm } from './weights.ts'

/** A dropout layer of the step: the input that takes its mask. */
export interface DropoutInput {
  readonly name: string
  /** Its place among the dropout layers, from 0. */
  readonly place: number
  readonly shape: readonly number[]
  readonly rate: number
}

/** What a step needs of whoever computes it. */
export interface StepTools {
  /** Keeps a tensor beyond TF.js' scopes, to the end of the step. */
  readonly keep: <T extends tf.Tensor>(tensor: T) => T
  /** The mask of a dropout layer, see `dropoutMask`. */
  readonly mask: (dropout: DropoutInput) => tf.Tensor
}

export interface TrainingCalls {
  readonly visit: (call: LayerCall) => tf.Tensor | tf.Tensor[]
  /** New values of moving means and variances, by variable. */
  readonly moved: ReadonlyMap<tf.Variable, tf.Tensor>
}

const RANDOM_LAYERS = new Set([
  'GaussianNoise',
  'GaussianDropout',
  'AlphaDropout',
  'RandomWidth',
  'RandomHeight',
])

/** For `withLayerCalls`. Layers outside `active` are frozen: they do what they do at inference. */
export function trainingCalls(active: ReadonlySet<Layer>, tools: StepTools): TrainingCalls {
  const moved = new Map<tf.Variable, tf.Tensor>()
  let dropouts = 0
  const visit = (call: LayerCall) => {
    const { layer } = call
    const name = layer.getClassName()
    if (!active.has(layer)) return call.proceed({ training: false })
    if (isBatchNorm(layer)) return batchNorm(layer, onlyTensor(call.inputs), { moved, tools })
    if (name === 'Dropout' || name === 'SpatialDropout1D') {
      const x = onlyTensor(call.inputs)
      const place = dropouts
      const input = dropoutInput(layer, { x, place })
      if (!input) return tf.clone(x)
      dropouts += 1
      return tf.mul(x, tools.mask(input))
    }
    if (RANDOM_LAYERS.has(name)) {
      throw new AppError(
        'invalid',
        `The layer "${layer.name}" (${name}) draws random numbers of its own, which training does not support; use Dropout instead.`,
      )
    }
    return call.proceed({ training: true })
  }
  return { visit, moved }
}

interface BatchNormLayer {
  readonly axis: number
  readonly epsilon: number
  readonly momentum: number
  readonly gamma: { val: tf.Variable } | null
  readonly beta: { val: tf.Variable } | null
  readonly movingMean: { val: tf.Variable }
  readonly movingVariance: { val: tf.Variable }
}

function batchNorm(
  layer: Layer,
  x: tf.Tensor,
  { moved, tools }: { moved: Map<tf.Variable, tf.Tensor>; tools: StepTools },
): tf.Tensor {
  const norm = layer as unknown as BatchNormLayer
  const channels = x.shape.at(-1) ?? 1
  if (norm.axis !== -1 && norm.axis !== x.rank - 1) {
    throw new AppError(
      'invalid',
      `The layer "${layer.name}" must normalise the last axis to be trained.`,
    )
  }
  const { output, mean, variance } = batchNormOfBatch(x, {
    gamma: norm.gamma?.val ?? tf.ones([channels]),
    beta: norm.beta?.val ?? tf.zeros([channels]),
    epsilon: norm.epsilon,
  })
  for (const [{ val }, value] of [
    [norm.movingMean, mean],
    [norm.movingVariance, variance],
  ] as const) {
    const before = moved.get(val) ?? val
    const step = tf.mul(tf.sub(before, value), 1 - norm.momentum)
    moved.set(val, tools.keep(tf.sub(before, step)))
  }
  return output
}

interface DropoutLayer {
  readonly rate: number
  getNoiseShape(input: tf.Tensor): number[] | null | undefined
}

/** Undefined for a layer that drops nothing. */
function dropoutInput(
  layer: Layer,
  { x, place }: { readonly x: tf.Tensor; readonly place: number },
): DropoutInput | undefined {
  const { rate } = layer as unknown as DropoutLayer
  if (rate <= 0 || rate >= 1) return undefined
  const shape = (layer as unknown as DropoutLayer).getNoiseShape(x) ?? x.shape
  return { name: `dropout_${place}`, place, shape, rate }
}

/** The mask of a dropout layer at a step (from 0): 0 with probability `rate`, else 1 / (1 - rate). */
export function dropoutMask(
  input: DropoutInput,
  { seed, step }: { readonly seed: number; readonly step: number },
): Float32Array {
  const size = input.shape.reduce((product, dim) => product * dim, 1)
  const kept = 1 / (1 - input.rate)
  return uniforms(size, seed, step, input.place).map((draw) => (draw < input.rate ? 0 : kept))
}
