// A TF.js layers model in Keras' words. TF.js' own topology says how layers are joined; the weights come from the layers.
import type * as tf from '@tensorflow/tfjs'
import { isModel, type Layer } from '../../../engine/layer-calls.ts'
import { attentionLayers } from './attention-layers.ts'
import {
  type Call,
  type Config,
  type KerasLayer,
  type KerasModel,
  type Reference,
  unwritable,
  type Variable,
} from './keras-model.ts'
import { LAYER_RULES } from './layer-rules.ts'

/** A layer as TF.js' topology has it. */
export interface TopologyLayer {
  readonly class_name: string
  readonly name: string
  readonly config: Config
  readonly inbound_nodes?: readonly (readonly Reference[])[]
}

/** @throws AppError `invalid` naming a layer that Keras does not have */
export function describeModel(model: tf.LayersModel): KerasModel {
  const { class_name, config } = model.toJSON(undefined, false) as unknown as TopologyLayer
  return described(model, { className: class_name, config })
}

function described(
  model: tf.LayersModel,
  { className, config }: { className: string; config: Config },
): KerasModel {
  const given = config.layers as readonly TopologyLayer[]
  const layers = given.flatMap((one) => {
    // Layers of a Sequential have their name in their configuration only.
    const name = String(one.name ?? one.config.name)
    const layer = model.layers.find((candidate) => candidate.name === name)
    // The input of a Sequential is no layer of it for TF.js.
    if (!layer && one.class_name !== 'InputLayer') throw unwritable(`There is no layer "${name}".`)
    return layersOf({ ...one, name }, { layer, model })
  })
  return {
    className: className === 'Sequential' ? 'Sequential' : 'Functional',
    name: String(config.name ?? model.name),
    layers: className === 'Sequential' ? withInput(layers, model) : layers,
    inputs: (config.input_layers ?? []) as readonly Reference[],
    outputs: (config.output_layers ?? []) as readonly Reference[],
  }
}

/** Keras 3 wants the input of a Sequential as a layer. */
function withInput(layers: readonly KerasLayer[], model: tf.LayersModel): readonly KerasLayer[] {
  const [first] = layers
  if (!first || first.className === 'InputLayer') return layers
  const shape = model.inputs[0]?.shape ?? []
  const name = `${first.name}_input`
  const config = { batch_shape: shape, name }
  return [{ className: 'InputLayer', name, config, calls: [], shape, variables: [] }, ...layers]
}

interface Surroundings {
  readonly layer: Layer | undefined
  readonly model: tf.LayersModel
}

/** One layer, or several that do together what it does. */
function layersOf(one: TopologyLayer, { layer, model }: Surroundings): readonly KerasLayer[] {
  const { class_name: className, name, config } = one
  const calls = callsOf(one.inbound_nodes ?? [])
  const shape = layer ? outputShape(layer) : []
  if (!layer || className === 'InputLayer') {
    const batch_shape = config.batch_input_shape
    return [
      { className: 'InputLayer', name, config: { batch_shape, name }, calls, shape, variables: [] },
    ]
  }
  if (isModel(layer)) {
    const inner = described(layer, { className, config })
    return [
      { className: inner.className, name, config: {}, calls, shape, variables: [], model: inner },
    ]
  }
  const attention = attentionLayers(layer, { config, calls, shape, model })
  if (attention) return attention
  const rule = Object.hasOwn(LAYER_RULES, className) ? LAYER_RULES[className] : undefined
  if (!rule) {
    throw unwritable(`Keras has no layer like "${name}" (${className}), so it is not written.`)
  }
  const kept = rule.keeps
    .filter((key) => config[key] !== undefined && config[key] !== null)
    .map((key) => [key, config[key]])
  const { class_name: other = rule.as ?? className, ...own } = {
    name,
    trainable: layer.trainable,
    ...Object.fromEntries(kept),
    ...rule.more?.(config),
  } as Config
  const variables = layer.weights.map((weight) => variableOf(weight))
  return [{ className: String(other), name, config: own, calls, shape, variables }]
}

/** Of its first call; the others differ in the batch at most. */
function outputShape(layer: Layer): readonly (number | null)[] {
  return (layer.getOutputAt(0) as tf.SymbolicTensor).shape
}

/** TF.js and Keras 2 write the tensors of a call in a row; several of them are one argument of the layer. */
function callsOf(nodes: readonly (readonly Reference[])[]): readonly Call[] {
  return nodes.map((node) => {
    const references = node.map(([layer, call, tensor]) => [layer, call, tensor] as const)
    const [only, ...others] = references
    return only && others.length === 0 ? [only] : [references]
  })
}

export function variableOf(weight: Layer['weights'][number]): Variable {
  const tensor = weight.read()
  const values = tensor.dataSync()
  const name = weight.originalName.split('/').at(-1) ?? weight.name
  return {
    name: name.replace(/_\d+$/, ''),
    shape: tensor.shape,
    values: values instanceof Int32Array ? values : Float32Array.from(values),
  }
}
