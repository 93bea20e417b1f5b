// What a checkpoint was taken with, and what that means for going on from it: exactly, not exactly, or not at all.
import { cpus } from 'node:os'
import type * as tf from '@tensorflow/tfjs'
import { ONNX_RUNTIME_VERSION } from '../../engine/session.ts'
import { AppError } from '../../errors.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { ImageSource } from './image-source.ts'
import type { LoopOptions } from './loop-options.ts'

/** Without these being equal a run can go on, but may end with other bits. */
const MAY_DIFFER: readonly string[] = [
  'engine',
  'threads',
  'node',
  'onnxruntime',
  'processor',
  'frozen part',
]

export interface Resumed {
  /** The last whole epoch of the checkpoint that it went on from. */
  readonly epoch: number
  /** Batches of the next epoch that were done. */
  readonly batches: number
  /** What is other than before; empty: it ends with the bits of a run that was never interrupted. */
  readonly differs: readonly string[]
}

/** A resumed run is exact when all of this is equal. */
export function identityOf(
  o: Pick<LoopOptions, 'prepared' | 'hyperparameters' | 'engine' | 'threads'> & {
    readonly model: Pick<tf.LayersModel, 'name'>
    readonly source?: Pick<ImageSource, 'record'>
  },
): Checkpoint['identity'] {
  return {
    dataset: o.prepared.index.fingerprint,
    preprocessing: o.prepared.index.preprocessingSha256,
    hyperparameters: JSON.stringify(o.hyperparameters),
    architecture: o.model.name,
    engine: o.engine,
    threads: o.threads,
    node: process.version,
    onnxruntime: ONNX_RUNTIME_VERSION,
    // Free disk decides where it is run: once, or anew on the changed images of each epoch.
    'frozen part': o.source?.record ? 'run once' : 'run in every epoch',
    processor: cpus()[0]?.model ?? 'unknown',
  }
}

/** @throws AppError `conflict` when the checkpoint is of another dataset, architecture or configuration */
export function compareIdentity(
  now: Checkpoint['identity'],
  { identity, epoch, within }: Checkpoint,
): Resumed {
  const other = Object.keys(now).filter((name) => now[name] !== identity[name])
  const wrong = other.find((name) => !MAY_DIFFER.includes(name))
  if (wrong) {
    throw new AppError(
      'conflict',
      `The checkpoint cannot be resumed: its ${wrong} differs; start a new run.`,
    )
  }
  const differs = other.filter((name) => MAY_DIFFER.includes(name))
  if (now.engine === 'tensorflow') differs.push('the order in which TensorFlow adds')
  return { epoch, batches: within?.batches ?? 0, differs }
}
