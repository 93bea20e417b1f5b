// Where in a zip the TF.js model is: at its root or in a folder.
import { posix } from 'node:path'
import { AppError } from '../errors.ts'

/**
 * The folder of the one model.json, '' for the root.
 * @throws AppError `invalid-package` when there is none, or more than one
 */
export function tfjsFolder(paths: readonly string[]): string {
  const models = paths.filter((path) => posix.basename(path) === 'model.json')
  const [model] = models
  if (model !== undefined && models.length === 1) {
    const folder = posix.dirname(model)
    return folder === '.' ? '' : folder
  }
  throw new AppError(
    'invalid-package',
    models.length === 0
      ? 'The zip holds no model: no Roentgen package (manifest.json), TF.js model (model.json) or Keras model (config.json and model.weights.h5).'
      : 'The zip holds more than one model.json; send one model at a time.',
  )
}
