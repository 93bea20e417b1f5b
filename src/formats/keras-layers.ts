// The weights of a Keras file as a list of layers: weights-only `.h5` as keras.applications publishes them, whole models as
// `.h5`, and the `.weights.h5` of Keras 3. What fits where is by-name.ts and by-order.ts.
import { AppError } from '../errors.ts'
import type { Hdf5Contents } from './keras/hdf5.ts'

export interface LayerWeight {
  readonly shape: readonly number[]
  readonly values: Float32Array
}

/** A layer that has weights; they come in the order of Keras: kernel, bias; gamma, beta, mean, variance. */
export interface LayerWeights {
  readonly name: string
  read(): Promise<readonly LayerWeight[]>
}

export interface KerasLayers {
  readonly layers: readonly LayerWeights[]
  /** Whether they stand in the order of the network, so that their place tells which layer they are. */
  readonly isOrdered: boolean
}

/** @throws AppError `invalid-package` when the file holds no weights of Keras */
export function kerasLayers(file: Hdf5Contents): KerasLayers {
  const named = ['/', '/model_weights'].find(
    (path) => file.texts(path, 'layer_names') !== undefined,
  )
  if (named !== undefined) return { layers: namedLayers(file, named), isOrdered: true }
  if (file.kindOf('/layers') === 'group') {
    return { layers: containerLayers(file, '/layers'), isOrdered: false }
  }
  throw new AppError(
    'invalid-package',
    'The HDF5 file holds no weights of Keras: neither layer names nor a group "layers" are in it.',
  )
}

/** Attributes `layer_names`, and of each layer `weight_names`: paths below its group. */
function namedLayers(file: Hdf5Contents, root: string): LayerWeights[] {
  const base = root === '/' ? '' : root
  return (file.texts(root, 'layer_names') ?? []).flatMap((name) => {
    const paths = file.texts(`${base}/${name}`, 'weight_names') ?? []
    return layerOf(file, { name, paths: paths.map((path) => `${base}/${name}/${path}`) })
  })
}

/** Groups `layers/<class>_<n>/vars/<i>`; newer versions keep the layer's own name as an attribute of `vars`. */
function containerLayers(file: Hdf5Contents, root: string): LayerWeights[] {
  return file.children(root).flatMap((child) => {
    const vars = `${root}/${child.name}/vars`
    const places = file.children(vars).map((one) => Number(one.name))
    const paths = places.sort((a, b) => a - b).map((place) => `${vars}/${place}`)
    return layerOf(file, { name: file.text(vars, 'name') ?? child.name, paths })
  })
}

function layerOf(
  file: Hdf5Contents,
  { name, paths }: { readonly name: string; readonly paths: readonly string[] },
): LayerWeights[] {
  if (paths.length === 0) return []
  return [{ name, read: async () => paths.map((path) => file.tensor(path)) }]
}
