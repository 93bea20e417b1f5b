// Kernels that take a part of a value: slices with and without steps, splits, reversal.
import * as tf from '@tensorflow/tfjs'
import { currentGraph } from '../tracing/current-graph.ts'
import { commonLayout, made, nameIn, nhwc } from '../tracing/layout.ts'
import { at, NCHW_AXIS, permuted, TO_NCHW, type Value } from '../tracing/value.ts'
import { kernel } from './kernel.ts'
import { axesOf } from './reduce.ts'
import { reshape } from './shape.ts'

/** As an end of a slice that goes down: the first element is still in it. */
const BEFORE_FIRST = -(2n ** 63n - 1n)

interface StridedSliceAttributes {
  readonly begin: number[]
  readonly end: number[]
  readonly strides: number[]
  readonly beginMask: number
  readonly endMask: number
  readonly ellipsisMask: number
  readonly newAxisMask: number
  readonly shrinkAxisMask: number
}

/** Operator: Slice, in the layout that the value has. */
export function slice(x: Value, begin: readonly number[], size: readonly number[]): Value {
  const graph = currentGraph()
  const layout = commonLayout([x], x.shape.length)
  const starts = layout === 'nchw' ? permuted(begin, TO_NCHW) : begin
  const sizes = layout === 'nchw' ? permuted(size, TO_NCHW) : size
  const ends = starts.map((start, axis) => start + at(sizes, axis))
  const axes = starts.map((_, axis) => axis)
  const bounds = [starts, ends, axes].map((list) => graph.integers(list))
  return made(graph.node('Slice', [nameIn(x, layout), ...bounds]), layout, size, x.type)
}

kernel<'x', { begin: number[]; size: number[] }>('Slice', ({ x }, attributes) => {
  const begin = x.shape.map((_, axis) => [attributes.begin].flat()[axis] ?? 0)
  const size = x.shape.map((dim, axis) => {
    const wanted = [attributes.size].flat()[axis] ?? -1
    return wanted < 0 ? dim - at(begin, axis) : wanted
  })
  return slice(x, begin, size)
})

// Operator: Split
kernel<'x', { numOrSizeSplits: number | number[]; axis: number }>('SplitV', ({ x }, attributes) => {
  const graph = currentGraph()
  const [axis = 0] = axesOf(attributes.axis, x.shape.length)
  const { numOrSizeSplits: splits } = attributes
  const whole = at(x.shape, axis)
  const given = typeof splits === 'number' ? new Array<number>(splits).fill(whole / splits) : splits
  const known = given.reduce((sum, size) => sum + Math.max(size, 0), 0)
  const sizes = given.map((size) => (size < 0 ? whole - known : size))
  const layout = commonLayout([x], x.shape.length)
  const { outputs } = graph.record('Split', [nameIn(x, layout), graph.integers(sizes)], {
    attributes: { axis: layout === 'nchw' ? (NCHW_AXIS[axis] ?? 0) : axis },
    outputs: sizes.length,
  })
  return sizes.map((size, i) => made(outputs[i] ?? '', layout, x.shape.with(axis, size), x.type))
})

kernel<'value', { axis: number }>('Unpack', ({ value }, attributes) => {
  const [axis = 0] = axesOf(attributes.axis, value.shape.length)
  const shape = value.shape.toSpliced(axis, 1)
  return Array.from({ length: at(value.shape, axis) }, (_, i) => {
    const begin = value.shape.map(() => 0).with(axis, i)
    return reshape(slice(value, begin, value.shape.with(axis, 1)), shape)
  })
})

// Operator: Slice, Reshape. Masks and negative steps are resolved by TF.js' own arithmetic, for the shape is known.
kernel<'x', StridedSliceAttributes>('StridedSlice', ({ x }, a) => {
  const { begin, end, strides, finalShape, finalShapeSparse } = tf.slice_util.sliceInfo(
    [...x.shape],
    a.begin,
    a.end,
    a.strides,
    a.beginMask,
    a.endMask,
    a.ellipsisMask,
    a.newAxisMask,
    a.shrinkAxisMask,
  )
  const graph = currentGraph()
  // Going down, the end lies before the first element, which ONNX would take as counted from the last.
  const ends = end.map((stop, axis) => (at(strides, axis) < 0 && stop < 0 ? BEFORE_FIRST : stop))
  const bounds = [begin, ends, x.shape.map((_, axis) => axis), strides]
  const name = graph.node('Slice', [nhwc(x), ...bounds.map((list) => graph.integers(list))])
  return reshape(made(name, 'nhwc', finalShapeSparse, x.type), finalShape)
})

/** Operator: Slice with step -1 */
function reverse(x: Value, axes: readonly number[]): Value {
  const graph = currentGraph()
  const name = graph.node('Slice', [
    nhwc(x),
    graph.integers(axes.map(() => -1)),
    graph.integers(axes.map(() => BEFORE_FIRST)),
    graph.integers(axes),
    graph.integers(axes.map(() => -1)),
  ])
  return made(name, 'nhwc', x.shape, x.type)
}

kernel<'x', { dims: number | number[] }>('Reverse', ({ x }, { dims }) =>
  reverse(x, axesOf(dims, x.shape.length)),
)
kernel<'image'>('FlipLeftRight', ({ image }) => reverse(image, [2]))
