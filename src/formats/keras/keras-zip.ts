// What the names in a zip tell: whether it is a `.keras` file.

export const KERAS_CONFIG = 'config.json'
export const KERAS_WEIGHTS = 'model.weights.h5'

/** @param names of the files in a zip */
export function isKerasZip(names: readonly string[]): boolean {
  return names.includes(KERAS_CONFIG) && names.some((name) => name.startsWith('model.weights.'))
}
