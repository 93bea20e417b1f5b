// Images made larger, smaller or cut inside a model, as Keras' Resizing, CenterCrop and UpSampling2D do it.
import * as tf from '@tensorflow/tfjs'
import { onlyTensor } from '../layer-calls.ts'

export interface Resize {
  readonly height: number
  readonly width: number
  readonly interpolation: 'bilinear' | 'nearest'
  /** The middle part of the result's shape is taken first, or what is missing is filled. */
  readonly aspect?: 'stretch' | 'crop' | 'pad'
  readonly fillValue?: number
}

/** Half-pixel centres, no antialiasing: tf.image.resize of TensorFlow 2. */
export function resized(x: tf.Tensor4D, how: Resize): tf.Tensor4D {
  const { height, width, interpolation } = how
  const given = how.aspect === 'crop' ? cropped(x, how) : how.aspect === 'pad' ? padded(x, how) : x
  if (given.shape[1] === height && given.shape[2] === width) return tf.clone(given)
  return interpolation === 'nearest'
    ? tf.image.resizeNearestNeighbor(given, [height, width], false, true)
    : tf.image.resizeBilinear(given, [height, width], false, true)
}

interface Size {
  readonly height: number
  readonly width: number
}

/** The largest part in the middle that has the shape of the result. */
function cropped(x: tf.Tensor4D, { height, width }: Size): tf.Tensor4D {
  const [, h, w] = x.shape
  const part = {
    height: Math.max(1, Math.min(h, Math.trunc((w * height) / width))),
    width: Math.max(1, Math.min(w, Math.trunc((h * width) / height))),
  }
  const [top, left] = [Math.trunc((h - part.height) / 2), Math.trunc((w - part.width) / 2)]
  return tf.slice(x, [0, top, left, 0], [-1, part.height, part.width, -1])
}

/** As in Keras, the same amount on both sides. */
function padded(x: tf.Tensor4D, { height, width, fillValue = 0 }: Resize): tf.Tensor4D {
  const [, h, w] = x.shape
  const rows = Math.trunc((Math.max(h, Math.trunc((w * height) / width)) - h) / 2)
  const columns = rows > 0 ? 0 : Math.trunc((Math.max(w, Math.trunc((h * width) / height)) - w) / 2)
  return tf.pad(
    x,
    [
      [0, 0],
      [rows, rows],
      [columns, columns],
      [0, 0],
    ],
    fillValue,
  )
}

/** Keras' CenterCrop: the middle of an image that is large enough, else the middle of its shape, made larger. */
function centre(x: tf.Tensor4D, { height, width }: Size): tf.Tensor4D {
  const [, h, w] = x.shape
  if (h < height || w < width) {
    return resized(x, { height, width, interpolation: 'bilinear', aspect: 'crop' })
  }
  const [top, left] = [Math.floor((h - height) / 2), Math.floor((w - width) / 2)]
  return tf.slice(x, [0, top, left, 0], [-1, height, width, -1])
}

type LayerArgs = ConstructorParameters<typeof tf.layers.Layer>[0]
type ResizingConfig = Resize & { readonly name?: string; readonly centre?: boolean }

class KerasResizing extends tf.layers.Layer {
  static className = 'KerasResizing'
  readonly #how: ResizingConfig

  constructor(args: ResizingConfig) {
    super(args as unknown as LayerArgs)
    this.#how = args
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [batch = null, , , channels = null] = inputShape as tf.Shape
    return [batch, this.#how.height, this.#how.width, channels]
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const resize = this.#how.centre ? centre : resized
    return tf.tidy(() => resize(onlyTensor(inputs) as tf.Tensor4D, this.#how))
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { height, width, interpolation, aspect = 'stretch' } = this.#how
    const { fillValue = 0, centre: isCentre = false } = this.#how
    const own = { height, width, interpolation, aspect, fillValue, centre: isCentre }
    return { ...super.getConfig(), ...own }
  }
}
tf.serialization.registerClass(
  KerasResizing as unknown as tf.serialization.SerializableConstructor<KerasResizing>,
)

/** Keras' UpSampling2D with `bilinear`, whose half-pixel centres TF.js' own lacks. */
class SmoothUpSampling2D extends tf.layers.Layer {
  static className = 'SmoothUpSampling2D'
  readonly #size: readonly [number, number]

  constructor(args: { readonly name?: string; readonly size: number | [number, number] }) {
    super(args as unknown as LayerArgs)
    const [rows = 2, columns = rows] = [args.size].flat()
    this.#size = [rows, columns]
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [batch = null, h = null, w = null, channels = null] = inputShape as tf.Shape
    const times = (n: number | null, factor: number): number | null => (n ? n * factor : null)
    return [batch, times(h, this.#size[0]), times(w, this.#size[1]), channels]
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = onlyTensor(inputs) as tf.Tensor4D
    const [rows, columns] = this.#size
    const [height, width] = [x.shape[1] * rows, x.shape[2] * columns]
    return tf.tidy(() => resized(x, { height, width, interpolation: 'bilinear' }))
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), size: [...this.#size] }
  }
}
tf.serialization.registerClass(
  SmoothUpSampling2D as unknown as tf.serialization.SerializableConstructor<SmoothUpSampling2D>,
)
