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

/** The last layer of a model, looked for inside nested models (Teachable Machine nests Sequential in Sequential). */
export function findHead(model: tf.LayersModel): Head {
  const last = model instanceof tf.Sequential ? model.layers.at(-1) : model.outputLayers[0]
  if (!last) throw new Error('a model without layers')
  if (isModel(last)) return findHead(last)
  return { layer: last, activation: activationOf(last) }
}

/** Activations that keep the value as it is, sigmoid or softmax; null for any other. */
function activationOf(layer: Layer): Head['activation'] {
  const name = layer.getClassName()
  if (name === 'Softmax') return 'softmax'
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
