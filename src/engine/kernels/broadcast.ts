// The one way in which elementwise operators are written: operands brought to a common layout, broadcasts kept small.
import type { OnnxAttribute } from '../onnx/model.ts'
import { ELEMENT_TYPES } from '../onnx/model.ts'
import { currentGraph } from '../tracing/current-graph.ts'
import {
  broadcasting,
  commonLayout,
  isUnexpanded,
  made,
  nhwc,
  operand,
  physicalShape,
} from '../tracing/layout.ts'
import { sizeOf, type Value, type ValueType } from '../tracing/value.ts'

/** The shape that two operands broadcast to. @throws when they do not fit */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1
    const right = b[axis - rank + b.length] ?? 1
    if (left !== right && left !== 1 && right !== 1) {
      throw new Error(`shapes [${a.join()}] and [${b.join()}] do not broadcast`)
    }
    return left === 1 ? right : left
  })
}

export interface ElementwiseOptions {
  readonly type: ValueType
  readonly shape: readonly number[]
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>
}

/** Appends one elementwise operator. The result of broadcast operands alone stays a broadcast. */
export function elementwise(
  op: string,
  operands: readonly Value[],
  options: ElementwiseOptions,
): Value {
  const { type, shape, attributes = {} } = options
  const graph = currentGraph()
  const physical = operands.map(physicalShape).reduce(broadcastShape)
  if (sizeOf(physical) < sizeOf(shape)) {
    const small = operands.map((value) =>
      isUnexpanded(value) && value.broadcast ? value.broadcast.name : nhwc(value),
    )
    const name = graph.node(op, small, { attributes })
    return broadcasting({ name, shape: physical }, shape, type)
  }
  const layout = commonLayout(operands, shape.length)
  const names = operands.map((value) => operand(value, shape.length, layout))
  return made(graph.node(op, names, { attributes }), layout, shape, type)
}

/** An operator of one operand that keeps its shape and, unless told, its type. */
export function unary(
  op: string,
  x: Value,
  attributes: Readonly<Record<string, OnnxAttribute>> = {},
): Value {
  return elementwise(op, [x], { type: x.type, shape: x.shape, attributes })
}

/** An operator of two operands of the same type. */
export function binary(op: string, a: Value, b: Value): Value {
  return elementwise(op, [a, b], { type: a.type, shape: broadcastShape(a.shape, b.shape) })
}

/** Operator: Cast. The same value when it has the type already. */
export function cast(x: Value, type: ValueType): Value {
  if (x.type === type) return x
  return elementwise('Cast', [x], {
    type,
    shape: x.shape,
    attributes: { to: ELEMENT_TYPES[type] },
  })
}
