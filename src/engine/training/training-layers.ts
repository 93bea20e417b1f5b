// What layers do differently in training: batch normalisation by the batch, dropout by masks that are fed, and the refusal of
// layers that would draw random numbers while the graph is recorded.
import * as tf from '@tensorflow/tfjs'
import { AppError } from '../../errors.ts'
import { uniforms } from '../counter-random.ts'
import { type Layer, type LayerCall, onlyTensor } from '../layer-calls.ts'
import { addInput, keepWhileTracing } from '../tracing/trace.ts'
import { batchNormOfBatch } from './batch-norm.ts'
import { isBatchNorm } from './weights.ts'

/** A dropout layer of the graph: the input that takes its mask. */
export interface DropoutInput {
  readonly name: string
  readonly shape: readonly number[]
  readonly rate: number
}

export interface TrainingCalls {
  readonly visit: (call: LayerCall) => tf.Tensor | tf.Tensor[]
  readonly dropouts: readonly DropoutInput[]
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
export function trainingCalls(active: ReadonlySet<Layer>): TrainingCalls {
  const dropouts: DropoutInput[] = []
  const moved = new Map<tf.Variable, tf.Tensor>()
  const visit = (call: LayerCall) => {
    const { layer } = call
    const name = layer.getClassName()
    if (!active.has(layer)) return call.proceed({ training: false })
    if (isBatchNorm(layer)) return batchNorm(layer, onlyTensor(call.inputs), moved)
    if (name === 'Dropout' || name === 'SpatialDropout1D') {
      return dropout(layer, onlyTensor(call.inputs), dropouts)
    }
    if (RANDOM_LAYERS.has(name)) {
      throw new AppError(
        'invalid',
        `The layer "${layer.name}" (${name}) draws random numbers of its own, which training does not support; use Dropout instead.`,
      )
    }
    return call.proceed({ training: true })
  }
  return { visit, dropouts, moved }
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

function batchNorm(layer: Layer, x: tf.Tensor, moved: Map<tf.Variable, tf.Tensor>): tf.Tensor {
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
    moved.set(val, keepWhileTracing(tf.sub(before, step)))
  }
  return output
}

interface DropoutLayer {
  readonly rate: number
  getNoiseShape(input: tf.Tensor): number[] | null | undefined
}

function dropout(layer: Layer, x: tf.Tensor, dropouts: DropoutInput[]): tf.Tensor {
  const { rate } = layer as unknown as DropoutLayer
  if (rate <= 0 || rate >= 1) return tf.clone(x)
  const shape = (layer as unknown as DropoutLayer).getNoiseShape(x) ?? x.shape
  const name = `dropout_${dropouts.length}`
  dropouts.push({ name, shape, rate })
  return tf.mul(x, addInput(name, shape))
}

/** The mask of a dropout layer at a step: 0 with probability `rate`, else 1 / (1 - rate). */
export function dropoutMask(
  input: DropoutInput,
  seed: number,
  counters: readonly number[],
): Float32Array {
  const size = input.shape.reduce((product, dim) => product * dim, 1)
  const kept = 1 / (1 - input.rate)
  return uniforms(size, seed, ...counters).map((draw) => (draw < input.rate ? 0 : kept))
}
