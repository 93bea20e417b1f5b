// BatchNormalization without scale or centre: TF.js computes it, but its gradient asks for the weights that are not there.
import * as tf from '@tensorflow/tfjs'
import { onlyTensor } from '../layer-calls.ts'

type LayerClass = new (args: object) => tf.layers.Layer
const Stock = tf.layers.batchNormalization({}).constructor as LayerClass
type Weight = { read(): tf.Tensor } | null | undefined

interface Normalising {
  readonly axis: number
  readonly epsilon: number
  readonly gamma: Weight
  readonly beta: Weight
  readonly movingMean: { read(): tf.Tensor }
  readonly movingVariance: { read(): tf.Tensor }
}

class BatchNormalization extends Stock {
  static className = 'BatchNormalization'

  override call(
    inputs: tf.Tensor | tf.Tensor[],
    kwargs: { readonly training?: boolean },
  ): tf.Tensor | tf.Tensor[] {
    const { axis, epsilon, gamma, beta, movingMean, movingVariance } =
      this as unknown as Normalising
    const x = onlyTensor(inputs)
    const isLast = axis === -1 || axis === x.rank - 1
    if (kwargs.training || (gamma && beta) || !isLast) return super.call(inputs, kwargs)
    return tf.tidy(() => {
      const deviation = tf.sqrt(tf.add(movingVariance.read(), epsilon))
      const scale = tf.div(gamma?.read() ?? 1, deviation)
      const offset = tf.sub(beta?.read() ?? 0, tf.mul(movingMean.read(), scale))
      return tf.add(tf.mul(x, scale), offset)
    })
  }
}
tf.serialization.registerClass(
  BatchNormalization as unknown as tf.serialization.SerializableConstructor<BatchNormalization>,
)
