// Training steps run by ONNX Runtime: one session of the recorded step, its state in the process' own memory.
import type * as tf from '@tensorflow/tfjs'
import { encodeModel } from '../onnx/model.ts'
import { createSession, type Session, type TensorValue } from '../session.ts'
import { next, type StepPlan } from './step.ts'
import type {
  OptimizerState,
  TrainingBatch,
  TrainingState,
  TrainingStep,
} from './step-interface.ts'
import {
  batchInputs,
  firstVectors,
  optimizerStateIn,
  vectorsOf,
  weightsIn,
  writeWeights,
} from './step-state.ts'
import { type TrainingGraph, trainingGraph } from './training-graph.ts'
import { dropoutMask } from './training-layers.ts'
import { namedWeights } from './weights.ts'

/** @throws AppError `invalid`, `invalid-package` or `load-failed` when the model cannot be trained so */
export async function createTracedTrainingStep(
  plan: StepPlan,
  { threads }: { readonly threads: number },
): Promise<TrainingStep> {
  const traced = trainingGraph(plan)
  const session = await createSession(encodeModel(traced.graph), {
    threads,
    training: true,
    optimization: hasFrozenWeights(plan) ? 'all' : 'basic',
  })
  return new TracedTrainingStep(plan, traced, session)
}

/** Constant weights are what most of ONNX Runtime's optimisations work on. */
function hasFrozenWeights({ model, weights }: StepPlan): boolean {
  return namedWeights(model).size > weights.trained.length + weights.moving.length
}

class TracedTrainingStep implements TrainingStep {
  readonly engine = 'onnx'
  readonly batchSize: number
  readonly #plan: StepPlan
  readonly #dropouts: TrainingGraph['dropouts']
  readonly #session: Session
  readonly #inputs: ReadonlySet<string>
  readonly #vectors: Map<string, Float32Array>
  #step = 0

  constructor(plan: StepPlan, { dropouts }: TrainingGraph, session: Session) {
    this.batchSize = plan.batchSize
    this.#plan = plan
    this.#dropouts = dropouts
    this.#session = session
    this.#inputs = new Set(session.inputNames)
    this.#vectors = new Map(firstVectors(plan))
  }

  async run(batch: TrainingBatch): Promise<{ loss: number; logits: Float32Array }> {
    const results = await this.#session.run(this.#feeds(batch))
    const { loss, logits } = results
    for (const name of this.#vectors.keys()) {
      const value = results[next(name)]
      if (value) this.#vectors.set(name, value.data)
    }
    this.#step += 1
    return { loss: loss?.data[0] ?? Number.NaN, logits: logits?.data ?? new Float32Array() }
  }

  #feeds(batch: TrainingBatch): Record<string, TensorValue> {
    const step = this.#step
    const feeds = batchInputs(this.#plan, batch, step)
    for (const [name, data] of this.#vectors) feeds[name] = { data, dims: [data.length] }
    for (const dropout of this.#dropouts) {
      const data = dropoutMask(dropout, { seed: batch.dropoutSeed, step })
      feeds[dropout.name] = { data, dims: dropout.shape }
    }
    // What the graph does not read, for instance the moving averages in a net without any, was pruned.
    return Object.fromEntries(Object.entries(feeds).filter(([name]) => this.#inputs.has(name)))
  }

  weights(): Map<string, Float32Array> {
    return weightsIn(this.#plan, this.#vectors)
  }

  optimizerState(): OptimizerState {
    return optimizerStateIn(this.#plan, this.#vectors, this.#step)
  }

  restore(state: TrainingState): void {
    for (const [name, vector] of vectorsOf(this.#plan, state)) this.#vectors.set(name, vector)
    if (state.optimizer) this.#step = state.optimizer.step
  }

  applyTo(model: tf.LayersModel): void {
    writeWeights(model, this.weights())
  }

  async close(): Promise<void> {
    await this.#session.release()
  }
}
