// A model in Keras' words as the configuration that Keras 2 or Keras 3 reads.
import {
  type Call,
  type Config,
  type KerasLayer,
  type KerasModel,
  type Reference,
  unwritable,
} from './keras-model.ts'

export type Dialect = 'keras2' | 'keras3'

/** What Keras 2 lacks, or calls otherwise than in one tensor or one list of them. */
const ONLY_KERAS_3 = new Set(['MultiHeadAttention', 'EinsumDense'])

/** The older dialect where it can say everything: both versions of Keras read it. */
export function oldestDialect(model: KerasModel): Dialect {
  const isNew = (layer: KerasLayer): boolean =>
    ONLY_KERAS_3.has(layer.className) ||
    layer.config.keepdims === true ||
    layer.config.invert === true ||
    /3$|^(hard_silu|leaky_relu)$/.test(String(layer.config.activation ?? '')) ||
    layer.model?.layers.some(isNew) === true
  return model.layers.some(isNew) ? 'keras3' : 'keras2'
}

interface Writing {
  readonly dialect: Dialect
  /** Whether each layer says which module it is from, as in `.keras` files. */
  readonly modules: boolean
}

/** `{class_name, config}` of the whole model, with modules and registered names if asked for. */
export function modelConfig(model: KerasModel, writing: Writing): Config {
  const { dialect, modules } = writing
  const written = (layer: KerasLayer): Config => ({
    ...layerConfig(layer, writing),
    ...(model.className === 'Functional'
      ? { name: layer.name, inbound_nodes: layer.calls.map((call) => nodeOf(call, model, writing)) }
      : {}),
  })
  // Before Keras 3 the input of a Sequential was no layer of it; both read it as one.
  const layers = model.layers.map(written)
  const ends = (references: readonly Reference[]): unknown => {
    const list = references.map((one) => endOf(one, model, writing))
    return dialect === 'keras3' && list.length === 1 ? list[0] : list
  }
  const config =
    model.className === 'Functional'
      ? {
          name: model.name,
          trainable: true,
          layers,
          input_layers: ends(model.inputs),
          output_layers: ends(model.outputs),
        }
      : { name: model.name, trainable: true, layers }
  const from =
    model.className === 'Functional'
      ? { module: 'keras.src.models.functional', registered_name: 'Functional' }
      : { module: 'keras', registered_name: null }
  return { ...(modules ? from : {}), class_name: model.className, config }
}

function layerConfig(layer: KerasLayer, writing: Writing): Config {
  if (layer.model) return modelConfig(layer.model, writing)
  const { dialect, modules } = writing
  const config =
    layer.className === 'InputLayer'
      ? inputConfig(layer.config, dialect)
      : { ...translated(layer, dialect), dtype: 'float32' }
  const from = { module: 'keras.layers', registered_name: null }
  return { ...(modules ? from : {}), class_name: layer.className, config }
}

function inputConfig({ batch_shape, name }: Config, dialect: Dialect): Config {
  const rest = { dtype: 'float32', sparse: false, ragged: false, name }
  return dialect === 'keras3'
    ? { batch_shape, ...rest }
    : { batch_input_shape: batch_shape, ...rest }
}

/** Words that changed between the versions. */
function translated({ className, config, name }: KerasLayer, dialect: Dialect): Config {
  const { alpha, activation, ...rest } = config
  const slope =
    alpha === undefined
      ? {}
      : className === 'LeakyReLU' && dialect === 'keras3'
        ? { negative_slope: alpha }
        : { alpha }
  const called =
    activation === undefined
      ? {}
      : { activation: activationIn(String(activation), { dialect, name }) }
  return { ...rest, ...slope, ...called }
}

function activationIn(
  activation: string,
  { dialect, name }: { dialect: Dialect; name: string },
): string {
  if (dialect === 'keras2') return activation === 'silu' ? 'swish' : activation
  // A sixth in Keras 3, a fifth in TF.js and Keras 2.
  if (activation === 'hard_sigmoid') {
    throw unwritable(
      `Keras 3 has no activation like that of the layer "${name}" (hard_sigmoid of Keras 2).`,
    )
  }
  if (activation === 'hard_sigmoid3') return 'hard_sigmoid'
  return activation === 'swish' ? 'silu' : activation
}

function nodeOf(call: Call, model: KerasModel, { dialect }: Writing): unknown {
  if (dialect === 'keras2') {
    const [only, ...others] = call
    if (!only || others.length > 0)
      throw unwritable('Keras 2 cannot say how a layer is called here.')
    const references = isReference(only) ? [only] : only
    return references.map((one) => [...one, {}])
  }
  const tensor = (reference: Reference): Config => ({
    class_name: '__keras_tensor__',
    config: {
      shape: model.layers.find((one) => one.name === reference[0])?.shape ?? [],
      dtype: 'float32',
      keras_history: inboundOf(reference, model),
    },
  })
  const args = call.map((one) => (isReference(one) ? tensor(one) : one.map(tensor)))
  return { args, kwargs: {} }
}

function isReference(one: Reference | readonly Reference[]): one is Reference {
  return typeof one[0] === 'string'
}

/** Keras 3 does not count the making of a nested model as its first call. */
function inboundOf([layer, node, tensor]: Reference, model: KerasModel): Reference {
  const isNested = model.layers.find((one) => one.name === layer)?.model !== undefined
  return [layer, isNested ? node - 1 : node, tensor]
}

/** But for the outputs of a model it does, when the nested model is a functional one. */
function endOf(reference: Reference, model: KerasModel, { dialect }: Writing): Reference {
  if (dialect === 'keras2') return reference
  const nested = model.layers.find((one) => one.name === reference[0])?.model
  return nested?.className === 'Functional' ? reference : inboundOf(reference, model)
}
