// The weights of a model in HDF5: by class and number, as in model.weights.h5 of Keras 3, and by layer name, as in whole-model
// files of Keras 2 and 3.
import { snakeCase } from '../class-names.ts'
import type { Hdf5Output } from '../hdf5-write.ts'
import type { Dialect } from './dialects.ts'
import type { KerasLayer, KerasModel, Variable } from './keras-model.ts'

/** `layers/conv2d_1/vars/0`; the layer's own name is an attribute of `vars`. */
export function writeByNumber(file: Hdf5Output, model: KerasModel, path = ''): void {
  const below = path === '' ? '' : `${path}/`
  named(file, `${below}vars`, model.name)
  const counts = new Map<string, number>()
  for (const layer of model.layers) {
    const base = snakeCase(layer.className)
    const count = counts.get(base) ?? 0
    counts.set(base, count + 1)
    const at = `${below}layers/${base}${count === 0 ? '' : `_${count}`}`
    if (layer.model) writeByNumber(file, layer.model, at)
    else writeLayer(file, at, layer)
  }
}

function writeLayer(file: Hdf5Output, at: string, { name, variables, parts }: KerasLayer): void {
  named(file, `${at}/vars`, name)
  if (!parts) numbered(file, `${at}/vars`, variables)
  let next = 0
  for (const { attribute, count } of parts ?? []) {
    numbered(file, `${at}/${attribute}/vars`, variables.slice(next, next + count))
    next += count
  }
}

function named(file: Hdf5Output, path: string, name: string): void {
  file.text(path, 'name', name)
}

function numbered(file: Hdf5Output, path: string, variables: readonly Variable[]): void {
  for (const [index, variable] of variables.entries()) file.tensor(`${path}/${index}`, variable)
}

const ROOT = 'model_weights'

/** `model_weights/conv1/conv1/kernel:0`, with the lists of names that both versions of Keras load by. */
export function writeByName(
  file: Hdf5Output,
  model: KerasModel,
  { dialect, version }: { dialect: Dialect; version: string },
): void {
  file.texts(
    ROOT,
    'layer_names',
    model.layers.map(({ name }) => name),
  )
  file.text(ROOT, 'backend', 'tensorflow')
  file.text(ROOT, 'keras_version', version)
  for (const layer of model.layers) {
    const weights = inKerasOrder(layer).map(({ owner, variable }) => ({
      name: `${owner}/${nameIn(dialect, variable.name, layer)}`,
      variable,
    }))
    file.texts(
      `${ROOT}/${layer.name}`,
      'weight_names',
      weights.map(({ name }) => name),
    )
    for (const { name, variable } of weights) file.tensor(`${ROOT}/${layer.name}/${name}`, variable)
  }
}

interface Owned {
  readonly owner: string
  readonly variable: Variable
}

/** Keras lists the weights of a nested model with those that are trained first. */
function inKerasOrder(layer: KerasLayer): readonly Owned[] {
  if (!layer.model) return layer.variables.map((variable) => ({ owner: layer.name, variable }))
  const all = layer.model.layers.flatMap(inKerasOrder)
  return [...all.filter(isTrained), ...all.filter((one) => !isTrained(one))]
}

function isTrained({ variable }: Owned): boolean {
  return !/^(moving_mean|moving_variance|mean|variance|count)$/.test(variable.name)
}

/** Keras 2 numbers the outputs of what makes a weight. */
function nameIn(dialect: Dialect, name: string, layer: KerasLayer): string {
  if (dialect === 'keras2') return `${name}:0`
  return layer.className === 'DepthwiseConv2D' ? name.replace('depthwise_kernel', 'kernel') : name
}
