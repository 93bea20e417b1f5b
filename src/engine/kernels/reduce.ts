// Kernels that reduce axes: sums, means, extremes, positions of extremes, softmax.
import { ELEMENT_TYPES } from '../onnx/model.ts'
import { currentGraph } from '../tracing/current-graph.ts'
import { existsInNchw, made, nchw, nhwc } from '../tracing/layout.ts'
import { at, constant, NCHW_AXIS, type Value } from '../tracing/value.ts'
import { binary, cast } from './broadcast.ts'
import { kernel } from './kernel.ts'

const REDUCTIONS = {
  Sum: 'ReduceSum',
  Mean: 'ReduceMean',
  Max: 'ReduceMax',
  Min: 'ReduceMin',
  Prod: 'ReduceProd',
} as const

interface ReduceAttributes {
  readonly axis?: number | readonly number[]
  readonly reductionIndices?: number | readonly number[]
  readonly keepDims?: boolean
}

/** Axes as TF.js gives them (one, several, negative, none for all) as a sorted list. */
export function axesOf(
  axis: number | readonly number[] | null | undefined,
  rank: number,
): number[] {
  const axes =
    axis === undefined || axis === null ? Array.from({ length: rank }, (_, i) => i) : [axis].flat()
  return axes.map((one) => (one < 0 ? one + rank : one)).sort((a, b) => a - b)
}

for (const [name, op] of Object.entries(REDUCTIONS)) {
  kernel<'x', ReduceAttributes>(name, ({ x }, { axis, reductionIndices, keepDims }) =>
    reduce(op, x.type === 'bool' ? cast(x, 'int32') : x, {
      axes: axesOf(axis ?? reductionIndices, x.shape.length),
      keepDims: keepDims ?? false,
    }),
  )
}

interface ReduceOptions {
  readonly axes: readonly number[]
  readonly keepDims: boolean
}

/** Operators: ReduceSumSquare, Mul: a sum or mean of squares without the squares in memory */
function reduceSquares(op: string, x: Value, options: ReduceOptions): Value {
  const sum = reduce('ReduceSumSquare', x, options)
  if (op === 'ReduceSum') return sum
  const count = options.axes.reduce((product, axis) => product * at(x.shape, axis), 1)
  return binary('Mul', sum, constant([1 / count], [], 'float32'))
}

/** Operators: ReduceSum, ReduceMean, ReduceMax, ReduceMin, ReduceProd; in the layout that the value has. */
export function reduce(op: string, x: Value, { axes, keepDims }: ReduceOptions): Value {
  if (axes.length === 0) return x
  if (x.squareOf && (op === 'ReduceSum' || op === 'ReduceMean')) {
    return reduceSquares(op, x.squareOf, { axes, keepDims })
  }
  const graph = currentGraph()
  const shape = keepDims
    ? x.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
    : x.shape.filter((_, axis) => !axes.includes(axis))
  const isNchw = existsInNchw(x) && keepsOrder(axes, keepDims)
  const onnxAxes = isNchw ? axes.map((axis) => NCHW_AXIS[axis] ?? 0).sort((a, b) => a - b) : axes
  const input = isNchw ? nchw(x) : nhwc(x)
  const keepdims = keepDims ? 1 : 0
  const name =
    op === 'ReduceSum' // its axes are an input since operator set 13, those of the others an attribute until 18
      ? graph.node(op, [input, graph.integers(onnxAxes)], { attributes: { keepdims } })
      : graph.node(op, [input], { attributes: { axes: onnxAxes, keepdims } })
  return made(name, isNchw && keepDims ? 'nchw' : 'nhwc', shape, x.type)
}

/** Whether the axes that remain of an NCHW value are in TF.js' order: one axis or none, batch and channels, or all. */
function keepsOrder(axes: readonly number[], keepDims: boolean): boolean {
  return keepDims || axes.length >= 3 || axes.join() === '1,2'
}

for (const op of ['ArgMax', 'ArgMin'] as const) {
  // Operators: ArgMax or ArgMin, Cast
  kernel<'x', { axis: number | readonly number[] }>(op, ({ x }, attributes) => {
    const graph = currentGraph()
    const [axis = 0] = axesOf(attributes.axis, x.shape.length)
    const index = graph.node(op, [nhwc(x)], { attributes: { axis, keepdims: 0 } })
    const name = graph.node('Cast', [index], { attributes: { to: ELEMENT_TYPES.int32 } })
    const shape = x.shape.filter((_, i) => i !== axis)
    return made(name, 'nhwc', shape, 'int32')
  })
}

for (const [name, op] of [
  ['All', 'ReduceMin'],
  ['Any', 'ReduceMax'],
] as const) {
  kernel<'x', ReduceAttributes>(name, ({ x }, { axis, keepDims }) =>
    cast(
      reduce(op, cast(x, 'int32'), {
        axes: axesOf(axis, x.shape.length),
        keepDims: keepDims ?? false,
      }),
      'bool',
    ),
  )
}

// Operator: Softmax
kernel<'logits', { dim: number }>('Softmax', ({ logits }, { dim }) =>
  made(
    currentGraph().node('Softmax', [nhwc(logits)], { attributes: { axis: dim } }),
    'nhwc',
    logits.shape,
  ),
)

// Operator: LogSoftmax
kernel<'logits', { axis: number }>('LogSoftmax', ({ logits }, { axis }) =>
  made(
    currentGraph().node('LogSoftmax', [nhwc(logits)], { attributes: { axis } }),
    'nhwc',
    logits.shape,
  ),
)
