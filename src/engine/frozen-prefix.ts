// The frozen beginning of a model: every layer call that no trained layer comes before. Its results are the same in every
// epoch, so that they can be computed once and kept; what follows is trained on them.
import * as tf from '@tensorflow/tfjs'
import { imageShapeOf } from './image-shape.ts'
import { type Layer, type LayerCall, onlyTensor, withLayerCalls } from './layer-calls.ts'
import { trace } from './tracing/trace.ts'
import { activeLayers, isBatchNorm } from './training/weights.ts'

type Shape = readonly number[]

interface FrozenCall {
  /** Without the batch, of each result. */
  readonly shapes: readonly Shape[]
  /** Where its results are among the features; undefined when only frozen layers read them. */
  readonly offset: number | undefined
}

export interface FrozenPrefix {
  /** For each layer call in order; undefined for what is trained, or follows something that is. */
  readonly calls: readonly (FrozenCall | undefined)[]
  /** Numbers kept for one image. */
  readonly size: number
  /** Height, width and channels of an image. */
  readonly imageShape: Shape
  /** The last layers whose results are kept, for a record. */
  readonly layers: readonly string[]
}

type Visit = (call: LayerCall) => tf.Tensor | tf.Tensor[]

interface Watched {
  readonly layer: Layer
  readonly outputs: readonly tf.Tensor[]
  readonly isFrozen: boolean
  isRead: boolean
}

/** Undefined when training changes something before the first frozen result, so that nothing could be kept. */
export function findFrozenPrefix(model: tf.LayersModel): FrozenPrefix | undefined {
  const imageShape = imageShapeOf(model)
  const changing = changingLayers(model)
  const watched: Watched[] = []
  let readsImage = false
  trace({ input: { shape: [1, ...imageShape] } }, ({ input }) => {
    const image = given(input)
    const frozen = new Map<number, Watched>()
    const scores = applyWith(model, image, (call) => {
      const inputs = [call.inputs].flat()
      const result = call.proceed({ training: false })
      const isFrozen =
        !changing.has(call.layer) && inputs.every(({ id }) => id === image.id || frozen.has(id))
      const one: Watched = { layer: call.layer, outputs: [result].flat(), isFrozen, isRead: false }
      watched.push(one)
      if (isFrozen) for (const { id } of one.outputs) frozen.set(id, one)
      else {
        for (const { id } of inputs) {
          const source = frozen.get(id)
          if (source) source.isRead = true
          if (id === image.id) readsImage = true
        }
      }
      return result
    })
    return { scores }
  })
  const kept = watched.filter(({ isRead }) => isRead)
  if (readsImage || kept.length === 0) return undefined
  let size = 0
  const calls = watched.map(({ outputs, isFrozen, isRead }) => {
    if (!isFrozen) return undefined
    const shapes = outputs.map(({ shape }) => shape.slice(1))
    const offset = isRead ? size : undefined
    if (isRead) size += shapes.reduce((sum, shape) => sum + sizeOf(shape), 0)
    return { shapes, offset }
  })
  return { calls, size, imageShape, layers: kept.map(({ layer }) => layer.name) }
}

/** Layers that do something else in training than at inference, or whose weights are trained. */
function changingLayers(model: tf.LayersModel): ReadonlySet<Layer> {
  const drops = new Set(['Dropout', 'SpatialDropout1D'])
  return new Set(
    [...activeLayers(model)].filter(
      (layer) =>
        layer.trainableWeights.length > 0 || isBatchNorm(layer) || drops.has(layer.getClassName()),
    ),
  )
}

/** What the frozen layers make of images [batch, height, width, channels]: [batch, size]. */
export function computeFeatures(
  model: tf.LayersModel,
  prefix: FrozenPrefix,
  { images, keep }: { readonly images: tf.Tensor; readonly keep: (tensor: tf.Tensor) => tf.Tensor },
): tf.Tensor {
  const parts: tf.Tensor[] = []
  let number = 0
  applyWith(model, images, (call) => {
    const known = prefix.calls[number++]
    const result = call.proceed({ training: false })
    if (known?.offset !== undefined) {
      for (const tensor of [result].flat()) {
        parts.push(keep(tf.reshape(tensor, [images.shape[0] ?? 1, -1])))
      }
    }
    return result
  })
  return parts.length === 1 ? given(parts[0]) : tf.concat(parts, 1)
}

/** Applies the model to features of its frozen beginning, [batch, size], instead of to images. */
export function applyToFeatures(
  model: tf.LayersModel,
  features: tf.Tensor,
  { prefix, visit }: { readonly prefix: FrozenPrefix; readonly visit: Visit },
): tf.Tensor {
  const batch = features.shape[0] ?? 1
  let number = 0
  // Nothing reads the image, nor those results of frozen layers that were not kept.
  return applyWith(model, tf.zeros([batch, ...prefix.imageShape]), (call) => {
    const known = prefix.calls[number++]
    if (!known) return visit(call)
    let { offset } = known
    const results = known.shapes.map((shape) => {
      if (offset === undefined) return tf.zeros([batch, ...shape])
      const part = tf.slice(features, [0, offset], [batch, sizeOf(shape)])
      offset += sizeOf(shape)
      return tf.reshape(part, [batch, ...shape])
    })
    const [only, ...others] = results
    return only && others.length === 0 ? only : results
  })
}

function applyWith(model: tf.LayersModel, images: tf.Tensor, visit: Visit): tf.Tensor {
  return withLayerCalls(model, visit, () =>
    onlyTensor(model.apply(images, { training: true }) as tf.Tensor),
  )
}

function sizeOf(shape: Shape): number {
  return shape.reduce((product, dim) => product * dim, 1)
}

function given(tensor: tf.Tensor | undefined): tf.Tensor {
  if (!tensor) throw new Error('a tensor of the frozen layers is missing')
  return tensor
}
