// Layers that Keras has and TF.js lacks, for classifiers that are brought along: pooling that keeps its axes, differences,
// and activations under the names that the translation of Keras files gives them.
import * as tf from '@tensorflow/tfjs'
import { onlyTensor } from '../layer-calls.ts'

type LayerArgs = ConstructorParameters<typeof tf.layers.Layer>[0]
type Pooling = 'mean' | 'max'

/** [batch, height, width, features] to [batch, 1, 1, features]: Keras' global pooling with `keepdims`. */
class GlobalPooling2DKept extends tf.layers.Layer {
  static className = 'GlobalPooling2DKept'
  readonly #pooling: Pooling

  constructor(args: { readonly name?: string; readonly pooling: Pooling }) {
    super(args as LayerArgs)
    this.#pooling = args.pooling
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [batch = null, , , features = null] = inputShape as tf.Shape
    return [batch, 1, 1, features]
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const pool = this.#pooling === 'mean' ? tf.mean : tf.max
    return tf.tidy(() => pool(onlyTensor(inputs), [1, 2], true))
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), pooling: this.#pooling }
  }
}

/** The first of two inputs less the second. */
class Subtract extends tf.layers.Layer {
  static className = 'Subtract'

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [first = [], second = []] = inputShape as tf.Shape[]
    return first.length >= second.length ? first : second
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [first, second] = inputs as [tf.Tensor, tf.Tensor]
    return tf.tidy(() => tf.sub(first, second))
  }
}
tf.serialization.registerClass(GlobalPooling2DKept)
tf.serialization.registerClass(Subtract)

/** Names are in the form that TF.js gives to what a file says: `hard_silu` is looked for as `hardSilu`. */
const ACTIVATIONS: Readonly<Record<string, (x: tf.Tensor) => tf.Tensor>> = {
  exponential: (x) => tf.exp(x),
  leakyRelu: (x) => tf.leakyRelu(x, 0.2),
  hardSilu: (x) => tf.mul(x, hardSigmoid(x)),
  hardSigmoid3: hardSigmoid,
}

/** Since Keras 3 (as in PyTorch): relu6(x + 3) / 6; before, as in TF.js: clip(0.2 x + 0.5). */
function hardSigmoid(x: tf.Tensor): tf.Tensor {
  return tf.div(tf.relu6(tf.add(x, 3)), 6)
}

for (const [className, apply] of Object.entries(ACTIVATIONS)) {
  class KerasActivation extends tf.serialization.Serializable {
    static className = className

    apply(x: tf.Tensor): tf.Tensor {
      return tf.tidy(() => apply(x))
    }

    override getConfig(): tf.serialization.ConfigDict {
      return {}
    }
  }
  tf.serialization.registerClass(KerasActivation)
}
