// Gradients of convolutions with respect to their input and their filter.
import { currentGraph } from '../tracing/current-graph.ts'
import { made, nchw } from '../tracing/layout.ts'
import type { Value } from '../tracing/value.ts'
import {
  type ConvAttributes,
  type ConvInfo,
  convInfo,
  convNodeAttributes,
  filterName,
} from './convolution.ts'
import { kernel } from './kernel.ts'

type Shape4 = [number, number, number, number]

/** Above this many numbers the columns of im2col are not built at once (256 MiB). */
const MAX_COLUMN_NUMBERS = 64 * 1024 * 1024

interface InputGradient {
  readonly dy: Value
  readonly filter: Value
  readonly inputShape: Shape4
  readonly attributes: ConvAttributes
  readonly depthwise: boolean
}

/** Operators: Conv with the filter turned by 180 degrees at stride 1, else ConvTranspose. */
function inputGradient({ dy, filter, inputShape, attributes, depthwise }: InputGradient): Value {
  const graph = currentGraph()
  const shapes = { input: inputShape, filter: filter.shape, depthwise }
  const info = convInfo(shapes, attributes)
  const { top, left, bottom, right } = info.padInfo
  const [height, width] = [info.filterHeight, info.filterWidth]
  const weights = filterName(filter, depthwise)
  const group = depthwise ? info.inChannels : 1
  const isPlain = info.strideHeight === 1 && info.strideWidth === 1 && info.dilationHeight === 1
  const hasMultiplier = depthwise && info.outChannels !== info.inChannels
  if (isPlain && !hasMultiplier) {
    const turned = height * width === 1 ? weights : turn(weights)
    const filterOfGradient = depthwise
      ? turned
      : graph.node('Transpose', [turned], { attributes: { perm: [1, 0, 2, 3] } })
    const pads = [height - 1 - top, width - 1 - left, height - 1 - bottom, width - 1 - right]
    if (pads.every((pad) => pad >= 0)) {
      const name = graph.node('Conv', [nchw(dy), filterOfGradient], {
        attributes: { kernel_shape: [height, width], strides: [1, 1], pads, group },
      })
      return made(name, 'nchw', inputShape)
    }
  }
  const name = graph.node('ConvTranspose', [nchw(dy), weights], {
    attributes: { ...convNodeAttributes(info, group), output_padding: unreached(info, inputShape) },
  })
  return made(name, 'nchw', inputShape)
}

/** Operator: Slice with step -1 along height and width */
function turn(weights: string): string {
  const graph = currentGraph()
  const beginning = -(2n ** 63n - 1n)
  return graph.node('Slice', [
    weights,
    graph.integers([-1, -1]),
    graph.integers([beginning, beginning]),
    graph.integers([2, 3]),
    graph.integers([-1, -1]),
  ])
}

/** Rows and columns at the end of the input that no window of a strided convolution covers. */
export function unreached(info: ConvInfo, inputShape: readonly number[]): [number, number] {
  const { top, left, bottom, right } = info.padInfo
  const rows = (info.outHeight - 1) * info.strideHeight + info.effectiveFilterHeight - top - bottom
  const columns = (info.outWidth - 1) * info.strideWidth + info.effectiveFilterWidth - left - right
  const [, height = 0, width = 0] = inputShape
  return [Math.max(0, height - rows), Math.max(0, width - columns)]
}

for (const [name, depthwise] of [
  ['Conv2DBackpropInput', false],
  ['DepthwiseConv2dNativeBackpropInput', true],
] as const) {
  kernel<'dy' | 'filter', ConvAttributes & { inputShape: Shape4 }>(
    name,
    ({ dy, filter }, attributes) =>
      inputGradient({ dy, filter, inputShape: attributes.inputShape, attributes, depthwise }),
  )
}

/**
 * For each filter position the part of the input that it is multiplied with: [n, channels, out height, out width].
 * Operators: Pad, Slice
 */
function taps(x: Value, info: ConvInfo): string[] {
  const graph = currentGraph()
  const { top, left, bottom, right } = info.padInfo
  const isPadded = top + left + bottom + right > 0
  const pads = graph.integers([0, 0, top, left, 0, 0, bottom, right])
  const input = isPadded ? graph.node('Pad', [nchw(x), pads]) : nchw(x)
  const isWhole =
    info.filterHeight * info.filterWidth === 1 && info.strideHeight * info.strideWidth === 1
  if (isWhole) return [input]
  const height = (info.outHeight - 1) * info.strideHeight + 1
  const width = (info.outWidth - 1) * info.strideWidth + 1
  const axes = graph.integers([2, 3])
  const steps = graph.integers([info.strideHeight, info.strideWidth])
  return Array.from({ length: info.filterHeight * info.filterWidth }, (_, i) => {
    const row = Math.floor(i / info.filterWidth) * info.dilationHeight
    const column = (i % info.filterWidth) * info.dilationWidth
    const [start, end] = [
      [row, column],
      [row + height, column + width],
    ]
    return graph.node('Slice', [input, graph.integers(start), graph.integers(end), axes, steps])
  })
}

/** Operator: Concat, or nothing for one part */
function joined(parts: readonly string[], axis: number): string {
  const [first = ''] = parts
  return parts.length === 1 ? first : currentGraph().node('Concat', parts, { attributes: { axis } })
}

/**
 * Operators: Slice, Concat, FusedMatMul (com.microsoft), ReduceSum. All filter positions side by side and one batched
 * product (im2col), which is fastest; one product for each position where the columns would take too much memory.
 */
kernel<'x' | 'dy', ConvAttributes & { filterShape: Shape4 }>(
  'Conv2DBackpropFilter',
  ({ x, dy }, attributes) => {
    const graph = currentGraph()
    const { filterShape } = attributes
    const shapes = { input: x.shape, filter: filterShape, depthwise: false }
    const info = convInfo(shapes, attributes)
    const { batchSize, inChannels, outChannels } = info
    const places = info.outHeight * info.outWidth
    const positions = info.filterHeight * info.filterWidth
    const gradient = graph.node('Reshape', [
      nchw(dy),
      graph.integers([batchSize, outChannels, places]),
    ])
    const summedProduct = (columns: string, rows: number) => {
      const shaped = graph.node('Reshape', [columns, graph.integers([batchSize, rows, places])])
      const product = graph.node('FusedMatMul', [shaped, gradient], {
        attributes: { transB: 1 },
        domain: 'com.microsoft',
      })
      return graph.node('ReduceSum', [product, graph.integers([0])], {
        attributes: { keepdims: 0 },
      })
    }
    const parts = taps(x, info)
    const fits = batchSize * positions * inChannels * places <= MAX_COLUMN_NUMBERS
    const filter = fits
      ? summedProduct(joined(parts, 1), positions * inChannels)
      : joined(
          parts.map((part) => summedProduct(part, inChannels)),
          0,
        )
    return made(graph.node('Reshape', [filter, graph.integers(filterShape)]), 'nhwc', filterShape)
  },
)

/** Operators: Slice, Mul, ReduceSum for each filter position, Concat */
kernel<'x' | 'dy', ConvAttributes & { filterShape: Shape4 }>(
  'DepthwiseConv2dNativeBackpropFilter',
  ({ x, dy }, attributes) => {
    const graph = currentGraph()
    const { filterShape } = attributes
    const multiplier = filterShape[3]
    const shapes = { input: x.shape, filter: filterShape, depthwise: true }
    const info = convInfo(shapes, attributes)
    const { batchSize, inChannels, outHeight, outWidth } = info
    const withMultiplier = (name: string, count: number) =>
      multiplier === 1
        ? name
        : graph.node('Reshape', [
            name,
            graph.integers([batchSize, inChannels, count, outHeight, outWidth]),
          ])
    const gradient = withMultiplier(nchw(dy), multiplier)
    const axes = graph.integers(multiplier === 1 ? [0, 2, 3] : [0, 3, 4])
    const row = graph.integers([1, inChannels, multiplier])
    const rows = taps(x, info).map((part) => {
      const product = graph.node('Mul', [withMultiplier(part, 1), gradient])
      const sum = graph.node('ReduceSum', [product, axes], { attributes: { keepdims: 0 } })
      return graph.node('Reshape', [sum, row])
    })
    return made(
      graph.node('Reshape', [joined(rows, 0), graph.integers(filterShape)]),
      'nhwc',
      filterShape,
    )
  },
)
