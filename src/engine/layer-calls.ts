// Watches or replaces what the layers of a model do while it is applied: how the explanation layer's output is taken out,
// and how training replaces batch normalisation and dropout. The model itself is left as it was.
import * as tf from '@tensorflow/tfjs'

export type Layer = tf.layers.Layer
type Result = tf.Tensor | tf.Tensor[]

export interface LayerCall {
  readonly layer: Layer
  readonly inputs: Result
  /** What TF.js passes along, such as `training`. */
  readonly options: Readonly<Record<string, unknown>>
  /** Does what the layer does, with other options if given. */
  readonly proceed: (options?: Readonly<Record<string, unknown>>) => Result
}

type Call = (inputs: Result, options: Record<string, unknown>) => Result
type Replaceable = { call: Call }

/** The layers that do something themselves: those of nested models, in order, instead of the nested models. */
export function leafLayers(model: tf.LayersModel): Layer[] {
  return model.layers.flatMap((layer) => (isModel(layer) ? leafLayers(layer) : [layer]))
}

export function isModel(layer: Layer): layer is tf.LayersModel {
  return layer instanceof tf.LayersModel
}

/** Runs `use` while each call of a leaf layer goes through `visit`. */
export function withLayerCalls<T>(
  model: tf.LayersModel,
  visit: (call: LayerCall) => Result,
  use: () => T,
): T {
  const layers = new Set(leafLayers(model))
  for (const layer of layers) {
    const replaceable = layer as unknown as Replaceable
    const original = replaceable.call.bind(layer)
    replaceable.call = (inputs, options) =>
      visit({
        layer,
        inputs,
        options,
        proceed: (other) => original(inputs, { ...options, ...other }),
      })
  }
  try {
    return use()
  } finally {
    for (const layer of layers) Reflect.deleteProperty(layer, 'call') // back to the method of its class
  }
}

export function onlyTensor(result: Result): tf.Tensor {
  const [tensor, second] = Array.isArray(result) ? result : [result]
  if (tensor && !second) return tensor
  throw new Error('a layer with one tensor was expected')
}
