// The state that training carries from step to step, as flat vectors of numbers: what goes into a step, what a checkpoint
// holds, and what is written back into a model. Where the vectors live between steps is the engine's matter.
import type * as tf from '@tensorflow/tfjs'
import { AppError } from '../../errors.ts'
import type { TensorValue } from '../session.ts'
import { type StepPlan, sizeOfAll, slotName, weightShape } from './step.ts'
import type { OptimizerState, TrainingBatch, TrainingState } from './step-interface.ts'
import { type NamedWeight, namedWeights, writeWeight } from './weights.ts'

export type StateVectors = ReadonlyMap<string, Float32Array>

/** The model's own numbers, and an optimizer that has seen nothing yet. */
export function firstVectors({ weights, optimizer, vectors }: StepPlan): StateVectors {
  return new Map([
    ['trained', flat(weights.trained)],
    ...(weights.moving.length > 0 ? [['moving', flat(weights.moving)] as const] : []),
    ...optimizer.slots.map(
      (slot) => [slotName(slot), new Float32Array(vectors[slotName(slot)] ?? 0)] as const,
    ),
  ])
}

/** Copies of all that training changes, by name. */
export function weightsIn(plan: StepPlan, vectors: StateVectors): Map<string, Float32Array> {
  const values = new Map<string, Float32Array>()
  for (const [name, weights] of weightVectors(plan)) {
    let offset = 0
    for (const weight of weights) {
      values.set(weight.name, vectorOf(vectors, name).slice(offset, offset + weight.size))
      offset += weight.size
    }
  }
  return values
}

/** Copies. */
export function optimizerStateIn(
  { optimizer }: StepPlan,
  vectors: StateVectors,
  step: number,
): OptimizerState {
  const slots = optimizer.slots.map(
    (slot) => [slot, vectorOf(vectors, slotName(slot)).slice()] as const,
  )
  return { step, slots: Object.fromEntries(slots) }
}

/** The vectors that a state replaces; without its optimizer only those of the weights. @throws AppError `invalid` */
export function vectorsOf(plan: StepPlan, { weights, optimizer }: TrainingState): StateVectors {
  const vectors = new Map<string, Float32Array>()
  for (const [name, known] of weightVectors(plan)) {
    const parts = known.map((weight) => sized(weights.get(weight.name), weight))
    vectors.set(name, joined(parts))
  }
  if (!optimizer) return vectors
  const size = sizeOfAll(plan.weights.trained)
  for (const slot of plan.optimizer.slots) {
    vectors.set(slotName(slot), sized(optimizer.slots[slot], { name: slot, size }).slice())
  }
  return vectors
}

/** @throws AppError `invalid` when the model is another one */
export function writeWeights(
  model: tf.LayersModel,
  weights: ReadonlyMap<string, Float32Array>,
): void {
  const targets = namedWeights(model)
  for (const [name, data] of weights) {
    const target = targets.get(name)
    if (!target) throw new AppError('invalid', `The model has no weight "${name}".`)
    writeWeight(target, sized(data, target))
  }
}

/** What a batch and the number of steps done give to a step. @throws AppError `invalid` when the batch does not fit */
export function batchInputs(
  plan: StepPlan,
  batch: TrainingBatch,
  step: number,
): Record<string, TensorValue> {
  const { inputShape, batchSize, classes, optimizer } = plan
  const scalars = { learningRate: batch.learningRate, ...optimizer.scalars(step + 1) }
  return {
    x: shaped(batch.x, inputShape, 'x'),
    y: shaped(batch.y, [batchSize, classes], 'y'),
    sampleWeights: shaped(batch.sampleWeights, weightShape(plan), 'sampleWeights'),
    ...Object.fromEntries(
      Object.entries(scalars).map(([name, value]) => [
        name,
        { data: Float32Array.of(value), dims: [] },
      ]),
    ),
  }
}

function weightVectors({
  weights: { trained, moving },
}: StepPlan): (readonly [name: string, weights: readonly NamedWeight[]])[] {
  return moving.length === 0
    ? [['trained', trained]]
    : [
        ['trained', trained],
        ['moving', moving],
      ]
}

function vectorOf(vectors: StateVectors, name: string): Float32Array {
  const vector = vectors.get(name)
  if (!vector) throw new Error(`the training state has no ${name}`)
  return vector
}

function flat(weights: readonly NamedWeight[]): Float32Array {
  return joined(weights.map(({ variable }) => variable.dataSync() as Float32Array))
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

function sized(
  data: Float32Array | undefined,
  weight: { readonly name: string; readonly size: number },
): Float32Array {
  if (data?.length === weight.size) return data
  throw new AppError(
    'invalid',
    `The state to restore does not fit: "${weight.name}" has ${data?.length ?? 0} instead of ${weight.size} numbers.`,
  )
}

function shaped(data: Float32Array, dims: readonly number[], name: string): TensorValue {
  const size = dims.reduce((product, dim) => product * dim, 1)
  if (data.length === size) return { data, dims }
  throw new AppError(
    'invalid',
    `The batch's ${name} has ${data.length} instead of ${size} numbers ([${dims.join(', ')}]).`,
  )
}
