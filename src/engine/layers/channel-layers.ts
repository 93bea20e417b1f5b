// Small layers of Keras that scale or normalise channels and that TF.js lacks or has only in part: GroupNormalization,
// LayerScale, Rescaling with a number for each channel, Softmax over any axis.
import * as tf from '@tensorflow/tfjs'
import { onlyTensor } from '../layer-calls.ts'
import { alongLast } from './operation.ts'

type LayerArgs = ConstructorParameters<typeof tf.layers.Layer>[0]
type Weight = { read(): tf.Tensor }

interface GroupNormalizationConfig {
  readonly name?: string
  readonly groups?: number
  readonly epsilon?: number
  readonly center?: boolean
  readonly scale?: boolean
}

/** Wu and He 2018: mean and variance over the places and the channels of each group. Channels last. */
class GroupNormalization extends tf.layers.Layer {
  static className = 'GroupNormalization'
  readonly #config: GroupNormalizationConfig
  #gamma: Weight | undefined
  #beta: Weight | undefined

  constructor(args: GroupNormalizationConfig) {
    super(args as unknown as LayerArgs)
    this.#config = args
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const channels = (inputShape as tf.Shape).at(-1) ?? 0
    const { center = true, scale = true } = this.#config
    const shape = [channels]
    if (scale) this.#gamma = this.addWeight('gamma', shape, 'float32', tf.initializers.ones())
    if (center) this.#beta = this.addWeight('beta', shape, 'float32', tf.initializers.zeros())
    if (channels % this.#groupsOf(channels) !== 0) {
      throw new Error(`${channels} channels cannot be in ${this.#groupsOf(channels)} groups`)
    }
    super.build(inputShape)
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = onlyTensor(inputs)
      const channels = x.shape.at(-1) ?? 1
      const groups = this.#groupsOf(channels)
      const places = x.shape.slice(1, -1).reduce((n, dim) => n * dim, 1)
      const grouped = tf.reshape(x, [x.shape[0] ?? 1, places, groups, channels / groups])
      const centred = tf.sub(grouped, tf.mean(grouped, [1, 3], true))
      const variance = tf.mean(tf.square(centred), [1, 3], true)
      const deviation = tf.sqrt(tf.add(variance, this.#config.epsilon ?? 1e-3))
      const plain = tf.reshape(tf.div(centred, deviation), x.shape)
      const scaled = this.#gamma ? tf.mul(plain, this.#gamma.read()) : plain
      return this.#beta ? tf.add(scaled, this.#beta.read()) : scaled
    })
  }

  /** -1 is a group for each channel. */
  #groupsOf(channels: number): number {
    const { groups = 32 } = this.#config
    return groups === -1 ? channels : groups
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { groups = 32, epsilon = 1e-3, center = true, scale = true } = this.#config
    return { ...super.getConfig(), groups, epsilon, center, scale }
  }
}

/** ConvNeXt's: each channel times a number that was trained. */
class LayerScale extends tf.layers.Layer {
  static className = 'LayerScale'
  #gamma: Weight | undefined

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const channels = (inputShape as tf.Shape).at(-1) ?? null
    this.#gamma = this.addWeight('gamma', [channels], 'float32', tf.initializers.ones())
    super.build(inputShape)
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => tf.mul(onlyTensor(inputs), this.#gamma?.read() ?? 1))
  }
}

interface ChannelRescalingConfig {
  readonly name?: string
  readonly scale: number | readonly number[]
  readonly offset?: number | readonly number[]
}

/** x scale + offset, each one number or one for each channel. */
class ChannelRescaling extends tf.layers.Layer {
  static className = 'ChannelRescaling'
  readonly #config: ChannelRescalingConfig

  constructor(args: ChannelRescalingConfig) {
    super(args as unknown as LayerArgs)
    this.#config = args
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const { scale, offset = 0 } = this.#config
    return tf.tidy(() => tf.add(tf.mul(onlyTensor(inputs), given(scale)), given(offset)))
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { scale, offset = 0 } = this.#config
    return { ...super.getConfig(), scale, offset } as tf.serialization.ConfigDict
  }
}

function given(value: number | readonly number[]): tf.Tensor {
  return typeof value === 'number' ? tf.scalar(value) : tf.tensor1d([...value])
}

type LayerClass = new (args: object) => tf.layers.Layer
const StockSoftmax = tf.layers.softmax({}).constructor as LayerClass

interface Stock {
  readonly axis: number
  /** As head.ts replaces it. */
  readonly softmax: (x: tf.Tensor, axis: number) => tf.Tensor
}

class Softmax extends StockSoftmax {
  static className = 'Softmax'

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const { axis, softmax } = this as unknown as Stock
    return tf.tidy(() => alongLast(onlyTensor(inputs), axis, (x) => softmax(x, x.rank - 1)))
  }
}

for (const layer of [GroupNormalization, LayerScale, ChannelRescaling, Softmax]) {
  tf.serialization.registerClass(
    layer as unknown as tf.serialization.SerializableConstructor<tf.layers.Layer>,
  )
}
