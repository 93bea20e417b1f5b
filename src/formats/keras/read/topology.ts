// The configuration of a Keras model, of version 2 or 3, as the topology that TF.js builds from. What each layer becomes is
// in layer-config.ts; how layers hang together is here.

import {
  type Config,
  type KerasDialect,
  refused,
  type TranslatedLayer,
  translateLayer,
} from './layer-config.ts'
import { isOperationEntry, type Reference, translateOperation } from './operations.ts'

/** A layer or model with its place in the file; models have layers of their own. */
export interface KerasEntry {
  readonly className: string
  readonly name: string
  /** Of a nested model, in the file's order. */
  readonly layers: readonly KerasEntry[] | undefined
}

export interface Topology {
  /** As `{class_name, config}`. */
  readonly model: Config
  readonly root: KerasEntry
}

/** For images whose size the model leaves open. */
export type ImageSize = readonly [height: number, width: number]

const OPERATION = 'KerasOperation'
const MODELS = new Set(['Functional', 'Model', 'Sequential'])
const MAX_LAYERS = 5000
const MAX_DEPTH = 8

/** @throws AppError `invalid-package` in one sentence */
export function translateModel(
  given: unknown,
  { size, ...dialect }: KerasDialect & { readonly size?: ImageSize | undefined },
): Topology {
  const budget = { layers: MAX_LAYERS }
  const { entry, model } = translateNested(asObject(given), { dialect, size, depth: 0, budget })
  return { model, root: entry }
}

interface Place {
  readonly size: ImageSize | undefined
  readonly dialect: KerasDialect
  readonly depth: number
  readonly budget: { layers: number }
}

interface Translated {
  readonly entry: KerasEntry
  readonly model: Config
}

function translateNested(given: Config, place: Place): Translated {
  const className = String(given.class_name)
  if (!MODELS.has(className)) {
    throw refused(
      `The model is of the class "${className.slice(0, 60)}", which is custom code; Functional and Sequential models are supported.`,
    )
  }
  refuseForeign(given, className)
  if (place.depth > MAX_DEPTH) throw refused('The model nests models too deeply.')
  // Before 2.3 the configuration of a Sequential was its list of layers.
  const config = Array.isArray(given.config) ? { layers: given.config } : asObject(given.config)
  const name = String(config.name ?? 'model')
  const layers = asList(config.layers).map((one) => translateEntry(asObject(one), place))
  const entries = layers.map(({ entry }) => entry)
  const entry: KerasEntry = { className, name, layers: entries }
  const built =
    className === 'Sequential'
      ? { name, layers: withInputShape(layers.map(shortForm), config.build_input_shape) }
      : functional(config, { name, layers })
  return { entry, model: { class_name: className, config: built } }
}

interface TranslatedEntry {
  readonly entry: KerasEntry
  readonly given: Config
  readonly translated: TranslatedLayer
}

function translateEntry(given: Config, place: Place): TranslatedEntry {
  place.budget.layers -= 1
  if (place.budget.layers < 0) throw refused(`The model has more than ${MAX_LAYERS} layers.`)
  const className = String(given.class_name)
  if (isOperationEntry(given)) return translateOperationEntry(given)
  if (MODELS.has(className)) {
    const { entry, model } = translateNested(given, { ...place, depth: place.depth + 1 })
    const name = String(given.name ?? entry.name)
    const config = { ...asObject(model.config), name }
    return { entry: { ...entry, name }, given, translated: { className, config } }
  }
  refuseForeign(given, className)
  const config = asObject(given.config)
  const { batch_shape, batch_input_shape } = config
  const shape = withSize(batch_shape ?? batch_input_shape, place)
  const translated =
    className === 'InputLayer'
      ? { className, config: { name: config.name ?? given.name ?? 'input' } }
      : translateLayer(className, { name: given.name, ...config }, place.dialect)
  const name = String(given.name ?? translated.config.name)
  const own = {
    ...translated.config,
    name,
    ...(shape ? { batch_input_shape: shape, dtype: 'float32' } : {}),
  }
  return {
    entry: { className, name, layers: undefined },
    given,
    translated: { className: translated.className, config: own },
  }
}

/** An operation takes its tensors from where its call says; it counts among no layers, for it has no weights. */
function translateOperationEntry(given: Config): TranslatedEntry {
  const config = asObject(given.config)
  const name = String(given.name ?? config.name)
  const { operation, call, inputs } = translateOperation(given)
  if (inputs.length === 0) throw refused(`The operation "${name.slice(0, 60)}" has no input.`)
  return {
    entry: { className: OPERATION, name, layers: undefined },
    given: {
      ...given,
      name,
      inbound_nodes: [{ ...asList(given.inbound_nodes).find(isObject), inputs }],
    },
    translated: {
      className: OPERATION,
      config: { name, trainable: false, operation, call: JSON.stringify(call) },
    },
  }
}

/** An open height and width of the images are what was said. */
function withSize(shape: unknown, { size, depth }: Place): unknown {
  const isImage = Array.isArray(shape) && shape.length === 4 && depth === 0
  if (!isImage || !size) return shape
  const [batch, height, width, channels] = shape
  return [batch, height ?? size[0], width ?? size[1], channels]
}

/** A class of somebody's own may have the name of one of Keras'. */
function refuseForeign(given: Config, className: string): void {
  const module = String(given.module ?? 'keras')
  const registered = String(given.registered_name ?? '')
  if (/^(tf_)?keras(\.src)?\.applications\./.test(module)) return
  const isKeras = /^(keras|tf_keras|tensorflow\.keras|tensorflow\.python\.keras)\b/.test(module)
  if (isKeras && (!registered.includes('>') || registered.startsWith('keras>'))) return
  throw refused(
    `The layer class "${className.slice(0, 60)}" is custom code, which is not supported; export the model to ONNX.`,
  )
}

function shortForm({ translated }: TranslatedEntry): Config {
  return { class_name: translated.className, config: translated.config }
}

/** Keras may keep the input's shape beside the layers. */
function withInputShape(layers: readonly Config[], shape: unknown): readonly Config[] {
  const [first, ...rest] = layers
  if (!first || !Array.isArray(shape) || String(first.class_name) === 'InputLayer') return layers
  const config = asObject(first.config)
  if (config.batch_input_shape || MODELS.has(String(first.class_name))) return layers
  return [{ ...first, config: { ...config, batch_input_shape: shape } }, ...rest]
}

interface Container {
  readonly name: string
  readonly layers: readonly TranslatedEntry[]
}

function functional(config: Config, { name, layers }: Container): Config {
  /** How often each nested model is called here. */
  const calls = new Map(
    layers
      .filter(({ entry }) => entry.layers)
      .map(({ entry, given }) => [entry.name, asList(given.inbound_nodes).length]),
  )
  const shifted = (reference: Reference, isOutput: boolean): readonly unknown[] => {
    const [layer, node, tensor] = reference
    const count = calls.get(layer)
    if (count === undefined) return [layer, node, tensor]
    // TF.js and Keras 2 count a nested model's own making as its call 0. Keras 3 does not, but for the outputs of a model.
    const isCounted =
      isOutput && layers.find((one) => one.entry.name === layer)?.entry.className !== 'Sequential'
    return [layer, count === 1 ? 1 : isCounted ? node : node + 1, tensor]
  }
  const isKeras3 = layers.some(({ given }) =>
    asList(given.inbound_nodes).some((node) => isObject(node) && node.args !== undefined),
  )
  const ends = (value: unknown, isOutput: boolean): readonly unknown[] =>
    endsOf(value).map((one) => (isKeras3 ? shifted(one, isOutput) : one))
  return {
    name,
    layers: layers.map(({ entry, given, translated }) => ({
      name: entry.name,
      class_name: translated.className,
      config: translated.config,
      inbound_nodes: asList(given.inbound_nodes).map((node) =>
        isObject(node)
          ? referencesOf(node).map((one) => [...(isKeras3 ? shifted(one, false) : one), {}])
          : asList(node).map((one) => [...referenceOf(one), {}]),
      ),
    })),
    input_layers: ends(config.input_layers, false),
    output_layers: ends(config.output_layers, true),
  }
}

/** One end may be written flat, as Keras 3 does. */
function endsOf(value: unknown): readonly Reference[] {
  const list = asList(value)
  return typeof list[0] === 'string' ? [referenceOf(list)] : list.map(referenceOf)
}

function referenceOf(value: unknown): Reference {
  const [layer, node = 0, tensor = 0] = asList(value)
  if (typeof layer === 'string' && Number.isInteger(node) && Number.isInteger(tensor)) {
    return [layer, Number(node), Number(tensor)]
  }
  throw refused('The configuration of the model does not say how its layers are joined.')
}

/** Of a call of Keras 3, or of an operation. */
function referencesOf(node: Config): readonly Reference[] {
  return Array.isArray(node.inputs)
    ? (node.inputs as readonly Reference[])
    : tensorsIn([node.args, node.kwargs])
}

/** Keras 3 puts tensors into the arguments of a call, nested as they were. */
function tensorsIn(value: unknown): readonly Reference[] {
  if (Array.isArray(value)) return value.flatMap(tensorsIn)
  if (!isObject(value)) return []
  if (value.class_name === '__keras_tensor__') {
    return [referenceOf(asObject(value.config).keras_history)]
  }
  return Object.values(value).flatMap(tensorsIn)
}

function isObject(value: unknown): value is Config {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function asObject(value: unknown): Config {
  if (isObject(value)) return value
  throw refused('The configuration of the model is not one that Keras writes.')
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
