// Elementwise kernels of two operands: arithmetic, comparison, logic and choice.
import { currentGraph } from '../tracing/current-graph.ts'
import { commonLayout, made, operand } from '../tracing/layout.ts'
import { constant, sameShape, sizeOf, type Value, type ValueType } from '../tracing/value.ts'
import { binary, broadcastShape, cast, elementwise } from './broadcast.ts'
import { kernel, listOf } from './kernel.ts'

/** TF.js kernel -> ONNX operator. */
const ARITHMETIC = {
  Add: 'Add',
  Sub: 'Sub',
  Multiply: 'Mul',
  RealDiv: 'Div',
  Maximum: 'Max',
  Minimum: 'Min',
  Pow: 'Pow',
} as const
const COMPARISON = {
  Greater: 'Greater',
  GreaterEqual: 'GreaterOrEqual',
  Less: 'Less',
  LessEqual: 'LessOrEqual',
  Equal: 'Equal',
} as const
const LOGIC = { LogicalAnd: 'And', LogicalOr: 'Or' } as const

/** Both operands as float32 if one is, else as int32 (ONNX has no arithmetic on bool). */
function sameType(a: Value, b: Value): [Value, Value] {
  const type: ValueType = a.type === 'float32' || b.type === 'float32' ? 'float32' : 'int32'
  return [cast(a, type), cast(b, type)]
}

for (const [name, op] of Object.entries(ARITHMETIC)) {
  kernel<'a' | 'b'>(name, (inputs) => {
    const [a, b] = sameType(inputs.a, inputs.b)
    if (op === 'Mul') return multiply(a, b)
    if (op === 'Div') return divide(a, b)
    return binary(op, a, b)
  })
}

for (const [name, op] of Object.entries(COMPARISON)) {
  kernel<'a' | 'b'>(name, (inputs) => compare(op, inputs.a, inputs.b))
}

for (const [name, op] of Object.entries(LOGIC)) {
  kernel<'a' | 'b'>(name, ({ a, b }) => binary(op, a, b))
}

export function compare(op: string, left: Value, right: Value): Value {
  const [a, b] = sameType(left, right)
  return elementwise(op, [a, b], { type: 'bool', shape: broadcastShape(a.shape, b.shape) })
}

/** Operator: Mul, or Where when one operand is `step(x)`: the gradient of relu in one pass and without a float mask. */
export function multiply(a: Value, b: Value): Value {
  const shape = broadcastShape(a.shape, b.shape)
  for (const [masked, other] of [
    [a, b],
    [b, a],
  ] as const) {
    if (!masked.mask || !sameShape(masked.shape, shape)) continue
    const graph = currentGraph()
    const layout = commonLayout([masked.mask, other], shape.length)
    const names = [masked.mask, other].map((value) => operand(value, shape.length, layout))
    return made(graph.node('Where', [...names, graph.scalar(0)]), layout, shape)
  }
  return binary('Mul', a, b)
}

/** By which GELU divides: ONNX Runtime recognises it by this division. */
const GELU_DIVISOR = Math.fround(Math.SQRT2)

/** Operator: Div, or Mul with the reciprocal of a constant: multiplications fuse and are faster. */
function divide(a: Value, b: Value): Value {
  const divisor = b.data && sizeOf(b.shape) === 1 ? b.data[0] : undefined
  if (!divisor || divisor === GELU_DIVISOR || a.type !== 'float32') return binary('Div', a, b)
  return binary('Mul', a, constant([1 / divisor], b.shape, 'float32'))
}

// Operators: Equal, Not
kernel<'a' | 'b'>('NotEqual', ({ a, b }) => {
  const equal = compare('Equal', a, b)
  return elementwise('Not', [equal], { type: 'bool', shape: equal.shape })
})

// Operators: Sub, Mul
kernel<'a' | 'b'>('SquaredDifference', ({ a, b }) => {
  const difference = binary('Sub', a, b)
  return binary('Mul', difference, difference)
})

// Operators: Div, Floor. Only for floats: ONNX divides integers towards zero.
kernel<'a' | 'b'>('FloorDiv', ({ a, b }) => {
  const quotient = binary('Div', cast(a, 'float32'), cast(b, 'float32'))
  const floor = elementwise('Floor', [quotient], { type: 'float32', shape: quotient.shape })
  return cast(floor, a.type)
})

// Operators: Div, Floor, Mul, Sub. The remainder has the divisor's sign, as in TF.js; ONNX's Mod would take the dividend's.
kernel<'a' | 'b'>('Mod', (inputs) => {
  const [a, b] = [cast(inputs.a, 'float32'), cast(inputs.b, 'float32')]
  const quotient = binary('Div', a, b)
  const floor = elementwise('Floor', [quotient], { type: 'float32', shape: quotient.shape })
  return cast(binary('Sub', a, binary('Mul', floor, b)), sameType(inputs.a, inputs.b)[0].type)
})

// Operator: Add, repeated
kernel<string>('AddN', (inputs) => listOf(inputs).reduce((sum, value) => binary('Add', sum, value)))

// Operator: PRelu
kernel<'x' | 'alpha'>('Prelu', ({ x, alpha }) => binary('PRelu', x, alpha))

// Operator: Where
kernel<'condition' | 't' | 'e'>('Select', ({ condition, t, e }) => {
  if (condition.shape.length < t.shape.length && condition.shape.length > 0) {
    throw new Error('trace: Select with a condition of lower rank is not written')
  }
  return elementwise('Where', [cast(condition, 'bool'), t, e], { type: t.type, shape: t.shape })
})

// Operators: GreaterOrEqual, Add, Mul, Where. `y` is the output of elu: dy where y >= 0, else dy * (y + 1).
kernel<'dy' | 'y'>('EluGrad', ({ dy, y }) => {
  const isPositive = compare('GreaterOrEqual', y, constant([0], [], 'float32'))
  const slope = binary('Add', y, constant([1], [], 'float32'))
  return elementwise('Where', [isPositive, dy, binary('Mul', dy, slope)], {
    type: 'float32',
    shape: y.shape,
  })
})
