// What an architecture costs, read off its layers: multiplications and the memory of its feature maps.
import type * as tf from '@tensorflow/tfjs'

export interface Cost {
  /** Of one image: convolutions, dense layers and attention. */
  readonly gigaMacs: number
  /** All layers' outputs for one image as float32. */
  readonly activationMegabytes: number
}

export function costOf(model: tf.LayersModel): Cost {
  let [macs, numbers] = [0, 0]
  for (const layer of model.layers) {
    const [, ...output] = (layer.outputShape as tf.Shape).map(Number)
    const [, ...input] = ([layer.input].flat()[0]?.shape ?? []).map(Number)
    numbers += product(output)
    for (const { originalName, shape } of layer.weights) {
      if (originalName.endsWith('kernel')) macs += product(shape.map(Number)) * uses(output)
    }
    // Each token is compared with each other, and then they are added up: twice tokens² times the width.
    if (layer.getClassName() === 'SelfAttention') macs += 2 * product(output) * (input[0] ?? 1)
  }
  return { gigaMacs: macs / 1e9, activationMegabytes: (numbers * 4) / 2 ** 20 }
}

/** How often a kernel is applied: at every place of a map, to every token, or once. */
function uses(output: readonly number[]): number {
  return product(output.slice(0, -1))
}

function product(values: readonly number[]): number {
  return values.reduce((size, value) => size * value, 1)
}
