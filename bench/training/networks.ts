// What the training benchmarks train: architectures of this project by name, and the plain CNN of 3x3 convolutions.
import * as tf from '@tensorflow/tfjs'
import { getArchitecture } from '../../src/architectures/catalogue.ts'
import { trainLastLayers } from '../../src/architectures/fine-tuning.ts'

/** `custom_cnn`, `plain_cnn`, `densenet121`, each with `:20` for its last 20 layers only. */
export function networkFor(what: string, size: number): tf.LayersModel {
  const [name = '', last] = what.split(':')
  const model =
    name === 'plain_cnn'
      ? plainCnn(size)
      : getArchitecture(name).build({ height: size, width: size, channels: 3, outputs: 2, seed: 1 })
  if (last !== undefined) trainLastLayers(model, Number(last))
  return model
}

/** 32-64-128-256 filters of 3x3, each with batch normalisation, relu and 2x2 pooling; then a linear head. */
function plainCnn(size: number): tf.LayersModel {
  const model = tf.sequential()
  for (const [i, filters] of [32, 64, 128, 256].entries()) {
    const shape = i === 0 ? { inputShape: [size, size, 3] } : {}
    model.add(
      tf.layers.conv2d({ filters, kernelSize: 3, padding: 'same', useBias: false, ...shape }),
    )
    model.add(tf.layers.batchNormalization({ epsilon: 1e-3 }))
    model.add(tf.layers.reLU())
    model.add(tf.layers.maxPooling2d({ poolSize: 2 }))
  }
  model.add(tf.layers.globalAveragePooling2d({}))
  model.add(tf.layers.dense({ units: 2, activation: 'softmax' }))
  return model
}
