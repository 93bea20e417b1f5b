// LayerNormalization as TF.js has it (same configuration, same weights), computed in the order that ONNX Runtime fuses into
// one operator and with a gradient in closed form. TF.js' own copies the statistics to the size of the input first.
import * as tf from '@tensorflow/tfjs'
import { onlyTensor } from '../layer-calls.ts'

/**
 * Ba et al. 2016, over the last axis: gamma (x - mean) / sqrt(variance + epsilon) + beta.
 * With r = 1 / sqrt(variance + epsilon), xhat = (x - mean) r and g = gamma dy:
 * dx = r (g - mean(g) - xhat mean(g xhat)).
 */
export function normaliseLast(
  x: tf.Tensor,
  { gamma, beta, epsilon }: { gamma?: tf.Tensor; beta?: tf.Tensor; epsilon: number },
): tf.Tensor {
  const standardise = tf.customGrad((...args) => {
    const [given, save] = args as [tf.Tensor, tf.GradSaveFunc]
    const centred = tf.sub(given, tf.mean(given, -1, true))
    const variance = tf.mean(tf.pow(centred, 2), -1, true)
    const deviation = tf.sqrt(tf.add(variance, epsilon))
    const value = tf.div(centred, deviation)
    save([value, deviation])
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor => {
      const [xhat, spread] = saved as [tf.Tensor, tf.Tensor]
      const common = tf.mean(dy, -1, true)
      const along = tf.mul(xhat, tf.mean(tf.mul(dy, xhat), -1, true))
      return tf.div(tf.sub(tf.sub(dy, common), along), spread)
    }
    return { value, gradFunc }
  })
  const scaled = gamma ? tf.mul(standardise(x), gamma) : standardise(x)
  return beta ? tf.add(scaled, beta) : scaled
}

type LayerClass = new (args: object) => tf.layers.Layer
const StockLayer = tf.layers.layerNormalization({}).constructor as LayerClass

interface Normalising {
  readonly axis: readonly number[]
  readonly epsilon: number
  readonly gamma: { read(): tf.Tensor } | null
  readonly beta: { read(): tf.Tensor } | null
}

class LayerNormalization extends StockLayer {
  static className = 'LayerNormalization'

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: object): tf.Tensor | tf.Tensor[] {
    const { axis, epsilon, gamma, beta } = this as unknown as Normalising
    const x = onlyTensor(inputs)
    if (axis.length !== 1 || axis[0] !== x.rank - 1) return super.call(inputs, kwargs)
    return tf.tidy(() =>
      normaliseLast(x, {
        epsilon,
        ...(gamma ? { gamma: gamma.read() } : {}),
        ...(beta ? { beta: beta.read() } : {}),
      }),
    )
  }
}
tf.serialization.registerClass(
  LayerNormalization as unknown as tf.serialization.SerializableConstructor<LayerNormalization>,
)

/** Over the last axis, with scale and centre. */
export function layerNormalization(args: { name: string; epsilon: number }): tf.layers.Layer {
  return new LayerNormalization({ ...args, axis: -1 })
}
