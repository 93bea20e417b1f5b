// Loads a TF.js layers model (model.json and weight shards) from a folder, offline, and refuses what is not one.
// Sizes and names of shards are checked in weight-manifest.ts; saving is in layers-save.ts.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { AppError, messageOf } from '../errors.ts'
import { checkLayerGraph } from './layer-graph.ts'
import './layers/registered.ts'
import './quiet-tfjs.ts'
import { readWeights, type WeightGroup } from './weight-manifest.ts'

const MAX_MODEL_JSON_BYTES = 64 * 1024 * 1024

export interface ModelJson {
  readonly format?: unknown
  readonly modelTopology?: Record<string, unknown>
  readonly weightsManifest?: readonly WeightGroup[]
  /** Of graph models. */
  readonly userDefinedMetadata?: Record<string, unknown>
}

/** Whether model.json is a frozen graph, which graph-model.ts loads. @throws AppError `invalid-package` */
export async function isGraphModel(folder: string): Promise<boolean> {
  const json = await readModelJson(join(folder, 'model.json'))
  return json.format === 'graph-model' || json.modelTopology?.node !== undefined
}

/**
 * The model in `folder`/model.json with its weights, on TF.js' cpu backend. Nothing is fetched. Weights may be float32 or
 * quantised to uint8, uint16 or float16. Training configuration (optimizer, loss) in the file is ignored.
 * @throws AppError `invalid-package` with one sentence that says what is wrong
 */
export async function loadLayersModel(folder: string): Promise<tf.LayersModel> {
  const json = await readModelJson(join(folder, 'model.json'))
  const topology = layersTopology(json)
  const { specs, data } = await readWeights(folder, json.weightsManifest)
  checkLayerGraph(topology.model_config ?? topology)
  await tf.setBackend('cpu')
  try {
    return await tf.loadLayersModel(
      tf.io.fromMemory({ modelTopology: topology, weightSpecs: specs, weightData: data }),
    )
  } catch (error) {
    throw refusal(error)
  }
}

/** @throws AppError `invalid-package` */
export async function readModelJson(path: string): Promise<ModelJson> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new AppError('invalid-package', 'There is no model.json in the model folder.', { cause })
  })
  if (bytes.length > MAX_MODEL_JSON_BYTES) {
    throw new AppError('invalid-package', 'model.json is larger than 64 MiB.')
  }
  let json: unknown
  try {
    json = JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new AppError('invalid-package', 'model.json is not valid JSON.', { cause })
  }
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json
  throw new AppError('invalid-package', 'model.json does not describe a TensorFlow.js model.')
}

/** The topology of a layers model. Exports without a "format" field are layers models when they look like one. */
function layersTopology(json: ModelJson): Record<string, unknown> {
  const topology = json.modelTopology
  if (json.format === 'graph-model' || topology?.node !== undefined) {
    throw new AppError(
      'invalid-package',
      'This is a TensorFlow.js graph model; only layers models (with class_name and config of each layer) are read here.',
    )
  }
  const config = (topology?.model_config ?? topology) as Record<string, unknown> | undefined
  if (!topology || config?.class_name === undefined || config.config === undefined) {
    throw new AppError(
      'invalid-package',
      'model.json holds no layers model: its modelTopology has no class_name and config.',
    )
  }
  return topology
}

function refusal(error: unknown): AppError {
  const text = messageOf(error)
  const unknownClass = /Unknown (layer|initializer|\w+): (\w+)/.exec(text)
  if (unknownClass) {
    return new AppError(
      'invalid-package',
      `The model uses the ${unknownClass[1]} class "${unknownClass[2]}", which TensorFlow.js does not know.`,
      { cause: error },
    )
  }
  const [firstLine = ''] = text.split('\n')
  return new AppError(
    'invalid-package',
    `TensorFlow.js cannot build this model: ${firstLine.slice(0, 200)}`,
    { cause: error },
  )
}
