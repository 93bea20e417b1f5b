// A traced value: what a TF.js tensor is while a function is recorded. It has a name in the graph for each memory
// layout in which it exists; the other layout is written as a Transpose only when a kernel asks for it.

import type { GraphRecorder } from '../onnx/graph-recorder.ts'
import type { ElementArray, OnnxNode } from '../onnx/model.ts'

/** The order in which a rank-4 value lies in memory: TF.js' own, or that of ONNX's convolutions. */
export type Layout = 'nhwc' | 'nchw'
export type ValueType = 'float32' | 'int32' | 'bool'
export type ValueData = Float32Array | Int32Array | Uint8Array

/** Axis order of an NHWC shape in NCHW, and back. */
export const TO_NCHW = [0, 3, 1, 2] as const
export const TO_NHWC = [0, 2, 3, 1] as const
/** Where each NHWC axis is found in NCHW. */
export const NCHW_AXIS = [0, 2, 3, 1] as const

export interface Value {
  /** Always in TF.js' order. */
  readonly shape: readonly number[]
  readonly type: ValueType
  /** Known while tracing: becomes an initializer of each graph that reads it. */
  readonly data?: ValueData
  /** The graph that `names` belong to; a constant may pass from one graph to the next. */
  graph?: GraphRecorder
  /** Names under which it exists in that graph. `nhwc` also serves values that are not of rank 4. */
  names: { nhwc?: string; nchw?: string; filter?: string; depthwiseFilter?: string }
  /** A smaller value that broadcasts to this one and is expanded only if a kernel cannot take it so. */
  readonly broadcast?: { readonly name: string; readonly shape: readonly number[] }
  /** Of `step(x)`: the mask x > 0, so that a product with it becomes a Where. */
  readonly mask?: Value
  /** Of `square(x)`: x, so that a sum over it is one ReduceSumSquare. */
  readonly squareOf?: Value
  /** Of a max pooling: its node, whose second output holds the indices that the gradient needs. */
  readonly pool?: OnnxNode
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1)
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis])
}

/** `values[order[0]], values[order[1]], …` */
export function permuted<T>(values: readonly T[], order: readonly number[]): T[] {
  return order.map((axis) => values[axis] as T)
}

export function at(values: readonly number[], index: number): number {
  const value = values.at(index)
  if (value === undefined) throw new Error(`no dimension ${index} in [${values.join()}]`)
  return value
}

const ARRAYS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const

/** A constant. Plain lists and other element types, which TF.js passes at times, are converted. */
export function constant(
  values: ArrayLike<number>,
  shape: readonly number[],
  type: ValueType,
): Value {
  const data = values instanceof ARRAYS[type] ? values : ARRAYS[type].from(values)
  return { shape, type, data, names: {} }
}

/** Copies an array into another axis order. */
export function transposeData<T extends ElementArray>(
  data: T,
  shape: readonly number[],
  order: readonly number[],
): T {
  const rank = shape.length
  const strides = new Array<number>(rank).fill(1)
  for (let axis = rank - 2; axis >= 0; axis--) {
    strides[axis] = (strides[axis + 1] ?? 1) * (shape[axis + 1] ?? 1)
  }
  const dims = permuted(shape, order)
  const steps = permuted(strides, order)
  const index = new Array<number>(rank).fill(0)
  const out = data.slice() as T
  let from = 0
  for (let to = 0; to < out.length; to++) {
    out[to] = data[from] as never
    for (let axis = rank - 1; axis >= 0; axis--) {
      const step = steps[axis] ?? 0
      const dim = dims[axis] ?? 1
      from += step
      const next = (index[axis] ?? 0) + 1
      if (next < dim) {
        index[axis] = next
        break
      }
      index[axis] = 0
      from -= step * dim
    }
  }
  return out
}
