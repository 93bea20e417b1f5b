// Where the weights of each layer are in a Keras file: by layer name in a whole-model .h5, by class and number in the
// model.weights.h5 of a .keras file.

import { snakeCase } from '../class-names.ts'
import type { Hdf5Contents } from '../hdf5.ts'
import type { KerasEntry } from './topology.ts'

export interface StoredWeight {
  /** As far as the file names it, else its number. */
  readonly name: string
  readonly path: string
}

/** A weighted layer that has none of its own sub-layers, and what the file holds for it, in order. */
export interface StoredLayer {
  /** Names of the models around it and its own, from the outside in. */
  readonly place: readonly string[]
  readonly weights: readonly StoredWeight[]
}

/** What the file holds for a nested model of which the layers' names do not say which weight belongs where. */
export interface StoredGroup {
  readonly place: readonly string[]
  /** All weights below it: those that are trained first, then the others, each in the order of the layers. */
  readonly all: readonly StoredWeight[]
}

export type Stored = StoredLayer | StoredGroup

const WHOLE_MODEL = 'model_weights'

/** Of a whole-model .h5. @throws AppError `invalid-package` */
export function storedByName(file: Hdf5Contents, root: KerasEntry): readonly Stored[] {
  return (root.layers ?? []).flatMap((entry): readonly Stored[] => {
    const group = `${WHOLE_MODEL}/${entry.name}`
    if (file.kindOf(group) !== 'group') return []
    const weights = (file.texts(group, 'weight_names') ?? []).map((name) => ({
      name: nameOf(name),
      path: `${group}/${name}`,
    }))
    if (weights.length === 0) return []
    if (!entry.layers) return [{ place: [entry.name], weights }]
    return byInnerName(entry, weights) ?? [{ place: [entry.name], all: weights }]
  })
}

/** `conv1/kernel:0` is the kernel of conv1. */
function nameOf(weight: string): string {
  return weight.replace(/:0$/, '')
}

/** The layers of a nested model by the names in front of their weights; undefined when two have one name. */
function byInnerName(
  entry: KerasEntry,
  weights: readonly StoredWeight[],
): readonly StoredLayer[] | undefined {
  const places = new Map<string, readonly string[]>()
  const visit = (model: KerasEntry, place: readonly string[]): boolean =>
    (model.layers ?? []).every((layer) => {
      const inside = [...place, layer.name]
      if (layer.layers) return visit(layer, inside)
      if (places.has(layer.name)) return false
      places.set(layer.name, inside)
      return true
    })
  if (!visit(entry, [entry.name])) return undefined
  const found = new Map<string, StoredWeight[]>()
  for (const weight of weights) {
    const owner = weight.name.split('/').at(-2) ?? ''
    if (!places.has(owner)) return undefined
    found.set(owner, [...(found.get(owner) ?? []), weight])
  }
  return [...found].map(([name, own]) => ({ place: places.get(name) ?? [], weights: own }))
}

/** Keras 3's root, and that of its first versions. */
const LAYERS = ['layers', '_layer_checkpoint_dependencies']

/** Of a model.weights.h5. @throws AppError `invalid-package` */
export function storedByNumber(file: Hdf5Contents, root: KerasEntry): readonly Stored[] {
  return within('', root, [])

  function within(path: string, model: KerasEntry, place: readonly string[]): StoredLayer[] {
    const joined = (name: string): string => (path === '' ? name : `${path}/${name}`)
    const container = LAYERS.map(joined).find((one) => file.kindOf(one) === 'group')
    if (container === undefined) return []
    const paths = pathsOf(container, model)
    return (model.layers ?? []).flatMap((entry, index) => {
      const at = paths[index]
      const inside = [...place, entry.name]
      if (at === undefined) return []
      if (entry.layers) return within(at, entry, inside)
      return [{ place: inside, weights: variables(`${at}/vars`) }]
    })
  }

  /** By class and number, as Keras reads them; by the name beside the weights where that says otherwise. */
  function pathsOf(container: string, model: KerasEntry): readonly (string | undefined)[] {
    const named = new Map(
      file
        .children(container)
        .filter(({ kind }) => kind === 'group')
        .map(({ name }) => `${container}/${name}`)
        .map((path) => [file.text(`${path}/vars`, 'name'), path]),
    )
    const counts = new Map<string, number>()
    return (model.layers ?? []).map((entry) => {
      const base = snakeCase(entry.className)
      const count = counts.get(base) ?? 0
      counts.set(base, count + 1)
      const counted = `${container}/${base}${count === 0 ? '' : `_${count}`}`
      const called = file.kindOf(counted) ? file.text(`${counted}/vars`, 'name') : undefined
      if (called === entry.name) return counted
      return (
        named.get(entry.name) ??
        (called === undefined && file.kindOf(counted) ? counted : undefined)
      )
    })
  }

  function variables(path: string): readonly StoredWeight[] {
    return file
      .children(path)
      .filter(({ name, kind }) => kind === 'dataset' && /^\d{1,4}$/.test(name))
      .toSorted((a, b) => Number(a.name) - Number(b.name))
      .map(({ name }) => ({ name, path: `${path}/${name}` }))
  }
}
