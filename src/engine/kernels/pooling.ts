// Max and average pooling with their gradients, in NCHW.
import * as tf from '@tensorflow/tfjs'
import { currentGraph } from '../tracing/current-graph.ts'
import { made, nchw } from '../tracing/layout.ts'
import { permuted, sizeOf, TO_NCHW, type Value } from '../tracing/value.ts'
import type { ConvInfo } from './convolution.ts'
import { unreached } from './convolution-gradients.ts'
import { kernel } from './kernel.ts'

interface PoolAttributes {
  readonly filterSize: number | [number, number]
  readonly strides: number | [number, number]
  readonly pad: 'valid' | 'same' | number
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

function poolInfo(shape: readonly number[], attributes: PoolAttributes): ConvInfo {
  const { filterSize, strides, pad, dimRoundingMode } = attributes
  const input = [...shape] as [number, number, number, number]
  return tf.backend_util.computePool2DInfo(input, filterSize, strides, 1, pad, dimRoundingMode)
}

function poolNodeAttributes(info: ConvInfo) {
  const { top, left, bottom, right } = info.padInfo
  return {
    kernel_shape: [info.filterHeight, info.filterWidth],
    strides: [info.strideHeight, info.strideWidth],
    pads: [top, left, bottom, right],
  }
}

// Operator: MaxPool
kernel<'x', PoolAttributes>('MaxPool', ({ x }, attributes) => {
  const info = poolInfo(x.shape, attributes)
  const pool = currentGraph().record('MaxPool', [nchw(x)], { attributes: poolNodeAttributes(info) })
  return { ...made(pool.outputs[0] ?? '', 'nchw', info.outShape), pool }
})

// Operator: AveragePool, which like TF.js leaves padding out of the count
kernel<'x', PoolAttributes>('AvgPool', ({ x }, attributes) => {
  const info = poolInfo(x.shape, attributes)
  const name = currentGraph().node('AveragePool', [nchw(x)], {
    attributes: { ...poolNodeAttributes(info), count_include_pad: 0 },
  })
  return made(name, 'nchw', info.outShape)
})

/** The name of MaxPool's second output: where each maximum was, as an index into the whole NCHW input. */
function indicesOf(input: Value, output: Value, info: ConvInfo): string {
  const graph = currentGraph()
  const isOfThisGraph = output.pool && output.graph === graph
  const pool = isOfThisGraph
    ? output.pool
    : graph.record('MaxPool', [nchw(input)], { attributes: poolNodeAttributes(info) })
  if (!pool) throw new Error('trace: a max pooling without a node')
  if (pool.outputs.length === 1) pool.outputs.push(graph.newName())
  return pool.outputs[1] ?? ''
}

/** Operators: MaxUnpool if windows do not overlap, else ScatterElements(add); by the indices of MaxPool */
kernel<'dy' | 'input' | 'output', PoolAttributes>(
  'MaxPoolGrad',
  ({ dy, input, output }, attributes) => {
    const graph = currentGraph()
    const info = poolInfo(input.shape, attributes)
    const indices = indicesOf(input, output, info)
    const dims = graph.integers(permuted(input.shape, TO_NCHW))
    const { top, left, bottom, right } = info.padInfo
    const isDisjoint =
      info.strideHeight >= info.filterHeight &&
      info.strideWidth >= info.filterWidth &&
      top + left + bottom + right === 0
    if (isDisjoint) {
      const { kernel_shape, strides } = poolNodeAttributes(info)
      const name = graph.node('MaxUnpool', [nchw(dy), indices, dims], {
        attributes: { kernel_shape, strides },
      })
      return made(name, 'nchw', input.shape)
    }
    const flat = graph.integers([-1])
    const zeros = graph.node('Expand', [graph.scalar(0), graph.integers([sizeOf(input.shape)])])
    const places = graph.node('Reshape', [indices, flat])
    const updates = graph.node('Reshape', [nchw(dy), flat])
    const sum = graph.node('ScatterElements', [zeros, places, updates], {
      attributes: { axis: 0, reduction: 'add' },
    })
    return made(graph.node('Reshape', [sum, dims]), 'nchw', input.shape)
  },
)

/** For each output place 1 / (the number of input elements in its window that are no padding): [1, 1, h, w]. */
function reciprocalCounts(info: ConvInfo): Float32Array {
  const { top, left } = info.padInfo
  const covered = (start: number, size: number, limit: number) =>
    Math.min(start + size, limit) - Math.max(start, 0)
  return Float32Array.from({ length: info.outHeight * info.outWidth }, (_, i) => {
    const row = Math.floor(i / info.outWidth) * info.strideHeight - top
    const column = (i % info.outWidth) * info.strideWidth - left
    const rows = covered(row, info.filterHeight, info.inHeight)
    return 1 / (rows * covered(column, info.filterWidth, info.inWidth))
  })
}

/** Operators: Mul, then Expand when the windows tile the input, else a depthwise ConvTranspose with ones */
kernel<'dy' | 'input', PoolAttributes>('AvgPoolGrad', ({ dy, input }, attributes) => {
  const graph = currentGraph()
  const info = poolInfo(input.shape, attributes)
  const { outHeight, outWidth, filterHeight, filterWidth } = info
  const [batch = 1, height = 1, width = 1, channels = 1] = input.shape
  const { top, left, bottom, right } = info.padInfo
  const weights = graph.initializer('float32', [1, 1, outHeight, outWidth], reciprocalCounts(info))
  const share = graph.node('Mul', [nchw(dy), weights])
  const isTiling =
    info.strideHeight === filterHeight &&
    info.strideWidth === filterWidth &&
    height === outHeight * filterHeight &&
    width === outWidth * filterWidth &&
    top + left + bottom + right === 0
  if (isTiling) {
    const small = graph.integers([batch, channels, outHeight, 1, outWidth, 1])
    const large = graph.integers([batch, channels, outHeight, filterHeight, outWidth, filterWidth])
    const spread = graph.node('Expand', [graph.node('Reshape', [share, small]), large])
    const dims = graph.integers([batch, channels, height, width])
    return made(graph.node('Reshape', [spread, dims]), 'nchw', input.shape)
  }
  const ones = new Float32Array(channels * filterHeight * filterWidth).fill(1)
  const filter = graph.initializer('float32', [channels, 1, filterHeight, filterWidth], ones)
  const name = graph.node('ConvTranspose', [share, filter], {
    attributes: {
      ...poolNodeAttributes(info),
      group: channels,
      output_padding: unreached(info, input.shape),
    },
  })
  return made(name, 'nchw', input.shape)
})
