// Writes a TF.js layers model as the three files that Keras loads: `.keras`, whole-model `.h5` and `.weights.h5`.
// For child processes only: the HDF5 library blocks its thread.
import { createWriteStream } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import type * as tf from '@tensorflow/tfjs'
import { ZipFile } from 'yazl'
import { writeHdf5 } from '../hdf5-write.ts'
import { KERAS_CONFIG, KERAS_WEIGHTS } from '../keras-zip.ts'
import { describeModel } from './describe-model.ts'
import { modelConfig, oldestDialect } from './dialects.ts'
import { flattenModel } from './flatten-model.ts'
import type { KerasModel } from './keras-model.ts'
import { writeByName, writeByNumber } from './weights-trees.ts'

/** Versions of Keras that wrote files like these. */
const KERAS_3 = '3.8.0'
const KERAS_2 = '2.15.0'

export type KerasFormat = 'keras' | 'h5' | 'weights.h5'

/** @throws AppError `invalid` naming a layer that Keras does not have; nothing is written then */
export async function writeKeras(
  model: tf.LayersModel,
  { path, format }: { path: string; format: KerasFormat },
): Promise<void> {
  const described = describeModel(model)
  if (format === 'keras') return writeArchive(described, path)
  await writeFile(path, format === 'h5' ? await wholeModel(described) : await weightsOf(described))
}

/** All three, as `<base>.keras`, `<base>.h5` and `<base>.weights.h5`. @throws AppError `invalid` as `writeKeras` */
export async function writeAllKeras(model: tf.LayersModel, base: string): Promise<void> {
  const described = describeModel(model)
  modelConfig(described, { dialect: 'keras3', modules: true })
  await writeFile(`${base}.h5`, await wholeModel(described))
  await writeFile(`${base}.weights.h5`, await weightsOf(described))
  await zipAround(described, { weightsPath: `${base}.weights.h5`, path: `${base}.keras` })
}

async function writeArchive(model: KerasModel, path: string): Promise<void> {
  const weightsPath = `${path}.weights.part`
  try {
    await writeFile(weightsPath, await weightsOf(model))
    await zipAround(model, { weightsPath, path })
  } finally {
    await rm(weightsPath, { force: true })
  }
}

/** Members are stored as they are: weights hardly shrink. */
async function zipAround(
  model: KerasModel,
  { weightsPath, path }: { weightsPath: string; path: string },
): Promise<void> {
  const zip = new ZipFile()
  const stored = { compress: false }
  const config = modelConfig(model, { dialect: 'keras3', modules: true })
  const metadata = { keras_version: KERAS_3, date_saved: savedAt(new Date()) }
  zip.addBuffer(Buffer.from(JSON.stringify(metadata)), 'metadata.json', stored)
  zip.addBuffer(Buffer.from(JSON.stringify(config)), KERAS_CONFIG, stored)
  zip.addFile(weightsPath, KERAS_WEIGHTS, stored)
  zip.end()
  await pipeline(zip.outputStream as NodeJS.ReadableStream, createWriteStream(path))
}

/** As Keras writes it: YYYY-MM-DD@HH:MM:SS. */
function savedAt(date: Date): string {
  return date.toISOString().slice(0, 19).replace('T', '@')
}

async function weightsOf(model: KerasModel): Promise<Uint8Array> {
  return writeHdf5((file) => writeByNumber(file, model))
}

async function wholeModel(given: KerasModel): Promise<Uint8Array> {
  const model = flattenModel(given)
  const dialect = oldestDialect(model)
  const version = dialect === 'keras3' ? KERAS_3 : KERAS_2
  return writeHdf5((file) => {
    file.text('', 'model_config', JSON.stringify(modelConfig(model, { dialect, modules: false })))
    file.text('', 'keras_version', version)
    file.text('', 'backend', 'tensorflow')
    writeByName(file, model, { dialect, version })
  })
}
