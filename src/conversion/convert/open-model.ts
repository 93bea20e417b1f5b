// A model to be written in another format: a Keras file, a TF.js model, or the folder of a package.
// TF.js is loaded here: for commands and child processes only.
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type * as tf from '@tensorflow/tfjs'
import { isGraphModel, loadLayersModel } from '../../engine/layers-model.ts'
import { AppError } from '../../errors.ts'
import { type FileFormat, findFormat } from '../../formats/detect-format.ts'
import { isKerasZip } from '../../formats/keras/keras-zip.ts'
import { loadKeras } from '../../formats/keras/read/load-keras.ts'
import { zipContents } from '../../formats/zip-contents.ts'
import { headOf } from '../../package/file-head.ts'
import { unzipSafely } from '../../package/unzip-package.ts'
import { readZipNames } from '../../package/zip-names.ts'

/**
 * @param path a file, or a folder with model.json @param workDir an empty folder for what is unpacked, emptied by the caller
 * @throws AppError `invalid`, `invalid-package` in one sentence
 */
export async function openModel(
  path: string,
  { workDir }: { readonly workDir: string },
): Promise<tf.LayersModel> {
  const info = await stat(path).catch((cause: unknown) => {
    throw new AppError('invalid', `"${basename(path)}" does not exist or is not readable.`, {
      cause,
    })
  })
  if (info.isDirectory()) return tfjsModel(path)
  if (basename(path) === 'model.json') return tfjsModel(dirname(path))
  return fileModel(path, workDir)
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

async function fileModel(path: string, workDir: string): Promise<tf.LayersModel> {
  const format = findFormat(await headOf(path))
  if (format?.name === 'hdf5') return loadKeras(path, { workDir })
  if (format?.name !== 'zip') throw unknownModel(path, format)
  const contents = zipContents(await readZipNames(path))
  if (contents.holds === 'keras') return loadKeras(path, { workDir })
  if (contents.holds === 'state-dict') throw unknownModel(path, undefined)
  const toDir = join(workDir, 'unpacked')
  await unzipSafely(path, { toDir })
  if (contents.holds === 'tfjs-folder') return tfjsModel(join(toDir, contents.folder))
  const inner = join(toDir, contents.path)
  const found = findFormat(await headOf(inner))
  const isKeras = found?.name === 'hdf5' || isKerasZip(await readZipNames(inner).catch(() => []))
  if (isKeras) return loadKeras(inner, { workDir })
  throw unknownModel(inner, found)
}

function unknownModel(path: string, format: FileFormat | undefined): AppError {
  return new AppError(
    'invalid',
    format?.name === 'onnx'
      ? 'An ONNX file is a graph without layers, so it cannot become another format.'
      : `"${basename(path)}" is not a supported model: .keras, .h5, model.json or a zip of one, or a version's id.`,
  )
}
