// The configuration of a Keras model, of version 2 or 3, as the topology that TF.js builds from. What each layer becomes is
// in layer-config.ts; how layers hang together is here.
import {
  type Config,
  type KerasDialect,
  refused,
  type TranslatedLayer,
  translateLayer,
} from './layer-config.ts'

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

const MODELS = new Set(['Functional', 'Model', 'Sequential'])
const MAX_LAYERS = 5000
const MAX_DEPTH = 8

/** @throws AppError `invalid-package` in one sentence */
export function translateModel(given: unknown, dialect: KerasDialect): Topology {
  const budget = { layers: MAX_LAYERS }
  const { entry, model } = translateNested(asObject(given), { dialect, depth: 0, budget })
  return { model, root: entry }
}

interface Place {
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
  if (MODELS.has(className)) {
    const { entry, model } = translateNested(given, { ...place, depth: place.depth + 1 })
    const name = String(given.name ?? entry.name)
    const config = { ...asObject(model.config), name }
    return { entry: { ...entry, name }, given, translated: { className, config } }
  }
  refuseForeign(given, className)
  const config = asObject(given.config)
  const { batch_shape, batch_input_shape } = config
  const shape = batch_shape ?? batch_input_shape
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

/** A class of somebody's own may have the name of one of Keras'. */
function refuseForeign(given: Config, className: string): void {
  const module = String(given.module ?? 'keras')
  const registered = String(given.registered_name ?? '')
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
  const isKeras3 = layers.some(({ given }) => asList(given.inbound_nodes).some(isObject))
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
          ? tensorsIn([node.args, node.kwargs]).map((one) => [...shifted(one, false), {}])
          : asList(node).map((one) => [...referenceOf(one), {}]),
      ),
    })),
    input_layers: ends(config.input_layers, false),
    output_layers: ends(config.output_layers, true),
  }
}

type Reference = readonly [layer: string, node: number, tensor: number]

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
