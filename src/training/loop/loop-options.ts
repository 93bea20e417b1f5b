// What a training loop is given, and what it carries along, for the files of this folder.
import type * as tf from '@tensorflow/tfjs'
import type { EngineName } from '../../engine/native/choose-engine.ts'
import type { TrainingStep } from '../../engine/training/step-interface.ts'
import type { Prepared, PreparedImage } from '../dataset/prepared.ts'
import type { Hyperparameters } from '../hyperparameters.ts'
import type { TrainingMessage } from '../job.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { Control } from './control.ts'
import type { ImageSource } from './image-source.ts'

export interface LoopOptions {
  readonly prepared: Prepared
  readonly hyperparameters: Hyperparameters
  readonly engine: EngineName
  readonly threads: number
  readonly control: Control
  readonly checkpointPath: string
  /** A checkpoint is taken so often within an epoch; 120 by default. It changes nothing in what comes out. */
  readonly checkpointSeconds?: number
  /** Go on from here instead of from the model's weights. */
  readonly resumeFrom?: Checkpoint
  readonly report: (message: TrainingMessage) => void
}

/** A training under way. */
export interface Running extends LoopOptions {
  readonly model: tf.LayersModel
  readonly step: TrainingStep
  readonly source: ImageSource
  readonly training: readonly PreparedImage[]
}
