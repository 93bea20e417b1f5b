// Training step by step: a graph of one step, run by ONNX Runtime, with the state that goes from one step to the next.
// Runs block the event loop: use it in the training's own process. What a step computes: training/training-graph.ts.
import type * as tf from '@tensorflow/tfjs'
import { AppError } from '../errors.ts'
import { encodeModel } from './onnx/model.ts'
import { createSession, type Session, type TensorValue } from './session.ts'
import type { LossKind } from './training/loss.ts'
import type { OptimizerOptions } from './training/optimizer.ts'
import type { TrainingGraph } from './training/training-graph.ts'
import { next, sizeOfAll, slotName, trainingGraph } from './training/training-graph.ts'
import { dropoutMask } from './training/training-layers.ts'
import { type NamedWeight, namedWeights, writeWeight } from './training/weights.ts'

export interface TrainingStepOptions {
  /** Ends with sigmoid, softmax or a linear layer. Its `trainable` flags decide what is trained; the rest is constant. */
  readonly model: tf.LayersModel
  readonly kind: LossKind
  readonly batchSize: number
  readonly optimizer: OptimizerOptions
  /** 0 by default. */
  readonly labelSmoothing?: number
  readonly threads: number
}

export interface TrainingBatch {
  /** [B, H, W, C], preprocessed. */
  readonly x: Float32Array
  /** [B, K]: 0 or 1 (binary, K = 1), one-hot, or multi-hot. */
  readonly y: Float32Array
  /**
   * [B]. Class weights go here. 0 leaves an image out of the loss, but not out of the statistics of batch normalisation:
   * drop a smaller last batch, or fill it up with real images.
   */
  readonly sampleWeights: Float32Array
  readonly learningRate: number
  /** An integer; the masks depend on it, on the number of steps done, and on the layer. */
  readonly dropoutSeed: number
}

export interface OptimizerState {
  /** Steps done. */
  readonly step: number
  /** adam: `m` and `v`; sgd: `momentum`; each flat, in the order of the trained weights. */
  readonly slots: Readonly<Record<string, Float32Array>>
}

export interface TrainingState {
  readonly weights: ReadonlyMap<string, Float32Array>
  /** Left out when only the weights are put back. */
  readonly optimizer?: OptimizerState
}

export interface TrainingStep {
  readonly batchSize: number
  /**
   * One step. The loss is sum(w l) / sum(w) plus the penalties of regularised layers, and logits [B, K] are those before the
   * step. A loss that is not finite is returned, not thrown.
   */
  run(batch: TrainingBatch): Promise<{ readonly loss: number; readonly logits: Float32Array }>
  /** Copies of everything that training changes, by name: trained weights and moving averages. */
  weights(): Map<string, Float32Array>
  /** Copies. With `weights()` it is all that an exact resume needs. */
  optimizerState(): OptimizerState
  restore(state: TrainingState): void
  /** Writes `weights()` into a model of the same architecture. */
  applyTo(model: tf.LayersModel): void
  close(): Promise<void>
}

/**
 * Traces a training step of `model` and loads it. The model itself is not changed (see `applyTo`). Frozen layers are
 * constants and behave as at inference: batch normalisation by its moving averages, no dropout.
 * @throws AppError `invalid` when the model cannot be trained
 */
export async function createTrainingStep(options: TrainingStepOptions): Promise<TrainingStep> {
  const traced = trainingGraph({ ...options, labelSmoothing: options.labelSmoothing ?? 0 })
  const session = await createSession(encodeModel(traced.graph), {
    threads: options.threads,
    training: true,
    optimization: hasFrozenWeights(options.model, traced) ? 'all' : 'basic',
  })
  return new TracedTrainingStep(traced, session)
}

/** Constant weights are what most of ONNX Runtime's optimisations work on. */
function hasFrozenWeights(model: tf.LayersModel, { weights }: TrainingGraph): boolean {
  return namedWeights(model).size > weights.trained.length + weights.moving.length
}

class TracedTrainingStep implements TrainingStep {
  readonly batchSize: number
  readonly #traced: TrainingGraph
  readonly #session: Session
  readonly #inputs: ReadonlySet<string>
  /** The vectors that go round: trained, moving and the optimizer's slots. */
  readonly #state = new Map<string, Float32Array>()
  #step = 0

  constructor(traced: TrainingGraph, session: Session) {
    const { weights, optimizer, inputShape } = traced
    this.batchSize = inputShape[0] ?? 0
    this.#traced = traced
    this.#session = session
    this.#inputs = new Set(session.inputNames)
    this.#state.set('trained', flat(weights.trained))
    if (weights.moving.length > 0) this.#state.set('moving', flat(weights.moving))
    for (const slot of optimizer.slots) {
      this.#state.set(slotName(slot), new Float32Array(sizeOfAll(weights.trained)))
    }
  }

  async run(batch: TrainingBatch): Promise<{ loss: number; logits: Float32Array }> {
    const results = await this.#session.run(this.#feeds(batch))
    const { loss, logits } = results
    for (const name of this.#state.keys()) {
      const value = results[next(name)]
      if (value) this.#state.set(name, value.data)
    }
    this.#step += 1
    return { loss: loss?.data[0] ?? Number.NaN, logits: logits?.data ?? new Float32Array() }
  }

  #feeds(batch: TrainingBatch): Record<string, TensorValue> {
    const { inputShape, classes, optimizer, dropouts } = this.#traced
    const feeds: Record<string, TensorValue> = {
      x: shaped(batch.x, inputShape, 'x'),
      y: shaped(batch.y, [this.batchSize, classes], 'y'),
      sampleWeights: shaped(batch.sampleWeights, [this.batchSize], 'sampleWeights'),
      learningRate: scalar(batch.learningRate),
    }
    for (const [name, value] of Object.entries(optimizer.scalars(this.#step + 1))) {
      feeds[name] = scalar(value)
    }
    for (const [name, data] of this.#state) feeds[name] = { data, dims: [data.length] }
    dropouts.forEach((dropout, i) => {
      const data = dropoutMask(dropout, batch.dropoutSeed, [this.#step, i])
      feeds[dropout.name] = { data, dims: dropout.shape }
    })
    // What the graph does not read, for instance the moving averages in a net without any, was pruned.
    return Object.fromEntries(Object.entries(feeds).filter(([name]) => this.#inputs.has(name)))
  }

  weights(): Map<string, Float32Array> {
    const values = new Map<string, Float32Array>()
    for (const [name, weights] of this.#vectors()) {
      let offset = 0
      for (const weight of weights) {
        values.set(weight.name, this.#vector(name).slice(offset, offset + weight.size))
        offset += weight.size
      }
    }
    return values
  }

  optimizerState(): OptimizerState {
    const slots = this.#traced.optimizer.slots.map(
      (slot) => [slot, this.#vector(slotName(slot)).slice()] as const,
    )
    return { step: this.#step, slots: Object.fromEntries(slots) }
  }

  restore({ weights, optimizer }: TrainingState): void {
    for (const [name, known] of this.#vectors()) {
      this.#state.set(
        name,
        joined(
          known.map((weight) => ({ ...weight, data: sized(weights.get(weight.name), weight) })),
        ),
      )
    }
    if (!optimizer) return
    const size = sizeOfAll(this.#traced.weights.trained)
    for (const slot of this.#traced.optimizer.slots) {
      const data = sized(optimizer.slots[slot], { name: slot, size })
      this.#state.set(slotName(slot), data.slice())
    }
    this.#step = optimizer.step
  }

  applyTo(model: tf.LayersModel): void {
    const targets = namedWeights(model)
    for (const [name, data] of this.weights()) {
      const target = targets.get(name)
      if (!target) throw new AppError('invalid', `The model has no weight "${name}".`)
      writeWeight(target, sized(data, target))
    }
  }

  async close(): Promise<void> {
    await this.#session.release()
  }

  #vectors(): (readonly [name: string, weights: readonly NamedWeight[]])[] {
    const { trained, moving } = this.#traced.weights
    return moving.length > 0
      ? [
          ['trained', trained],
          ['moving', moving],
        ]
      : [['trained', trained]]
  }

  #vector(name: string): Float32Array {
    const vector = this.#state.get(name)
    if (!vector) throw new Error(`the training state has no ${name}`)
    return vector
  }
}

function flat(weights: readonly NamedWeight[]): Float32Array {
  return joined(
    weights.map((weight) => ({ ...weight, data: weight.variable.dataSync() as Float32Array })),
  )
}

function joined(parts: readonly { size: number; data: Float32Array }[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { size }) => sum + size, 0))
  let offset = 0
  for (const { data, size } of parts) {
    whole.set(data, offset)
    offset += size
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

function scalar(value: number): TensorValue {
  return { data: Float32Array.of(value), dims: [] }
}
