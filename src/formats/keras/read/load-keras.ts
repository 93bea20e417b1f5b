// A Keras file as a TF.js model with its weights. For child processes only: TF.js and the HDF5 library are loaded here.
import * as tf from '@tensorflow/tfjs'
import { isModel, type Layer, leafLayers } from '../../../engine/layer-calls.ts'
import { checkLayerGraph } from '../../../engine/layer-graph.ts'
import '../../../engine/layers/registered.ts'
import '../../../engine/quiet-tfjs.ts'
import { AppError, isAppError, messageOf } from '../../../errors.ts'
import { type KerasContents, readKerasFile } from './keras-file.ts'
import { refused } from './layer-config.ts'
import { withinBudget } from './stored-initializer.ts'
import type { Stored, StoredWeight } from './stored-weights.ts'
import type { ImageSize } from './topology.ts'

/**
 * Reads `.keras` files and whole-model `.h5` files of Keras 2 and 3. No code of the file is run. What compiling added
 * (optimizer, loss) is left out.
 * @param workDir an empty folder for what is unpacked; emptied by the caller
 * @throws AppError `invalid-package` with one sentence: layers that are not read here, weights that are missing or do not fit
 */
export async function loadKeras(
  path: string,
  { workDir, size }: { readonly workDir: string; readonly size?: ImageSize | undefined },
): Promise<tf.LayersModel> {
  return readKerasFile(path, { workDir, size, use: buildKeras })
}

/** @throws AppError `invalid-package` */
export async function buildKeras(contents: KerasContents): Promise<tf.LayersModel> {
  await tf.setBackend('cpu')
  const model = await withinBudget(contents.values, () => build(contents))
  const filled = new Set<Layer>()
  for (const stored of contents.stored) fill(model, { stored, contents, filled })
  const empty = leafLayers(model).find((layer) => layer.weights.length > 0 && !filled.has(layer))
  if (empty) throw refused(`The file holds no weights for the layer "${shown(empty.name)}".`)
  return model
}

async function build({ model }: KerasContents): Promise<tf.LayersModel> {
  checkLayerGraph(model)
  try {
    return await tf.loadLayersModel(tf.io.fromMemory({ modelTopology: { ...model } }))
  } catch (error) {
    if (isAppError(error)) throw error
    const [firstLine = ''] = messageOf(error).split('\n')
    const reason = firstLine.slice(0, 200).replace(/\.$/, '')
    throw new AppError(
      'invalid-package',
      `The layers of this Keras model cannot be connected: ${reason}.`,
      { cause: error },
    )
  }
}

interface Filling {
  readonly stored: Stored
  readonly contents: KerasContents
  readonly filled: Set<Layer>
}

function fill(model: tf.LayersModel, { stored, contents, filled }: Filling): void {
  const layer = layerAt(model, stored.place)
  if ('all' in stored) fillGroup(layer, { all: stored.all, contents, filled })
  // Layers that only change images in training may keep a state, which is not needed here.
  else if (layer.weights.length > 0) {
    put(layer.weights, { weights: stored.weights, contents, layer: layer.name })
    filled.add(layer)
  }
}

/** By order: what is trained first, then the rest, as Keras lists the weights of a model. */
function fillGroup(
  layer: Layer,
  { all, contents, filled }: Omit<Filling, 'stored'> & { all: readonly StoredWeight[] },
): void {
  const leaves = isModel(layer) ? leafLayers(layer) : [layer]
  const trained = leaves.flatMap((leaf) => leaf.trainableWeights)
  const others = leaves.flatMap((leaf) => leaf.nonTrainableWeights)
  put([...trained, ...others], { weights: all, contents, layer: layer.name })
  for (const leaf of leaves) filled.add(leaf)
}

function layerAt(model: tf.LayersModel, place: readonly string[]): Layer {
  let at: Layer = model
  for (const name of place) {
    const next: Layer | undefined = isModel(at)
      ? at.layers.find((layer) => layer.name === name)
      : undefined
    if (!next) throw refused(`The model has no layer "${shown(name)}" for weights of that name.`)
    at = next
  }
  return at
}

type Variable = Layer['weights'][number]

function put(
  variables: readonly Variable[],
  o: { weights: readonly StoredWeight[]; contents: KerasContents; layer: string },
): void {
  const { weights, contents, layer } = o
  if (weights.length !== variables.length) {
    throw refused(
      `The layer "${shown(layer)}" needs ${variables.length} weights, but the file holds ${weights.length} for it.`,
    )
  }
  for (const [index, variable] of variables.entries()) {
    const { shape, values } = contents.tensor(weights[index]?.path ?? '')
    const wanted = variable.shape.map(Number)
    if (shape.length !== wanted.length || shape.some((n, axis) => n !== wanted[axis])) {
      throw refused(
        `A weight of the layer "${shown(layer)}" has the shape [${shape.join(', ')}], but the model needs [${wanted.join(', ')}].`,
      )
    }
    const tensor = tf.tensor(values, wanted)
    variable.write(tensor.dtype === variable.dtype ? tensor : tensor.cast(variable.dtype))
  }
}

function shown(name: string): string {
  return name.slice(0, 60)
}
