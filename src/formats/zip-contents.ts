// Which model a zip holds, by the names in it: a Keras or PyTorch file is a zip itself; others lie in one, in folders or not.
import { posix } from 'node:path'
import { AppError } from '../errors.ts'
import { isModelName } from './detect-format.ts'
import { isKerasZip } from './keras/keras-zip.ts'
import { isTorchZip } from './torch/torch-zip.ts'

export type ZipContents =
  /** The zip as it is. */
  | { readonly holds: 'keras' }
  | { readonly holds: 'state-dict' }
  /** A folder with model.json; '' for the top. */
  | { readonly holds: 'tfjs-folder'; readonly folder: string }
  /** One file of a model, to be told by its own bytes. */
  | { readonly holds: 'file'; readonly path: string }

/** @throws AppError `invalid-package` when there is no model, or more than one */
export function zipContents(names: readonly string[]): ZipContents {
  if (isKerasZip(names)) return { holds: 'keras' }
  if (isTorchZip(names)) return { holds: 'state-dict' }
  // What macOS lays beside each file.
  const own = names.filter((name) => !/(^|\/)(__MACOSX\/|\._|\.DS_Store)/.test(name))
  const folders = own.filter((name) => posix.basename(name) === 'model.json')
  const files = own.filter((name) => isModelName(name))
  const [folder] = folders
  const [file] = files
  if (folder !== undefined && folders.length === 1) {
    const path = posix.dirname(folder)
    return { holds: 'tfjs-folder', folder: path === '.' ? '' : path }
  }
  if (file !== undefined && files.length === 1 && folders.length === 0) {
    return { holds: 'file', path: file }
  }
  throw new AppError('invalid-package', refusal(folders, files))
}

function refusal(folders: readonly string[], files: readonly string[]): string {
  if (folders.length > 1) {
    return 'The zip holds more than one model.json; send one model at a time.'
  }
  if (files.length > 1) {
    const shown = files.slice(0, 5).map((name) => posix.basename(name).slice(0, 40))
    return `The zip holds more than one model (${shown.join(', ')}); send one at a time.`
  }
  return 'The zip holds no model: no Roentgen package (manifest.json), TF.js model (model.json), Keras model (config.json and model.weights.h5), and no .onnx, .h5, .keras, .pth or .safetensors file.'
}
