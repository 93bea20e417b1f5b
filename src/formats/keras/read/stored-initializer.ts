// The initializer of every weight that a Keras file brings: zeros, until the stored values are put in. It refuses more
// numbers than the file holds, so that a few words of configuration cannot ask for all the memory there is.
import * as tf from '@tensorflow/tfjs'
import { refused } from './layer-config.ts'

/** Of weights that a file need not hold, such as the count of a Normalization layer. */
const SPARE = 100_000
let left = Number.POSITIVE_INFINITY

class StoredWeights extends tf.serialization.Serializable {
  static className = 'StoredWeights'

  apply(shape: tf.Shape): tf.Tensor {
    left -= shape.reduce<number>((size, n) => size * (n ?? 1), 1)
    if (left >= 0) return tf.zeros(shape as number[])
    throw refused('The model needs more weights than the file holds.')
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {}
  }
}
tf.serialization.registerClass(StoredWeights)

/** Builds one model at a time. */
export async function withinBudget<T>(values: number, use: () => Promise<T>): Promise<T> {
  left = values + SPARE
  try {
    return await use()
  } finally {
    left = Number.POSITIVE_INFINITY
  }
}
