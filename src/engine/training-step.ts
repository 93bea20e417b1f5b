// Training step by step, with the state that goes from one step to the next: the choice of what runs it.
// Runs block the event loop: use it in the training's own process. What a step computes: training/step.ts.
import type * as tf from '@tensorflow/tfjs'
import type { FrozenPrefix } from './frozen-prefix.ts'
import type { EngineName } from './native/choose-engine.ts'
import type { LossKind } from './training/loss.ts'
import type { OptimizerOptions } from './training/optimizer.ts'
import { planStep } from './training/step.ts'
import type { TrainingStep } from './training/step-interface.ts'
import { createTracedTrainingStep } from './training/traced-training-step.ts'

export interface TrainingStepOptions {
  /** Ends with sigmoid, softmax or a linear layer. Its `trainable` flags decide what is trained; the rest is constant. */
  readonly model: tf.LayersModel
  readonly kind: LossKind
  readonly batchSize: number
  readonly optimizer: OptimizerOptions
  /** 0 by default. */
  readonly labelSmoothing?: number
  /** Of ONNX Runtime; TensorFlow takes all cores. */
  readonly threads: number
  /** Given, batches hold features of this frozen beginning (see feature-session.ts) instead of images. */
  readonly prefix?: FrozenPrefix
  /** `onnx` by default. */
  readonly engine?: EngineName
}

/**
 * A training step of `model`: traced for ONNX Runtime, or as it is on TensorFlow. The model itself is not changed (see
 * `applyTo`). Frozen layers are constants and behave as at inference: batch normalisation by its moving averages, no dropout.
 * @throws AppError `invalid` when the model cannot be trained, `unavailable` when the engine is not there
 */
export async function createTrainingStep(options: TrainingStepOptions): Promise<TrainingStep> {
  const plan = planStep({ ...options, labelSmoothing: options.labelSmoothing ?? 0 })
  if (options.engine !== 'tensorflow') return createTracedTrainingStep(plan, options)
  const { createNativeTrainingStep } = await import('./native/native-training-step.ts')
  return createNativeTrainingStep(plan)
}
