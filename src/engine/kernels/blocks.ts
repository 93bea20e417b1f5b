// Kernels that move blocks of places to the batch or out of the channels: dilated convolutions and upscaling of older graphs.
import * as tf from '@tensorflow/tfjs'
import { currentGraph } from '../tracing/current-graph.ts'
import { made, nchw } from '../tracing/layout.ts'
import { at, sizeOf } from '../tracing/value.ts'
import { kernel } from './kernel.ts'
import { pad, reshape, transpose } from './shape.ts'
import { slice } from './slice.ts'

const { getReshaped, getPermuted, getReshapedPermuted, getSliceBeginCoords, getSliceSize } =
  tf.backend_util

interface BatchToSpace {
  readonly blockShape: number[]
  readonly crops: number[][]
}

// Operators: Reshape, Transpose, Slice
kernel<'x', BatchToSpace>('BatchToSpaceND', ({ x }, { blockShape, crops }) => {
  const shape = [...x.shape]
  const product = sizeOf(blockShape)
  const split = getReshaped(shape, blockShape, product)
  const merged = getReshapedPermuted(shape, blockShape, product)
  const moved = transpose(reshape(x, split), getPermuted(split.length, blockShape.length))
  const begin = getSliceBeginCoords(crops, blockShape.length)
  return slice(reshape(moved, merged), begin, getSliceSize(merged, crops, blockShape.length))
})

interface SpaceToBatch {
  readonly blockShape: number[]
  readonly paddings: [number, number][]
}

// Operators: Pad, Reshape, Transpose
kernel<'x', SpaceToBatch>('SpaceToBatchND', ({ x }, { blockShape, paddings }) => {
  const product = sizeOf(blockShape)
  const around = x.shape.map((_, axis) => paddings[axis - 1] ?? ([0, 0] as const))
  const padded = pad(x, { paddings: around, constantValue: 0 })
  const shape = [...padded.shape]
  const split = getReshaped(shape, blockShape, product, false)
  const moved = transpose(
    reshape(padded, split),
    getPermuted(split.length, blockShape.length, false),
  )
  return reshape(moved, getReshapedPermuted(shape, blockShape, product, false))
})

interface DepthToSpace {
  readonly blockSize: number
  readonly dataFormat: string
}

// Operator: DepthToSpace, its mode DCR
kernel<'x', DepthToSpace>('DepthToSpace', ({ x }, { blockSize, dataFormat }) => {
  if (dataFormat !== 'NHWC') throw new Error(`trace: DepthToSpace of ${dataFormat} is not written`)
  const [batch, height, width, channels] = [0, 1, 2, 3].map((axis) => at(x.shape, axis)) as [
    number,
    number,
    number,
    number,
  ]
  const name = currentGraph().node('DepthToSpace', [nchw(x)], {
    attributes: { blocksize: blockSize, mode: 'DCR' },
  })
  const shape = [batch, height * blockSize, width * blockSize, channels / blockSize ** 2]
  return made(name, 'nchw', shape, x.type)
})
