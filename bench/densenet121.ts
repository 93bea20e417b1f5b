// DenseNet121 (Huang et al. 2017) layer for layer as in keras.applications, with random weights: what the benchmarks time.
import * as tf from '@tensorflow/tfjs'

type Symbol = tf.SymbolicTensor

const EPSILON = 1.001e-5
const GROWTH = 32
const BLOCKS = [6, 12, 24, 16]

const apply = (layer: tf.layers.Layer, x: Symbol | Symbol[]) => layer.apply(x) as Symbol

function normalised(x: Symbol, name: string, relu: string): Symbol {
  const bn = apply(tf.layers.batchNormalization({ epsilon: EPSILON, name }), x)
  return apply(tf.layers.activation({ activation: 'relu', name: relu }), bn)
}

function conv(x: Symbol, name: string, [kernelSize, filters]: readonly [number, number]): Symbol {
  const options = { kernelSize, filters, useBias: false, padding: 'same', name } as const
  return apply(tf.layers.conv2d({ ...options, kernelInitializer: 'heNormal' }), x)
}

/** 8,062,504 parameters with 1,000 outputs. Ends in linear logits. */
export function densenet121({ size = 224, outputs = 2 } = {}): tf.LayersModel {
  const input = tf.input({ shape: [size, size, 3] })
  let x = apply(tf.layers.zeroPadding2d({ padding: 3, name: 'zero_padding2d' }), input)
  x = apply(
    tf.layers.conv2d({
      kernelSize: 7,
      strides: 2,
      filters: 64,
      useBias: false,
      name: 'conv1_conv',
    }),
    x,
  )
  x = normalised(x, 'conv1_bn', 'conv1_relu')
  x = apply(tf.layers.zeroPadding2d({ padding: 1, name: 'zero_padding2d_1' }), x)
  x = apply(tf.layers.maxPooling2d({ poolSize: 3, strides: 2, name: 'pool1' }), x)
  for (const [i, blocks] of BLOCKS.entries()) {
    const stage = i + 2
    for (let block = 1; block <= blocks; block++) {
      const name = `conv${stage}_block${block}`
      let y = normalised(x, `${name}_0_bn`, `${name}_0_relu`)
      y = conv(y, `${name}_1_conv`, [1, 4 * GROWTH])
      y = normalised(y, `${name}_1_bn`, `${name}_1_relu`)
      y = conv(y, `${name}_2_conv`, [3, GROWTH])
      x = apply(tf.layers.concatenate({ name: `${name}_concat` }), [x, y])
    }
    if (i === BLOCKS.length - 1) break
    x = normalised(x, `pool${stage}_bn`, `pool${stage}_relu`)
    x = conv(x, `pool${stage}_conv`, [1, Number(x.shape[3]) / 2])
    x = apply(tf.layers.averagePooling2d({ poolSize: 2, strides: 2, name: `pool${stage}_pool` }), x)
  }
  x = normalised(x, 'bn', 'relu')
  x = apply(tf.layers.globalAveragePooling2d({ name: 'avg_pool' }), x)
  const logits = apply(tf.layers.dense({ units: outputs, name: 'predictions' }), x)
  return tf.model({ inputs: input, outputs: logits, name: 'densenet121' })
}
