// A model to be written in another format: a Keras file, a TF.js model, or the folder of a package.
// TF.js is loaded here: for commands and child processes only.
import { mkdtemp, open, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type * as tf from '@tensorflow/tfjs'
import { isGraphModel, loadLayersModel } from '../../engine/layers-model.ts'
import { AppError } from '../../errors.ts'
import { unzipSafely } from '../../package/unzip-package.ts'
import { readZipNames } from '../../package/zip-names.ts'
import { tfjsFolder } from '../import/tfjs-folder.ts'
import { isKerasZip } from '../keras/keras-zip.ts'
import { loadKeras } from '../keras/read/load-keras.ts'

/** @param path a file, or a folder with model.json. @throws AppError `invalid`, `invalid-package` in one sentence */
export async function openModel(path: string): Promise<tf.LayersModel> {
  const info = await stat(path).catch((cause: unknown) => {
    throw new AppError('invalid', `"${basename(path)}" is not there or not readable.`, { cause })
  })
  if (info.isDirectory()) return tfjsModel(path)
  if (basename(path) === 'model.json') return tfjsModel(dirname(path))
  return fileModel(path)
}

/** The TF.js model of a package. @throws AppError `invalid` when it has none, as one that was imported from ONNX */
export async function openPackageModel(dir: string): Promise<tf.LayersModel> {
  const names: string[] = await readdir(join(dir, 'models')).catch(() => [])
  if (names.includes('tfjs')) return tfjsModel(join(dir, 'models/tfjs'))
  throw new AppError(
    'invalid',
    'This version was imported as ONNX: a graph has no layers that another format could hold; --to onnx writes it.',
  )
}

async function tfjsModel(folder: string): Promise<tf.LayersModel> {
  if (!(await isGraphModel(folder))) return loadLayersModel(folder)
  throw new AppError(
    'invalid',
    'This is a TF.js graph model, without layers that another format could hold; import it to have it as ONNX.',
  )
}

async function fileModel(path: string): Promise<tf.LayersModel> {
  const head = await headOf(path)
  const workDir = await mkdtemp(join(tmpdir(), 'roentgen-convert-'))
  try {
    if (head.startsWith('\x89HDF')) return await loadKeras(path, { workDir })
    if (!head.startsWith('PK')) throw unknownFile(path)
    if (isKerasZip(await readZipNames(path))) return await loadKeras(path, { workDir })
    const toDir = join(workDir, 'unpacked')
    const { paths } = await unzipSafely(path, { toDir })
    return await tfjsModel(join(toDir, tfjsFolder(paths)))
  } finally {
    await rm(workDir, { recursive: true, force: true })
  }
}

function unknownFile(path: string): AppError {
  const isOnnx = /\.onnx$/i.test(path)
  return new AppError(
    'invalid',
    isOnnx
      ? 'An ONNX file is a graph without layers, so it cannot become another format.'
      : `"${basename(path)}" is no model that is read here: .keras, .h5, model.json or a zip of it, or a version's id.`,
  )
}

async function headOf(path: string): Promise<string> {
  const handle = await open(path, 'r')
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0)
    return buffer.toString('latin1', 0, bytesRead)
  } finally {
    await handle.close()
  }
}
