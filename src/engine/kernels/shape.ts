// Kernels that move or repeat elements without arithmetic on them: reshape, transpose, tile, concat, pad, fill.
import * as tf from '@tensorflow/tfjs'
import { currentGraph } from '../tracing/current-graph.ts'
import {
  broadcasting,
  commonLayout,
  existsInNchw,
  filled,
  made,
  nameIn,
  nchw,
  nhwc,
} from '../tracing/layout.ts'
import {
  at,
  constant,
  NCHW_AXIS,
  permuted,
  sameShape,
  sizeOf,
  TO_NCHW,
  TO_NHWC,
  type Value,
  type ValueType,
} from '../tracing/value.ts'
import { kernel, listOf } from './kernel.ts'

/** Constants up to this size change shape without a node; larger ones keep their one initializer. */
const SMALL_CONSTANT = 64

/** Operator: Reshape, or nothing for small constants, broadcasts of one number and equal shapes. */
export function reshape(x: Value, shape: readonly number[]): Value {
  if (sameShape(x.shape, shape)) return x
  if (x.data && x.data.length <= SMALL_CONSTANT) return constant(x.data, shape, x.type)
  if (x.broadcast && sizeOf(x.broadcast.shape) === 1) {
    const graph = currentGraph()
    const { name } = x.broadcast
    const one =
      x.broadcast.shape.length === 0 ? name : graph.node('Reshape', [name, graph.integers([])])
    return broadcasting({ name: one, shape: [] }, shape, x.type)
  }
  const graph = currentGraph()
  const isFlat = existsInNchw(x) && at(x.shape, 1) * at(x.shape, 2) === 1 // same order in both layouts
  const source = isFlat ? nchw(x) : nhwc(x)
  return made(graph.node('Reshape', [source, graph.integers(shape)]), 'nhwc', shape, x.type)
}

kernel<'x', { shape: number[] }>('Reshape', ({ x }, { shape }) =>
  reshape(x, tf.util.inferFromImplicitShape(shape, sizeOf(x.shape))),
)

kernel<'input', { dim: number }>('ExpandDims', ({ input }, { dim }) => {
  const axis = dim < 0 ? input.shape.length + 1 + dim : dim
  return reshape(input, input.shape.toSpliced(axis, 0, 1))
})

/** Operator: Transpose; none between channels first and channels last, which only say what the layouts are */
export function transpose(x: Value, perm: readonly number[]): Value {
  const shape = permuted(x.shape, perm)
  if (sameShape(perm, TO_NHWC)) return made(nhwc(x), 'nchw', shape, x.type)
  if (sameShape(perm, TO_NCHW)) return made(nchw(x), 'nhwc', shape, x.type)
  const name = currentGraph().node('Transpose', [nhwc(x)], { attributes: { perm } })
  return made(name, 'nhwc', shape, x.type)
}

kernel<'x', { perm: number[] }>('Transpose', ({ x }, { perm }) => transpose(x, perm))

// Operator: Tile, or a broadcast that is expanded only if somebody needs it
kernel<'x', { reps: number[] }>('Tile', ({ x }, { reps }) => {
  const shape = x.shape.map((dim, axis) => dim * at(reps, axis))
  const isBroadcast = x.shape.every((dim, axis) => dim === 1 || reps[axis] === 1)
  if (isBroadcast) return broadcasting({ name: nhwc(x), shape: x.shape }, shape, x.type)
  const graph = currentGraph()
  return made(graph.node('Tile', [nhwc(x), graph.integers(reps)]), 'nhwc', shape, x.type)
})

// Operator: Expand
kernel<'x', { shape: number[] }>('BroadcastTo', ({ x }, { shape }) =>
  broadcasting({ name: nhwc(x), shape: x.shape }, shape, x.type),
)

/** Operator: Concat */
function concat(values: readonly Value[], axis: number): Value {
  const parts = values.filter((value) => sizeOf(value.shape) > 0)
  const [first = values[0]] = parts
  if (!first) throw new Error('trace: nothing to concatenate')
  const total = parts.reduce((sum, value) => sum + at(value.shape, axis), 0)
  const shape = first.shape.with(axis, total)
  const layout = commonLayout(parts, shape.length)
  const onnxAxis = layout === 'nchw' ? (NCHW_AXIS[axis] ?? 0) : axis
  const names = parts.map((value) => nameIn(value, layout))
  const name = currentGraph().node('Concat', names, { attributes: { axis: onnxAxis } })
  return made(name, layout, shape, first.type)
}

kernel<string, { axis: number }>('Concat', (inputs, { axis }) => {
  const values = listOf(inputs)
  return concat(values, axis < 0 ? axis + (values[0]?.shape.length ?? 0) : axis)
})

kernel<string, { axis: number }>('Pack', (inputs, { axis }) => {
  const values = listOf(inputs)
  const place = axis < 0 ? axis + (values[0]?.shape.length ?? 0) + 1 : axis
  const parts = values.map((value) => reshape(value, value.shape.toSpliced(place, 0, 1)))
  return concat(parts, place)
})

interface PadAttributes {
  readonly paddings: readonly (readonly [number, number])[]
  readonly constantValue: number
}

/** Operator: Pad */
export function pad(x: Value, { paddings, constantValue }: PadAttributes): Value {
  const graph = currentGraph()
  const shape = x.shape.map((dim, i) => dim + (paddings[i]?.[0] ?? 0) + (paddings[i]?.[1] ?? 0))
  // Padding of height and width comes before a convolution: do it in the convolution's layout.
  const isSpatial = x.shape.length === 4 && paddings[3]?.every((amount) => amount === 0)
  const layout = isSpatial || existsInNchw(x) ? 'nchw' : 'nhwc'
  const ordered = layout === 'nchw' ? permuted(paddings, TO_NCHW) : paddings
  const pads = [...ordered.map(([before]) => before), ...ordered.map(([, after]) => after)]
  const inputs = [nameIn(x, layout), graph.integers(pads), graph.scalar(constantValue)]
  return made(graph.node('Pad', inputs), layout, shape, x.type)
}

kernel<'x', PadAttributes>('PadV2', ({ x }, attributes) => pad(x, attributes))

type Reflection = Pick<PadAttributes, 'paddings'> & { readonly mode: 'reflect' | 'symmetric' }

// Operator: Gather along each padded axis; ONNX's own Pad has no symmetric mode, which repeats the border.
kernel<'x', Reflection>('MirrorPad', ({ x }, { paddings, mode }) => {
  const graph = currentGraph()
  return paddings.reduce((value, [before, after], axis) => {
    if (before + after === 0) return value
    const length = at(x.shape, axis)
    const total = before + length + after
    const places = Array.from({ length: total }, (_, i) => mirrored(i - before, length, mode))
    const layout = existsInNchw(value) ? 'nchw' : 'nhwc'
    const name = graph.node('Gather', [nameIn(value, layout), graph.integers(places)], {
      attributes: { axis: layout === 'nchw' ? (NCHW_AXIS[axis] ?? 0) : axis },
    })
    return made(name, layout, value.shape.with(axis, total), x.type)
  }, x)
})

/** Where a place outside of 0..length-1 is mirrored to: at the border's sample (reflect) or at its outer edge. */
function mirrored(place: number, length: number, mode: Reflection['mode']): number {
  const edge = mode === 'reflect' ? 0 : 1
  if (place < 0) return -place - edge
  return place < length ? place : 2 * (length - 1) - place + edge
}

interface FillAttributes {
  readonly shape: readonly number[]
  readonly value: number
  readonly dtype?: ValueType
}
kernel<never, FillAttributes>('Fill', (_, { shape, value, dtype }) =>
  filled(value, shape, dtype ?? 'float32'),
)
kernel<'x'>('ZerosLike', ({ x }) => filled(0, x.shape, x.type))
kernel<'x'>('OnesLike', ({ x }) => filled(1, x.shape, x.type))

interface RangeAttributes {
  readonly start: number
  readonly stop: number
  readonly step: number
  readonly dtype?: ValueType
}
kernel<never, RangeAttributes>('Range', (_, { start, stop, step, dtype }) => {
  const length = Math.max(0, Math.ceil((stop - start) / step))
  const values = Array.from({ length }, (_, i) => start + i * step)
  return constant(values, [length], dtype ?? 'float32')
})

interface LinSpace {
  readonly start: number
  readonly stop: number
  readonly num: number
}
kernel<never, LinSpace>('LinSpace', (_, { start, stop, num }) => {
  const step = num > 1 ? (stop - start) / (num - 1) : 0
  return constant(
    Array.from({ length: num }, (_, i) => start + i * step),
    [num],
    'float32',
  )
})
