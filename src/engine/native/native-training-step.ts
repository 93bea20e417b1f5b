// Training steps on TensorFlow: the very functions that are traced for ONNX Runtime, computed as they are. The state stays
// in TensorFlow's memory, which is the GPU's where there is one.
import * as tf from '@tensorflow/tfjs'
import type { TensorValue } from '../session.ts'
import { computeStep, next, type StepPlan } from '../training/step.ts'
import type {
  OptimizerState,
  TrainingBatch,
  TrainingState,
  TrainingStep,
} from '../training/step-interface.ts'
import {
  batchInputs,
  firstVectors,
  optimizerStateIn,
  type StateVectors,
  vectorsOf,
  weightsIn,
  writeWeights,
} from '../training/step-state.ts'
import { dropoutMask } from '../training/training-layers.ts'
import { onNative } from './load-library.ts'

/** @throws AppError `unavailable` when TensorFlow's library was not loaded */
export function createNativeTrainingStep(plan: StepPlan): TrainingStep {
  return new NativeTrainingStep(plan)
}

class NativeTrainingStep implements TrainingStep {
  readonly engine = 'tensorflow'
  readonly batchSize: number
  readonly #plan: StepPlan
  readonly #tensors = new Map<string, tf.Tensor>()
  #step = 0

  constructor(plan: StepPlan) {
    this.batchSize = plan.batchSize
    this.#plan = plan
    this.#put(firstVectors(plan))
  }

  async run(batch: TrainingBatch): Promise<{ loss: number; logits: Float32Array }> {
    const feeds = batchInputs(this.#plan, batch, this.#step)
    const { loss, logits, ...state } = onNative(() => this.#compute(feeds, batch.dropoutSeed))
    for (const name of this.#tensors.keys()) {
      const tensor = state[next(name)]
      if (!tensor) throw new Error(`the step gave no ${name}`)
      this.#tensors.get(name)?.dispose()
      this.#tensors.set(name, tensor)
    }
    this.#step += 1
    const result = { loss: numbers(loss)[0] ?? Number.NaN, logits: numbers(logits) }
    tf.dispose([loss, logits])
    return result
  }

  #compute(
    feeds: Readonly<Record<string, TensorValue>>,
    seed: number,
  ): Record<string, tf.Tensor | undefined> {
    const kept = new Set<tf.Tensor>()
    const outputs = tf.tidy(() => {
      const inputs = Object.entries(feeds).map(([name, value]) => [name, tensorOf(value)] as const)
      return computeStep(
        this.#plan,
        { ...Object.fromEntries(inputs), ...Object.fromEntries(this.#tensors) },
        {
          keep: (tensor) => {
            kept.add(tf.keep(tensor))
            return tensor
          },
          mask: (dropout) =>
            tensorOf({
              data: dropoutMask(dropout, { seed, step: this.#step }),
              dims: dropout.shape,
            }),
        },
      )
    })
    const wanted = new Set(Object.values(outputs))
    for (const tensor of kept) if (!wanted.has(tensor)) tensor.dispose()
    for (const tensor of wanted) tf.keep(tensor)
    return outputs
  }

  weights(): Map<string, Float32Array> {
    return weightsIn(this.#plan, this.#vectors())
  }

  optimizerState(): OptimizerState {
    return optimizerStateIn(this.#plan, this.#vectors(), this.#step)
  }

  restore(state: TrainingState): void {
    this.#put(vectorsOf(this.#plan, state))
    if (state.optimizer) this.#step = state.optimizer.step
  }

  applyTo(model: tf.LayersModel): void {
    writeWeights(model, this.weights())
  }

  async close(): Promise<void> {
    tf.dispose([...this.#tensors.values()])
    this.#tensors.clear()
  }

  #vectors(): StateVectors {
    return new Map([...this.#tensors].map(([name, tensor]) => [name, numbers(tensor)]))
  }

  #put(vectors: StateVectors): void {
    onNative(() => {
      for (const [name, data] of vectors) {
        this.#tensors.get(name)?.dispose()
        this.#tensors.set(name, tf.keep(tensorOf({ data, dims: [data.length] })))
      }
    })
  }
}

function tensorOf({ data, dims }: TensorValue): tf.Tensor {
  return tf.tensor(data, [...dims])
}

function numbers(tensor: tf.Tensor | undefined): Float32Array {
  return (tensor?.dataSync() as Float32Array | undefined) ?? new Float32Array()
}
