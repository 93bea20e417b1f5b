// First weights of a network that is trained from scratch: they depend on the seed and the place in the network alone, and
// are drawn in one pass, much faster than by TF.js' initialisers (138 million numbers in seconds, not minutes).
import * as tf from '@tensorflow/tfjs'
import { uniforms } from '../engine/random/counter-random.ts'
import { PURPOSE } from '../engine/random/draw-purposes.ts'

/**
 * Convolutions: uniform with variance 2 / fan-in (He et al. 2015). Dense layers and attention: uniform with variance
 * 2 / (fan-in + fan-out) (Glorot and Bengio 2010). Embeddings: variance 0.02². The rest keeps what its layer gave it.
 */
export function drawWeights(model: tf.LayersModel, seed: number): void {
  model.weights.forEach((weight, index) => {
    const shape = weight.shape.map(Number)
    const variance = varianceOf(weight.originalName, shape)
    if (variance === undefined) return
    const size = shape.reduce((product, dim) => product * dim, 1)
    const limit = Math.sqrt(3 * variance)
    const values = uniforms(size, seed, PURPOSE.weights, index)
    for (let i = 0; i < size; i++) values[i] = limit * (2 * (values[i] ?? 0) - 1)
    const tensor = tf.tensor(values, shape)
    weight.write(tensor)
    tensor.dispose()
  })
}

function varianceOf(name: string, shape: readonly number[]): number | undefined {
  const kind = name.split('/').at(-1) ?? ''
  if (kind === 'embedding' || kind === 'token') return 0.02 ** 2
  if (!kind.endsWith('kernel')) return undefined
  const [rows = 1, columns = 1, inputs = 1] = shape
  if (shape.length === 2) return 2 / (rows + columns)
  return 2 / (kind === 'depthwise_kernel' ? rows * columns : rows * columns * inputs)
}
