// Activations under the names that Keras files use, written so that ONNX Runtime recognises them and runs each as one
// operator. Loaded for its effect: a layers model that names one of them gets these.
import * as tf from '@tensorflow/tfjs'

/** x * sigmoid(x), without TF.js' own multiplication of x by 1. */
function silu(x: tf.Tensor): tf.Tensor {
  return tf.mul(x, tf.sigmoid(x))
}

/** x * P(Z <= x) with the error function itself, no approximation by tanh; the factors in ONNX Runtime's order. */
function gelu(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.mul(x, tf.add(tf.erf(tf.div(x, Math.SQRT2)), 1)), 0.5)
}

abstract class Activation extends tf.serialization.Serializable {
  abstract apply(x: tf.Tensor): tf.Tensor

  override getConfig(): tf.serialization.ConfigDict {
    return {}
  }
}

/** Keras' name since version 3. */
class Silu extends Activation {
  static className = 'silu'

  override apply(x: tf.Tensor): tf.Tensor {
    return silu(x)
  }
}

class Swish extends Activation {
  static className = 'swish'

  override apply(x: tf.Tensor): tf.Tensor {
    return silu(x)
  }
}

class Gelu extends Activation {
  static className = 'gelu'

  override apply(x: tf.Tensor): tf.Tensor {
    return gelu(x)
  }
}

for (const activation of [Silu, Swish, Gelu]) {
  tf.serialization.registerClass(activation as tf.serialization.SerializableConstructor<Activation>)
}
