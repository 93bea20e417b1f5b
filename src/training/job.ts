// The words between whoever starts a training (a run of the server, the command line) and the process that does it. Data only.

import type { Variant } from '../architectures/architecture.ts'
import type { Preprocessing } from '../imaging/preprocessing.ts'
import type { ClassLabel, ConditionKind } from '../package/schema.ts'
import type { UncertainLabels } from '../registry/runs/datasets.ts'
import type { RunEpoch, RunUse } from '../registry/runs/run-record.ts'
import type { Hyperparameters } from './hyperparameters.ts'
import type { GivenHyperparameters, Preset } from './settings.ts'

/** The condition to train for; without kind and classes they are read off the dataset's labels. */
export interface JobCondition {
  readonly id: string
  readonly name: string
  readonly bodyPart: string
  readonly kind?: ConditionKind
  readonly classes?: readonly ClassLabel[]
}

/** All that a training process is told. */
export interface TrainingJob {
  /** Safe in a file name; also the name of the log. */
  readonly id: string
  readonly condition: JobCondition
  /** Absolute path of the labelled folder. */
  readonly datasetDir: string
  /** What the dataset is called in reports; no path. */
  readonly datasetName: string
  readonly architecture: string
  readonly preset: Preset
  /** Package name; `<architecture>-<preset>` by default, `_` as `-`. */
  readonly name?: string
  readonly hyperparameters?: GivenHyperparameters
  /** Grey or colour; by default colour for skin, grey for X-rays. */
  readonly channels?: 1 | 3
  readonly preprocessing?: Preprocessing
  /** Prepared pixels, checkpoints; removed afterwards by whoever made it. */
  readonly workDir: string
  /** Where the finished package is written; must not exist. */
  readonly packageDir: string
  readonly threads: number
  readonly demonstration?: { readonly notice: string }
  readonly tags?: readonly string[]
  /** Pixels that are prepared once and used by many runs; without it they are prepared in `workDir`. */
  readonly prepared?: PreparedPlace
  /** Go on from the checkpoint in `workDir`, if there is a whole one. */
  readonly resume?: boolean
  /** A version of the same architecture whose weights are started from. */
  readonly initFrom?: {
    readonly version: string
    readonly modelDir: string
    /** Whose details the network has. */
    readonly variant?: Variant
  }
  /** Where pretrained weights are kept, see weights/weights-store.ts. */
  readonly dataDir?: string
}

/** Where prepared pixels are kept, and what fixes the split. */
export interface PreparedPlace {
  readonly dir: string
  readonly seed: number
  readonly maxPerClass: number | null
  /** Paths or patterns that are left out by hand. */
  readonly exclude: readonly string[]
  readonly uncertain?: UncertainLabels
}

/** Every figure there is; rows of older runs lack some. */
export type EpochRecord = Required<RunEpoch>

export type TrainingPhase = 'preparing' | 'training' | 'evaluating' | 'writing'

/** From the training process to its parent. */
export type TrainingMessage =
  | { readonly type: 'phase'; readonly phase: TrainingPhase }
  | {
      readonly type: 'prepared'
      readonly images: number
      readonly setAside: number
      readonly fingerprint: string
      readonly hyperparameters: Hyperparameters
    }
  | {
      readonly type: 'progress'
      readonly phase: TrainingPhase
      readonly done: number
      readonly total: number
    }
  | {
      readonly type: 'batch'
      readonly epoch: number
      readonly epochs: number
      readonly batch: number
      readonly batches: number
      readonly loss: number
      readonly accuracy: number
      readonly learningRate: number
      /** Of this epoch so far. */
      readonly imagesPerSecond: number
      readonly etaSeconds: number | null
    }
  | {
      readonly type: 'epoch'
      readonly record: EpochRecord
      readonly best: boolean
      readonly epochs: number
      readonly etaSeconds: number
    }
  | { readonly type: 'log'; readonly text: string }
  /** It waits between two batches, or goes on. */
  | { readonly type: 'paused'; readonly paused: boolean }
  | {
      readonly type: 'resumed'
      /** The last whole epoch of the checkpoint. */
      readonly epoch: number
      /** Batches of the next epoch that were done. */
      readonly batches: number
      readonly history: readonly EpochRecord[]
      /** What differs from before, such as the number of threads; empty: the end has the same bits. */
      readonly differs: readonly string[]
    }
  /** Of the training process, every other second. */
  | {
      readonly type: 'resources'
      readonly memoryBytes: number
      readonly cpuSeconds: number
      readonly use: RunUse
    }
  /** A thermal pause begins, with a sentence that says why, or ends. */
  | { readonly type: 'thermal'; readonly sentence: string | null }
  | { readonly type: 'finished'; readonly summary: TrainingSummary }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }

export interface TrainingSummary {
  readonly packageDir: string
  /** Digest of the package (SHA-256 of manifest.json). */
  readonly sha256: string
  readonly name: string
  readonly epochs: number
  readonly bestEpoch: number
  readonly endedBy: 'all epochs' | 'early stopping' | 'stopped by hand'
  readonly balancedAccuracy: number | null
  readonly auc: number | null
  readonly sizeBytes: number
  readonly seconds: number
}

/** From the parent to the training process: `stop` keeps the best so far as a package, `cancel` keeps nothing. */
export type TrainingCommand =
  | { readonly type: 'start'; readonly job: TrainingJob }
  | { readonly type: 'pause' }
  | { readonly type: 'go on' }
  | { readonly type: 'stop' }
  | { readonly type: 'cancel' }
