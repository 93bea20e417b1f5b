// Keras' Normalization layer, which TF.js lacks: (x - mean) / sqrt(variance), with statistics that are never trained.
import * as tf from '@tensorflow/tfjs'
import { onlyTensor } from '../layer-calls.ts'

/** Keras' floor for the standard deviation. */
const MIN_DEVIATION = 1e-7

type PerChannel = number | readonly number[]

export interface NormalizationConfig {
  readonly name?: string
  /** Statistics as configuration; without them they are weights (mean, variance, count), as in EfficientNet. */
  readonly mean?: PerChannel | null
  readonly variance?: PerChannel | null
  readonly invert?: boolean
}

/** For channels last: one mean and variance for each number of the last axis. */
class Normalization extends tf.layers.Layer {
  static className = 'Normalization'
  readonly #given: NormalizationConfig
  #statistics: readonly { read(): tf.Tensor }[] = []

  constructor(args: NormalizationConfig & { axis?: unknown }) {
    super(args as ConstructorParameters<typeof tf.layers.Layer>[0])
    this.#given = args
    const axes = [args.axis ?? -1].flat()
    if (axes.length !== 1 || (axes[0] !== -1 && axes[0] !== 3)) {
      throw new Error(`Normalization over the axes ${axes.join()} is not read here, only the last`)
    }
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const channels = (inputShape as tf.Shape).at(-1)
    if (this.#given.mean === undefined || this.#given.mean === null) {
      const [zeros, ones] = [tf.initializers.zeros(), tf.initializers.ones()]
      const shape = [channels ?? null]
      const mean = this.addWeight('mean', shape, 'float32', zeros, undefined, false)
      const variance = this.addWeight('variance', shape, 'float32', ones, undefined, false)
      this.addWeight('count', [], 'int32', zeros, undefined, false)
      this.#statistics = [mean, variance]
    }
    super.build(inputShape)
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = onlyTensor(inputs)
      const [mean, variance] = this.#meanAndVariance()
      const deviation = tf.maximum(tf.sqrt(variance), MIN_DEVIATION)
      return this.#given.invert
        ? tf.add(tf.mul(x, deviation), mean)
        : tf.div(tf.sub(x, mean), deviation)
    })
  }

  #meanAndVariance(): [tf.Tensor, tf.Tensor] {
    const [mean, variance] = this.#statistics
    if (mean && variance) return [mean.read(), variance.read()]
    const given = (value: PerChannel | null | undefined, otherwise: number): tf.Tensor => {
      const list = [value ?? otherwise].flat(3)
      return list.length === 1 ? tf.scalar(Number(list[0])) : tf.tensor1d(list.map(Number))
    }
    return [given(this.#given.mean, 0), given(this.#given.variance, 1)]
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { mean = null, variance = null, invert = false } = this.#given
    const own = { axis: -1, mean, variance, invert } as tf.serialization.ConfigDict
    return { ...super.getConfig(), ...own }
  }
}
tf.serialization.registerClass(Normalization)

export function normalization(config: NormalizationConfig): tf.layers.Layer {
  return new Normalization(config)
}
