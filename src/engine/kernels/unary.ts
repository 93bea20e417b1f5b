// Elementwise kernels of one operand: activations, roots, rounding, casts.
import { currentGraph } from '../tracing/current-graph.ts'
import { commonLayout, made, nameIn } from '../tracing/layout.ts'
import { constant, type Value, type ValueType } from '../tracing/value.ts'
import { binary, cast, elementwise, unary } from './broadcast.ts'
import { kernel } from './kernel.ts'

/** TF.js kernel -> the ONNX operator that is the same function. */
const SAME = {
  Relu: 'Relu',
  Sigmoid: 'Sigmoid',
  Tanh: 'Tanh',
  Erf: 'Erf',
  Exp: 'Exp',
  Log: 'Log',
  Sqrt: 'Sqrt',
  Neg: 'Neg',
  Abs: 'Abs',
  Elu: 'Elu',
  Softplus: 'Softplus',
  Floor: 'Floor',
  Ceil: 'Ceil',
  Round: 'Round',
  Sign: 'Sign',
  Reciprocal: 'Reciprocal',
  LogicalNot: 'Not',
  Sin: 'Sin',
  Cos: 'Cos',
  Tan: 'Tan',
  Asin: 'Asin',
  Acos: 'Acos',
  Atan: 'Atan',
  Sinh: 'Sinh',
  Cosh: 'Cosh',
  Asinh: 'Asinh',
  Acosh: 'Acosh',
  Atanh: 'Atanh',
} as const

for (const [name, op] of Object.entries(SAME)) {
  kernel<'x'>(name, ({ x }) => unary(op, x))
}

const one = () => constant([1], [], 'float32')

// The constants of TF.js, with more digits than ONNX's default attributes.
kernel<'x'>('Selu', ({ x }) =>
  unary('Selu', x, {
    alpha: { float: 1.7580993408473768 / 1.0507009873554805 },
    gamma: { float: 1.0507009873554805 },
  }),
)

// Operators: Sqrt, Reciprocal
kernel<'x'>('Rsqrt', ({ x }) => unary('Reciprocal', unary('Sqrt', x)))

// Operator: Mul; left out when only sums over it are wanted (see reduce)
kernel<'x'>('Square', ({ x }) => ({ ...binary('Mul', x, x), squareOf: x }))

// Operators: Exp, Sub
kernel<'x'>('Expm1', ({ x }) => binary('Sub', unary('Exp', x), one()))

// Operators: Add, Log
kernel<'x'>('Log1p', ({ x }) => unary('Log', binary('Add', x, one())))

// Operator: LeakyRelu
kernel<'x', { alpha: number }>('LeakyRelu', ({ x }, { alpha }) =>
  unary('LeakyRelu', x, { alpha: { float: alpha } }),
)

/** Operator: Clip */
export function clip(x: Value, low: number, high: number): Value {
  const graph = currentGraph()
  const layout = commonLayout([x], x.shape.length)
  const bounds = [graph.scalar(low), graph.scalar(high)]
  return made(graph.node('Clip', [nameIn(x, layout), ...bounds]), layout, x.shape, x.type)
}

kernel<'x'>('Relu6', ({ x }) => clip(x, 0, 6))

kernel<'x', { clipValueMin: number; clipValueMax: number }>('ClipByValue', ({ x }, bounds) =>
  clip(x, bounds.clipValueMin, bounds.clipValueMax),
)

// Operators: Greater, Cast. 1 where x > 0, else 0; the mask is kept for products (see multiply).
kernel<'x', { alpha: number }>('Step', ({ x }, { alpha }) => {
  if (alpha) throw new Error('trace: Step with a slope is not written')
  const mask = elementwise('Greater', [x, constant([0], [], 'float32')], {
    type: 'bool',
    shape: x.shape,
  })
  return { ...cast(mask, 'float32'), mask }
})

kernel<'x', { dtype: ValueType }>('Cast', ({ x }, { dtype }) => {
  if (dtype === 'int32' && x.type === 'float32' && x.data) {
    return constant(x.data.map(Math.trunc), x.shape, 'int32')
  }
  return cast(x, dtype)
})

kernel<'x'>('Identity', ({ x }) => x)

/** Operators: IsNaN, IsInf */
const test = (op: string, x: Value) => elementwise(op, [x], { type: 'bool', shape: x.shape })
kernel<'x'>('IsNan', ({ x }) => test('IsNaN', x))
kernel<'x'>('IsInf', ({ x }) => test('IsInf', x))

// Operators: IsNaN, IsInf, Or, Not
kernel<'x'>('IsFinite', ({ x }) => {
  const either = [test('IsNaN', x), test('IsInf', x)]
  return test('Not', elementwise('Or', either, { type: 'bool', shape: x.shape }))
})
