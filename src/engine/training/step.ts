// What one training step computes: forward, loss, TF.js' own gradients, the optimizer and the moving averages, on whatever
// backend its tensors are. training-graph.ts records it; native/native-training-step.ts runs it as it is.
import * as tf from '@tensorflow/tfjs'
import { AppError } from '../../errors.ts'
import { applyToFeatures, type FrozenPrefix } from '../frozen-prefix.ts'
import { findHead, withoutLastActivation } from '../head.ts'
import { onlyTensor, withLayerCalls } from '../layer-calls.ts'
import { type LossKind, weightedLoss } from './loss.ts'
import { type Optimizer, type OptimizerOptions, optimizerOf } from './optimizer.ts'
import { type StepTools, type TrainingCalls, trainingCalls } from './training-layers.ts'
import { activeLayers, type ChangingWeights, changingWeights, type NamedWeight } from './weights.ts'

export interface StepOptions {
  readonly model: tf.LayersModel
  readonly kind: LossKind
  readonly batchSize: number
  readonly optimizer: OptimizerOptions
  readonly labelSmoothing: number
  /** Given, the step takes features of this frozen beginning instead of images. */
  readonly prefix?: FrozenPrefix
}

/** What is known of a step before it is computed. */
export interface StepPlan extends Omit<StepOptions, 'optimizer'> {
  readonly weights: ChangingWeights
  readonly optimizer: Optimizer
  readonly weightDecay: number
  /** [batch, height, width, channels], or [batch, features] */
  readonly inputShape: readonly number[]
  readonly classes: number
  /** Length of each vector that goes round: trained, moving and the optimizer's slots. */
  readonly vectors: Readonly<Record<string, number>>
}

/** Name of a state vector after the step. */
export const next = (name: string) => `${name}_next`

/** Name of an optimizer's vector among the inputs. */
export const slotName = (slot: string) => `slot_${slot}`

/** @throws AppError `invalid` when the model cannot be trained so */
export function planStep(options: StepOptions): StepPlan {
  const { model, batchSize } = options
  const [, ...imageShape] = (model.inputs[0]?.shape ?? []).map((dim) => dim ?? 0)
  const weights = changingWeights(model)
  const optimizer = optimizerOf(options.optimizer)
  checkTrainable(model, weights)
  const size = sizeOfAll(weights.trained)
  return {
    ...options,
    weights,
    optimizer,
    weightDecay: options.optimizer.weightDecay ?? 0,
    inputShape: [batchSize, ...(options.prefix ? [options.prefix.size] : imageShape)],
    classes: model.outputs[0]?.shape.at(-1) ?? 0,
    vectors: {
      trained: size,
      ...(weights.moving.length > 0 ? { moving: sizeOfAll(weights.moving) } : {}),
      ...Object.fromEntries(optimizer.slots.map((slot) => [slotName(slot), size])),
    },
  }
}

/** Every input of the step and its shape. */
export function inputShapes(plan: StepPlan): Record<string, readonly number[]> {
  const { batchSize, inputShape, classes, optimizer, vectors } = plan
  const scalars = ['learningRate', ...Object.keys(optimizer.scalars(1))]
  return {
    x: inputShape,
    y: [batchSize, classes],
    sampleWeights: weightShape(plan),
    ...Object.fromEntries(scalars.map((name) => [name, []])),
    ...Object.fromEntries(Object.entries(vectors).map(([name, length]) => [name, [length]])),
  }
}

/** Each label of a multi-label image has a weight of its own. */
export function weightShape({ kind, batchSize, classes }: StepPlan): number[] {
  return kind === 'multi-label' ? [batchSize, classes] : [batchSize]
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

type Tensors = Readonly<Record<string, tf.Tensor>>

/** Takes a tensor for each of `inputShapes` and gives `loss`, `logits` and each vector after the step. */
export function computeStep(
  plan: StepPlan,
  inputs: Tensors,
  tools: StepTools,
): Record<string, tf.Tensor> {
  const { model, weights, optimizer } = plan
  const bound = [
    ...unflattened(inputs.trained, weights.trained),
    ...unflattened(inputs.moving, weights.moving),
  ]
  return withBoundVariables(bound, () => {
    const calls = trainingCalls(activeLayers(model), tools)
    const { loss, logits, gradients } = lossAndGradients(plan, inputs, { calls, tools })
    const updated = optimizer.update({
      values: existing(inputs.trained) as tf.Tensor1D,
      gradients,
      slots: Object.fromEntries(
        optimizer.slots.map((slot) => [slot, existing(inputs[slotName(slot)])]),
      ),
      scalars: inputs,
      learningRate: existing(inputs.learningRate),
      decay: decayOf(weights.trained, plan.weightDecay),
    })
    const outputs: Record<string, tf.Tensor> = { loss, logits, [next('trained')]: updated.values }
    for (const slot of optimizer.slots) {
      outputs[next(slotName(slot))] = existing(updated.slots[slot])
    }
    if (weights.moving.length > 0) {
      const moved = weights.moving.map(({ variable }) => calls.moved.get(variable) ?? variable)
      outputs[next('moving')] = flattened(moved)
    }
    return outputs
  })
}

interface Gradients {
  readonly loss: tf.Tensor
  readonly logits: tf.Tensor
  /** Of all trained numbers, in their order. */
  readonly gradients: tf.Tensor1D
}

function lossAndGradients(
  { model, weights, kind, labelSmoothing, prefix }: StepPlan,
  inputs: Tensors,
  { calls, tools }: { readonly calls: TrainingCalls; readonly tools: StepTools },
): Gradients {
  let logits: tf.Tensor | undefined
  const { value, grads } = tf.variableGrads(
    () => {
      const x = existing(inputs.x)
      const { visit } = calls
      const scores = withoutLastActivation(findHead(model), () =>
        prefix
          ? applyToFeatures(model, x, { prefix, visit })
          : withLayerCalls(model, visit, () =>
              onlyTensor(model.apply(x, { training: true }) as tf.Tensor),
            ),
      )
      logits = tools.keep(tf.clone(scores))
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

/** Runs `use` while variables stand for the step's own values; they have their numbers again afterwards. */
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
  if (value === undefined) throw new Error('a tensor of the training step is missing')
  return value
}
