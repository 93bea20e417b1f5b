// Training step by step, with the state that goes from one step to the next: the words for it, and the choice of what runs it.
// Runs block the event loop: use it in the training's own process. What a step computes: training/step.ts.
import type * as tf from '@tensorflow/tfjs'
import type { FrozenPrefix } from './frozen-prefix.ts'
import type { EngineName } from './native/choose-engine.ts'
import type { LossKind } from './training/loss.ts'
import type { OptimizerOptions } from './training/optimizer.ts'
import { planStep } from './training/step.ts'
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

export interface TrainingBatch {
  /** [B, H, W, C], preprocessed; or [B, F], the features of the frozen beginning. */
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
  readonly engine: EngineName
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
