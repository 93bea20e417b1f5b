// The end of a classifier: which layer turns logits into probabilities, and how to get the logits before it.
import * as tf from '@tensorflow/tfjs'
import { isModel, type Layer } from './layer-calls.ts'

export type LastActivation = 'sigmoid' | 'softmax'

export interface Head {
  readonly layer: Layer
  /** What the last layer applies at its end; `linear` gives logits as they are; null where it cannot be told. */
  readonly activation: LastActivation | 'linear' | null
}

interface Activated {
  activation?: { getClassName(): string } | null
}

/** They hand a row of scores on, every number in its place. */
const NEUTRAL = new Set([
  'Dropout',
  'SpatialDropout1D',
  'AlphaDropout',
  'GaussianDropout',
  'GaussianNoise',
  'Flatten',
  'Reshape',
])
const NEUTRAL_OPERATIONS = new Set(['identity', 'reshape', 'squeeze', 'expandDims'])

/**
 * The layer that makes the scores, looked for inside nested models (Teachable Machine nests Sequential in Sequential) and
 * before layers that only hand them on, as the linear activation at the end of a model in mixed precision.
 */
export function findHead(model: tf.LayersModel): Head {
  const last = model instanceof tf.Sequential ? model.layers.at(-1) : model.outputLayers[0]
  if (!last) throw new Error('a model without layers')
  return headAt(last, model)
}

function headAt(at: Layer, model: tf.LayersModel): Head {
  if (isModel(at)) return findHead(at)
  const before = isNeutral(at) ? layerBefore(at, model) : undefined
  if (!before) return { layer: at, activation: activationOf(at) }
  const found = headAt(before, model)
  // Left out, an activation would be missing wherever else its layer is used.
  return usesOf(found.layer, model) > 1 ? { ...found, activation: null } : found
}

function isNeutral(layer: Layer): boolean {
  const name = layer.getClassName()
  if (name === 'KerasOperation') {
    return NEUTRAL_OPERATIONS.has((layer as unknown as { operation: string }).operation)
  }
  return NEUTRAL.has(name) || (name === 'Activation' && activationOf(layer) === 'linear')
}

interface Called {
  readonly inboundNodes: readonly { readonly inboundLayers: readonly Layer[] }[]
}

/** Where a layer's one input comes from; undefined for the first of a model, and for one that is called several times. */
function layerBefore(layer: Layer, model: tf.LayersModel): Layer | undefined {
  if (model instanceof tf.Sequential) {
    const place = model.layers.indexOf(layer)
    return place > 0 ? model.layers[place - 1] : undefined
  }
  const [node] = (layer as unknown as Called).inboundNodes
  const [before, second] = node?.inboundLayers ?? []
  const isInside = before !== undefined && model.layers.includes(before)
  return isInside && !second && before.getClassName() !== 'InputLayer' ? before : undefined
}

/** How many layers of the model take what a layer gives. */
function usesOf(layer: Layer, model: tf.LayersModel): number {
  return model.layers.filter((one) =>
    (one as unknown as Called).inboundNodes[0]?.inboundLayers.includes(layer),
  ).length
}

/** Activations that keep the value as it is, sigmoid or softmax; null for any other. */
function activationOf(layer: Layer): Head['activation'] {
  const name = layer.getClassName()
  if (name === 'Softmax') return 'softmax'
  if (name === 'KerasOperation') return null
  const isActivated = name === 'Dense' || name === 'Activation' || name === 'Conv2D'
  const activation = isActivated
    ? ((layer as unknown as Activated).activation?.getClassName() ?? 'linear')
    : null
  return activation === 'linear' || activation === 'sigmoid' || activation === 'softmax'
    ? activation
    : null
}

/** Runs `use` while the last layer leaves out its sigmoid or softmax, so that the model gives logits. */
export function withoutLastActivation<T>(head: Head, use: () => T): T {
  if (head.activation === null || head.activation === 'linear') return use()
  const { layer } = head
  if (layer.getClassName() === 'Softmax') return passingSoftmax(layer, use)
  const activated = layer as unknown as Activated
  const before = activated.activation ?? null
  activated.activation = linear()
  try {
    return use()
  } finally {
    activated.activation = before
  }
}

function linear(): { getClassName(): string } | null {
  const layer = tf.layers.activation({ activation: 'linear' }) as unknown as Activated
  return layer.activation ?? null
}

/** A Softmax layer hands its input on. */
function passingSoftmax<T>(layer: Layer, use: () => T): T {
  const replaceable = layer as unknown as { softmax: (x: tf.Tensor) => tf.Tensor }
  const before = replaceable.softmax
  replaceable.softmax = (x) => tf.clone(x)
  try {
    return use()
  } finally {
    replaceable.softmax = before
  }
}
