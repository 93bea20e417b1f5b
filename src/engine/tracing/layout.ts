// Names of a value in the graph being recorded, in the layout that a kernel wants. Writes Transpose, Reshape and Expand
// where the wanted form does not exist yet, and remembers it.
import { currentGraph } from './current-graph.ts'
import {
  at,
  constant,
  type Layout,
  permuted,
  sizeOf,
  TO_NCHW,
  TO_NHWC,
  transposeData,
  type Value,
  type ValueType,
} from './value.ts'

/** Height and width are 1: both layouts have the same order of elements. */
const isFlat = (shape: readonly number[]): boolean => at(shape, 1) * at(shape, 2) === 1

/** Makes a value part of the graph being recorded: a constant that was used in an earlier one forgets its names there. */
export function claim(value: Value): void {
  const graph = currentGraph()
  if (value.graph === graph) return
  if (!value.data && value.graph)
    throw new Error('trace: a value of an earlier trace was used again')
  value.graph = graph
  value.names = {}
}

/** The name of the value in TF.js' own order. */
export function nhwc(value: Value): string {
  claim(value)
  value.names.nhwc ??= writeNhwc(value)
  return value.names.nhwc
}

function writeNhwc(value: Value): string {
  const graph = currentGraph()
  const { shape, broadcast, names } = value
  if (value.data) return graph.constant({ type: value.type, dims: shape, data: value.data })
  if (names.nchw !== undefined) {
    return isFlat(shape)
      ? graph.node('Reshape', [names.nchw, graph.integers(shape)])
      : graph.node('Transpose', [names.nchw], { attributes: { perm: TO_NHWC } })
  }
  if (broadcast) return graph.node('Expand', [broadcast.name, graph.integers(shape)])
  throw new Error('trace: a value without a name')
}

/** The name of a rank-4 value in the order of ONNX's convolutions. */
export function nchw(value: Value): string {
  claim(value)
  value.names.nchw ??= writeNchw(value)
  return value.names.nchw
}

function writeNchw(value: Value): string {
  const graph = currentGraph()
  const { shape } = value
  const dims = permuted(shape, TO_NCHW)
  if (value.data) {
    return graph.initializer(value.type, dims, transposeData(value.data, shape, TO_NCHW))
  }
  const name = nhwc(value)
  return isFlat(shape)
    ? graph.node('Reshape', [name, graph.integers(dims)])
    : graph.node('Transpose', [name], { attributes: { perm: TO_NCHW } })
}

export function nameIn(value: Value, layout: Layout): string {
  return layout === 'nchw' ? nchw(value) : nhwc(value)
}

/** True when the value already exists in NCHW in this graph. */
export function existsInNchw(value: Value): boolean {
  return (
    value.shape.length === 4 && value.names.nchw !== undefined && value.graph === currentGraph()
  )
}

/** The layout for a kernel that can work in either: that of its inputs. */
export function commonLayout(values: readonly Value[], rank: number): Layout {
  const decides = (value: Value) => existsInNchw(value) && sizeOf(value.shape) > 1
  return rank === 4 && values.some(decides) ? 'nchw' : 'nhwc'
}

/** A new value that a node has just made. */
export function made(
  name: string,
  layout: Layout,
  shape: readonly number[],
  type: ValueType = 'float32',
): Value {
  const names = layout === 'nchw' ? { nchw: name } : { nhwc: name }
  return { shape, type, graph: currentGraph(), names }
}

/** A value that broadcasts to `shape` and is not expanded yet. */
export function broadcasting(
  small: { readonly name: string; readonly shape: readonly number[] },
  shape: readonly number[],
  type: ValueType,
): Value {
  return { shape, type, graph: currentGraph(), names: {}, broadcast: small }
}

/** Up to this many equal numbers are written out, for instance one for each channel; more of them broadcast one. */
const MAX_FILLED = 4096
const filledConstants = new Map<string, Value['data']>()

/** One number everywhere; equal ones share one array, and so one initializer. */
export function filled(value: number, shape: readonly number[], type: ValueType): Value {
  const size = sizeOf(shape)
  if (size > MAX_FILLED) {
    return broadcasting({ name: nhwc(constant([value], [], type)), shape: [] }, shape, type)
  }
  const key = `${type} ${value} ${size}`
  const data = filledConstants.get(key) ?? constant(new Array(size).fill(value), shape, type).data
  filledConstants.set(key, data)
  return constant(data ?? [], shape, type)
}

/** The shape that is really in memory. */
export function physicalShape(value: Value): readonly number[] {
  return isUnexpanded(value) && value.broadcast ? value.broadcast.shape : value.shape
}

export function isUnexpanded(value: Value): boolean {
  const { nhwc: own, nchw: other } = value.names
  return value.broadcast !== undefined && own === undefined && other === undefined
}

/** The name of an operand of a broadcasting operator whose result has `rank` dimensions in `layout`. */
export function operand(value: Value, rank: number, layout: Layout): string {
  if (isUnexpanded(value) && value.broadcast) {
    return aligned(value.broadcast.name, value.broadcast.shape, rank, layout)
  }
  if (layout === 'nhwc') return nhwc(value)
  if (value.shape.length === 4) return nchw(value)
  return aligned(nhwc(value), value.shape, rank, layout)
}

/** Numpy broadcasting aligns last axes, which in NCHW are others: writes the operand as rank 4 in that order. */
function aligned(name: string, shape: readonly number[], rank: number, layout: Layout): string {
  const isScalar = sizeOf(shape) === 1 && shape.length <= 1
  if (layout === 'nhwc' || isScalar) return name
  const graph = currentGraph()
  const full = [...new Array<number>(rank - shape.length).fill(1), ...shape]
  const dims = graph.integers(permuted(full, TO_NCHW))
  if (isFlat(full)) return graph.node('Reshape', [name, dims])
  const asFour = shape.length < 4 ? graph.node('Reshape', [name, graph.integers(full)]) : name
  return graph.node('Transpose', [asFour], { attributes: { perm: TO_NCHW } })
}
