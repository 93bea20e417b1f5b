// Multi-head self-attention of a vision transformer as one layer in TF.js ops: TF.js has none.
import * as tf from '@tensorflow/tfjs'
import { onlyTensor } from '../layer-calls.ts'

export interface SelfAttentionConfig {
  readonly name?: string
  readonly heads: number
  /**
   * How many of the first tokens ask; the others are only asked. All of them by default. The last block of a classifier
   * needs the answer for its class token alone, so that all that follows it works on one token.
   */
  readonly queries?: number | null
}

/**
 * Vaswani et al. 2017: softmax(q k' / sqrt(d)) v for each head, heads side by side, projected.
 * [batch, tokens, width] to [batch, queries or tokens, width]. Weights in the order of PyTorch's MultiheadAttention, each
 * kernel transposed: in_proj_kernel [width, 3 width] (q, k, v side by side), in_proj_bias, out_proj_kernel, out_proj_bias;
 * all zero at first.
 */
class SelfAttention extends tf.layers.Layer {
  static className = 'SelfAttention'
  readonly #heads: number
  readonly #queries: number | null
  #weights: readonly { read(): tf.Tensor }[] = []

  constructor(args: SelfAttentionConfig) {
    super(args as ConstructorParameters<typeof tf.layers.Layer>[0])
    this.#heads = args.heads
    this.#queries = args.queries ?? null
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const width = (inputShape as tf.Shape).at(-1) ?? 0
    if (width % this.#heads !== 0) {
      throw new Error(`${width} features cannot be shared out among ${this.#heads} heads`)
    }
    const zeros = () => tf.initializers.zeros()
    this.#weights = [
      this.addWeight('in_proj_kernel', [width, 3 * width], 'float32', zeros()),
      this.addWeight('in_proj_bias', [3 * width], 'float32', zeros()),
      this.addWeight('out_proj_kernel', [width, width], 'float32', zeros()),
      this.addWeight('out_proj_bias', [width], 'float32', zeros()),
    ]
    super.build(inputShape)
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [batch = null, tokens = null, width = null] = inputShape as tf.Shape
    return [batch, this.#queries ?? tokens, width]
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = onlyTensor(inputs) as tf.Tensor3D
      const [inKernel, inBias, outKernel, outBias] = this.#weights.map((weight) => weight.read())
      const [, tokens, width] = x.shape
      const queries = this.#queries ?? tokens
      const asking = queries === tokens ? x : tf.slice(x, [0, 0, 0], [-1, queries, -1])
      const size = width / this.#heads
      const headed = (from: tf.Tensor, part: 0 | 1 | 2, order: number[]): tf.Tensor => {
        const kernel = tf.slice(inKernel as tf.Tensor, [0, part * width], [-1, width])
        const bias = tf.slice(inBias as tf.Tensor, [part * width], [width])
        const y = projected(from, kernel, bias)
        const shape = [from.shape[0] ?? 1, from.shape[1] ?? 1, this.#heads, size]
        return tf.transpose(tf.reshape(y, shape), order)
      }
      const q = headed(asking, 0, [0, 2, 1, 3]) // [batch, heads, queries, size]
      const k = headed(x, 1, [0, 2, 3, 1]) // [batch, heads, size, tokens]
      const v = headed(x, 2, [0, 2, 1, 3]) // [batch, heads, tokens, size]
      const attention = tf.softmax(tf.mul(tf.matMul(q, k), 1 / Math.sqrt(size)))
      const answers = tf.transpose(tf.matMul(attention, v), [0, 2, 1, 3])
      const merged = tf.reshape(answers, [x.shape[0], queries, width])
      return projected(merged, outKernel as tf.Tensor, outBias as tf.Tensor)
    })
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), heads: this.#heads, queries: this.#queries }
  }
}
tf.serialization.registerClass(SelfAttention)

/** x kernel + bias over the last axis, as one product of matrices. */
function projected(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  const rows = tf.reshape(x, [-1, x.shape.at(-1) ?? 1])
  const y = tf.fused.matMul({ a: rows as tf.Tensor2D, b: kernel as tf.Tensor2D, bias })
  return tf.reshape(y, [...x.shape.slice(0, -1), kernel.shape[1] ?? 1])
}

export function selfAttention(config: SelfAttentionConfig): tf.layers.Layer {
  return new SelfAttention(config)
}
