// What every writer of a part of a package is given, and how it puts files into the folder.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type * as tf from '@tensorflow/tfjs'
import type { Architecture, Variant } from '../../architectures/architecture.ts'
import type { StoredWeights } from '../../conversion/pretrained/weights-store.ts'
import type { EngineName } from '../../engine/native/choose-engine.ts'
import type { Session } from '../../engine/session.ts'
import type { Assessment } from '../../evaluation/assess.ts'
import type { Evaluation } from '../../evaluation/evaluate.ts'
import type { ModelConfig } from '../../package/schema.ts'
import type { Prepared, PreparedIndex } from '../dataset/prepared.ts'
import type { Hyperparameters } from '../hyperparameters.ts'
import type { Int8Trial } from '../int8/try-int8.ts'
import type { TrainingJob } from '../job.ts'
import type { ShortenedMemory } from '../loop/moving-averages.ts'
import type { Trained } from '../loop/train.ts'
import type { Observed } from '../telemetry/run-observer.ts'

/** A trained and evaluated model. */
export interface PackageInput {
  readonly job: TrainingJob
  readonly name: string
  readonly architecture: Architecture
  /** Whose details the network has. */
  readonly variant: Variant
  /** What its backbone started from; null: random numbers, or another version. */
  readonly pretrained: StoredWeights | null
  /** With the weights of the best epoch. */
  readonly model: tf.LayersModel
  readonly prepared: Prepared
  readonly hyperparameters: Hyperparameters
  readonly trained: Trained
  /** What was done to batch normalisation for a short run; null: nothing. */
  readonly shortened: ShortenedMemory | null
  readonly evaluation: Evaluation
  /** The validation split looked at like the test split, with the same thresholds. */
  readonly validation: Assessment
  /** Resources, temperatures and breaks until now. */
  readonly observed: Observed
  /** What computed the training. */
  readonly engine: EngineName
  readonly startedAt: Date
  /** Seconds of each phase so far. */
  readonly phases: Readonly<Record<string, number>>
}

export interface PackageContext extends PackageInput {
  /** The package folder. */
  readonly dir: string
  readonly index: PreparedIndex
  /** As in configs/model.json. */
  readonly config: ModelConfig
  /** The bytes of `config.graph.file`, and that graph loaded. */
  readonly onnx: Uint8Array
  /** What a training of this size was expected to take. */
  readonly expectedMemoryBytes: number
  readonly session: Session
  /** What came of the graph in eight bits; null when none was asked for. */
  readonly int8: Int8Trial | null
  /** Of this process until then (resident set). */
  readonly peakMemoryBytes: number
  /** When training and evaluation were done and writing began. */
  readonly endedAt: Date
}

/** Writes one part of a package below `dir`. */
export type PackageWriter = (context: PackageContext) => Promise<void>

export async function writeFiles(
  dir: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), content)
  }
}

export function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
