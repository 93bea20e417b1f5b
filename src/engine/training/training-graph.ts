// One training step as one ONNX graph: forward, loss, TF.js' own gradients, the optimizer and the moving averages.
// State goes in and comes out; keeping it between steps is training-step.ts.
import * as tf from '@tensorflow/tfjs'
import { AppError } from '../../errors.ts'
import { findHead, withoutLastActivation } from '../head.ts'
import { onlyTensor, withLayerCalls } from '../layer-calls.ts'
import type { OnnxGraph } from '../onnx/model.ts'
import { keepWhileTracing, trace } from '../tracing/trace.ts'
import { type LossKind, weightedLoss } from './loss.ts'
import { type Optimizer, type OptimizerOptions, optimizerOf } from './optimizer.ts'
import { type DropoutInput, trainingCalls } from './training-layers.ts'
import { activeLayers, type ChangingWeights, changingWeights, type NamedWeight } from './weights.ts'

export interface TrainingGraphOptions {
  readonly model: tf.LayersModel
  readonly kind: LossKind
  readonly batchSize: number
  readonly optimizer: OptimizerOptions
  readonly labelSmoothing: number
}

export interface TrainingGraph {
  readonly graph: OnnxGraph
  readonly weights: ChangingWeights
  readonly optimizer: Optimizer
  readonly dropouts: readonly DropoutInput[]
  /** [batch, height, width, channels] */
  readonly inputShape: readonly number[]
  readonly classes: number
}

/** Name of a state vector after the step. */
export const next = (name: string) => `${name}_next`

/** Name of an optimizer's vector in the graph. */
export const slotName = (slot: string) => `slot_${slot}`

/** @throws AppError `invalid` when the model cannot be trained so */
export function trainingGraph(options: TrainingGraphOptions): TrainingGraph {
  const { model, batchSize } = options
  const [, ...imageShape] = (model.inputs[0]?.shape ?? []).map((dim) => dim ?? 0)
  const inputShape = [batchSize, ...imageShape]
  const classes = model.outputs[0]?.shape.at(-1) ?? 0
  const weights = changingWeights(model)
  const optimizer = optimizerOf(options.optimizer)
  checkTrainable(model, weights)
  const size = sizeOfAll(weights.trained)
  const scalars = ['learningRate', ...Object.keys(optimizer.scalars(1))]
  const vectors = {
    trained: size,
    ...(weights.moving.length > 0 ? { moving: sizeOfAll(weights.moving) } : {}),
    ...Object.fromEntries(optimizer.slots.map((slot) => [slotName(slot), size])),
  }
  const specs = {
    x: { shape: inputShape },
    y: { shape: [batchSize, classes] },
    sampleWeights: { shape: [batchSize] },
    ...Object.fromEntries(scalars.map((name) => [name, { shape: [] }])),
    ...Object.fromEntries(Object.entries(vectors).map(([name, n]) => [name, { shape: [n] }])),
  }
  let dropouts: readonly DropoutInput[] = []
  const graph = trace(specs, (inputs) => {
    const recorded = recordStep(inputs, { ...options, weights, update: optimizer })
    dropouts = recorded.dropouts
    return recorded.outputs
  })
  return { graph, weights, optimizer, dropouts, inputShape, classes }
}

function checkTrainable(model: tf.LayersModel, weights: ChangingWeights): void {
  if (weights.trained.length === 0) {
    throw new AppError('invalid', 'Nothing would be trained: every layer of the model is frozen.')
  }
  if (findHead(model).activation === null) {
    throw new AppError(
      'invalid',
      'The model must end in a dense layer with sigmoid or softmax (or no activation) to be trained.',
    )
  }
}

export function sizeOfAll(weights: readonly NamedWeight[]): number {
  return weights.reduce((sum, { size }) => sum + size, 0)
}

type Inputs = Readonly<Record<string, tf.Tensor>>

interface StepOptions extends TrainingGraphOptions {
  readonly weights: ChangingWeights
  readonly update: Optimizer
}

interface RecordedStep {
  readonly outputs: Record<string, tf.Tensor>
  readonly dropouts: readonly DropoutInput[]
}

function recordStep(inputs: Inputs, options: StepOptions): RecordedStep {
  const { model, weights, update: optimizer } = options
  const bound = [
    ...unflattened(inputs.trained, weights.trained),
    ...unflattened(inputs.moving, weights.moving),
  ]
  return withBoundVariables(bound, () => {
    const calls = trainingCalls(activeLayers(model))
    const { loss, logits, gradients } = lossAndGradients(inputs, options, calls.visit)
    const values = existing(inputs.trained)
    const updated = optimizer.update({
      values: values as tf.Tensor1D,
      gradients,
      slots: Object.fromEntries(
        optimizer.slots.map((slot) => [slot, existing(inputs[slotName(slot)])]),
      ),
      scalars: inputs,
      learningRate: existing(inputs.learningRate),
      decay: decayOf(weights.trained, options.optimizer.weightDecay ?? 0),
    })
    const outputs: Record<string, tf.Tensor> = {
      loss,
      logits,
      [next('trained')]: updated.values,
    }
    for (const slot of optimizer.slots) {
      outputs[next(slotName(slot))] = existing(updated.slots[slot])
    }
    if (weights.moving.length > 0) {
      const moved = weights.moving.map(({ variable }) => calls.moved.get(variable) ?? variable)
      outputs[next('moving')] = flattened(moved)
    }
    return { outputs, dropouts: calls.dropouts }
  })
}

interface Gradients {
  readonly loss: tf.Tensor
  readonly logits: tf.Tensor
  /** Of all trained numbers, in their order. */
  readonly gradients: tf.Tensor1D
}

function lossAndGradients(
  inputs: Inputs,
  options: StepOptions,
  visit: Parameters<typeof withLayerCalls>[1],
): Gradients {
  const { model, weights, kind, labelSmoothing } = options
  let logits: tf.Tensor | undefined
  const { value, grads } = tf.variableGrads(
    () => {
      const scores = withoutLastActivation(findHead(model), () =>
        withLayerCalls(model, visit, () =>
          onlyTensor(model.apply(existing(inputs.x), { training: true }) as tf.Tensor),
        ),
      )
      logits = keepWhileTracing(tf.clone(scores))
      const loss = weightedLoss(
        {
          logits: scores,
          targets: existing(inputs.y),
          sampleWeights: existing(inputs.sampleWeights),
        },
        { kind, labelSmoothing },
      )
      return model.calculateLosses().reduce<tf.Scalar>((sum, penalty) => tf.add(sum, penalty), loss)
    },
    weights.trained.map(({ variable }) => variable),
  )
  const gradients = weights.trained.map(
    ({ variable }) => grads[variable.name] ?? tf.zerosLike(variable),
  )
  return { loss: value, logits: existing(logits), gradients: flattened(gradients) }
}

function flattened(tensors: readonly tf.Tensor[]): tf.Tensor1D {
  return tf.concat1d(tensors.map((tensor) => tf.reshape(tensor, [-1]) as tf.Tensor1D))
}

type Binding = readonly [variable: tf.Variable, tensor: tf.Tensor]

/** The parts of a flat vector, shaped as the weights that they are. */
function unflattened(vector: tf.Tensor | undefined, weights: readonly NamedWeight[]): Binding[] {
  if (!vector || weights.length === 0) return []
  const parts = tf.split(
    vector,
    weights.map(({ size }) => size),
  )
  return weights.map(({ variable, shape }, i) => [
    variable,
    tf.reshape(existing(parts[i]), [...shape]),
  ])
}

/** Runs `use` while variables stand for traced values; they have their numbers again afterwards. */
function withBoundVariables<T>(bindings: readonly Binding[], use: () => T): T {
  const before = bindings.map(([variable]) => tf.keep(tf.clone(variable)))
  for (const [variable, tensor] of bindings) variable.assign(tensor)
  try {
    return use()
  } finally {
    bindings.forEach(([variable], i) => {
      const kept = existing(before[i])
      variable.assign(kept)
      kept.dispose()
    })
  }
}

/** Decay of each trained number: only kernels, that is weights of rank 2 and more, shrink. */
function decayOf(weights: readonly NamedWeight[], weightDecay: number): tf.Tensor1D | undefined {
  if (weightDecay === 0) return undefined
  return tf.concat1d(
    weights.map(({ shape, size }) => tf.fill([size], shape.length >= 2 ? weightDecay : 0)),
  )
}

function existing<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a tensor of the training graph is missing')
  return value
}
