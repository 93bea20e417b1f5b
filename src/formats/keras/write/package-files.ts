// The Keras files of a trained version: models/<name>.keras, .h5 and .weights.h5.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type * as tf from '@tensorflow/tfjs'
import { AppError } from '../../../errors.ts'
import { writeAllKeras } from './write-keras.ts'

/** Why a package may have none of them; the file says it in one sentence. */
const ABSENT = 'models/keras-files.txt'
/** Demonstration packages come with the product and stay small; three more copies of larger weights would not fit. */
const MAX_DEMONSTRATION_PARAMETERS = 30_000

export interface KerasFilesInput {
  /** The package folder. */
  readonly dir: string
  readonly name: string
  readonly model: tf.LayersModel
  readonly isDemonstration: boolean
}

/** A model that Keras cannot express, or a demonstration that would grow too large, gets a sentence instead. */
export async function writeKerasFiles(input: KerasFilesInput): Promise<void> {
  const { dir, name, model, isDemonstration } = input
  if (isDemonstration && model.countParams() > MAX_DEMONSTRATION_PARAMETERS) {
    const command = 'roentgen convert <version> --to keras --out model.keras'
    return writeFile(
      join(dir, ABSENT),
      `To keep it small; "${command}" writes one (or h5, weights.h5).\n`,
    )
  }
  try {
    await writeAllKeras(model, join(dir, 'models', name))
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'invalid') throw error
    await writeFile(join(dir, ABSENT), `${error.message}\n`)
  }
}
