// What a vision transformer does with its tokens besides attention: a class token before them, where each of them is, and
// the choice of the first ones at the end.
import * as tf from '@tensorflow/tfjs'
import { onlyTensor } from '../layer-calls.ts'

type LayerArgs = ConstructorParameters<typeof tf.layers.Layer>[0]
type Readable = { read(): tf.Tensor }

/** [batch, tokens, width] to [batch, 1 + tokens, width]: one learned token before the others. */
class ClassToken extends tf.layers.Layer {
  static className = 'ClassToken'
  #token: Readable | undefined

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const width = (inputShape as tf.Shape).at(-1) ?? 0
    this.#token = this.addWeight('token', [1, 1, width], 'float32', tf.initializers.zeros())
    super.build(inputShape)
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [batch = null, tokens, width = null] = inputShape as tf.Shape
    return [batch, tokens === null || tokens === undefined ? null : tokens + 1, width]
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = onlyTensor(inputs)
      const token = this.#token?.read() as tf.Tensor
      return tf.concat([tf.tile(token, [x.shape[0] ?? 1, 1, 1]), x], 1)
    })
  }
}

/** Adds what is learned of each place: [batch, tokens, width] + [1, tokens, width], zero at first. */
class PositionEmbedding extends tf.layers.Layer {
  static className = 'PositionEmbedding'
  #embedding: Readable | undefined

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const [, tokens = null, width = null] = inputShape as tf.Shape
    const zeros = tf.initializers.zeros()
    this.#embedding = this.addWeight('embedding', [1, tokens, width], 'float32', zeros)
    super.build(inputShape)
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => tf.add(onlyTensor(inputs), this.#embedding?.read() as tf.Tensor))
  }
}

/** The first `tokens`: [batch, all, width] to [batch, tokens, width]. */
class FirstTokens extends tf.layers.Layer {
  static className = 'FirstTokens'
  readonly #tokens: number

  constructor(args: { readonly name?: string; readonly tokens: number }) {
    super(args as LayerArgs)
    this.#tokens = args.tokens
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [batch = null, , width = null] = inputShape as tf.Shape
    return [batch, this.#tokens, width]
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => tf.slice(onlyTensor(inputs), [0, 0, 0], [-1, this.#tokens, -1]))
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), tokens: this.#tokens }
  }
}

tf.serialization.registerClass(ClassToken)
tf.serialization.registerClass(PositionEmbedding)
tf.serialization.registerClass(FirstTokens)

export function classToken(name: string): tf.layers.Layer {
  return new ClassToken({ name })
}

export function positionEmbedding(name: string): tf.layers.Layer {
  return new PositionEmbedding({ name })
}

export function firstTokens(args: { name: string; tokens: number }): tf.layers.Layer {
  return new FirstTokens(args)
}
