// The words of training step by step: what goes in, what comes out, what is kept between. Whatever runs the steps.
import type * as tf from '@tensorflow/tfjs'
import type { EngineName } from '../native/choose-engine.ts'

export interface TrainingBatch {
  /** [B, H, W, C], preprocessed; or [B, F], the features of the frozen beginning. */
  readonly x: Float32Array
  /** [B, K]: 0 or 1 (binary, K = 1), one-hot, or multi-hot. */
  readonly y: Float32Array
  /**
   * [B]; [B, K] for multi-label. Class weights go here. 0 leaves an image out of the loss, but not out of the statistics of batch normalisation:
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
