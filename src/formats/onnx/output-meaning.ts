// What an ONNX graph's output is, read off the nodes that make it: probabilities when it can only lie within 0 and 1, by
// interval arithmetic backwards from the output. Nodes that change no number (Cast, Reshape, Identity ...) are passed.
import { numbersOf } from './constant-tensor.ts'
import { numberOf, type ProtoModel, type ProtoNode } from './model-proto.ts'

export interface OutputMeaning {
  /** What makes probabilities of it; undefined where no single node or known group of nodes does. */
  readonly activation: 'softmax' | 'sigmoid' | undefined
  /** Whether the nodes leave nothing but values from 0 to 1. */
  readonly isBounded: boolean
  /** Whether a linear layer makes it, as it makes logits. */
  readonly isLinear: boolean
}

/** They hand their first input on, every number as it was. */
const SAME = new Set([
  'Identity',
  'Cast',
  'CastLike',
  'Reshape',
  'Flatten',
  'Squeeze',
  'Unsqueeze',
  'Transpose',
  'Dropout',
  'QuantizeLinear',
  'DequantizeLinear',
])
/** They choose among the numbers of their first input, or average them. */
const WITHIN = new Set([
  ...SAME,
  'Gather',
  'GatherElements',
  'GatherND',
  'Slice',
  'Split',
  'Expand',
  'Tile',
  'ReduceMean',
  'ReduceMax',
  'ReduceMin',
  'GlobalAveragePool',
  'GlobalMaxPool',
  'MaxPool',
])
const LINEAR = new Set(['Gemm', 'MatMul', 'Conv', 'FusedMatMul', 'QLinearMatMul', 'MatMulInteger'])
const SOFTMAX = new Set(['Softmax', 'QLinearSoftmax'])
const SIGMOID = new Set(['Sigmoid', 'HardSigmoid', 'QLinearSigmoid'])
const MAX_DEPTH = 40

interface Range {
  readonly low: number
  readonly high: number
}

const ANY: Range = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }
const UNIT: Range = { low: 0, high: 1 }
/** For constants and sums of halves that are not exact in 16 bits. */
const SLACK = 1e-3

export function outputMeaning(model: ProtoModel, output: string): OutputMeaning {
  const { low, high } = rangeOf(model, output, 0)
  const end = makerBefore(model, output)
  const isBounded = low >= -SLACK && high <= 1 + SLACK
  return {
    activation: isBounded && end ? activationOf(model, end) : undefined,
    isBounded,
    isLinear: end !== undefined && (LINEAR.has(end.op) || isBiased(model, end)),
  }
}

/** The node that makes the numbers, behind those that only hand them on or cut them off. */
function makerBefore(model: ProtoModel, value: string): ProtoNode | undefined {
  let at = value
  for (let step = 0; step < MAX_DEPTH; step++) {
    const maker = model.makers.get(at)
    const [input] = maker?.inputs ?? []
    if (!maker || input === undefined || !(SAME.has(maker.op) || maker.op === 'Clip')) return maker
    at = input
  }
  return undefined
}

function isBiased(model: ProtoModel, { op, inputs }: ProtoNode): boolean {
  if (op !== 'Add') return false
  return inputs.some((name) => LINEAR.has(makerBefore(model, name)?.op ?? ''))
}

function activationOf(model: ProtoModel, node: ProtoNode): OutputMeaning['activation'] {
  if (SOFTMAX.has(node.op) || isShare(model, node)) return 'softmax'
  if (SIGMOID.has(node.op)) return 'sigmoid'
  const isExponential = node.op === 'Exp'
  return isExponential && makerBefore(model, node.inputs[0] ?? '')?.op === 'LogSoftmax'
    ? 'softmax'
    : undefined
}

/** x / sum(x): the end of a softmax that is written out. */
function isShare(model: ProtoModel, { op, inputs }: ProtoNode): boolean {
  const [part = '', whole = ''] = inputs
  if (op !== 'Div') return false
  const sum = makerBefore(model, whole)
  return (
    (sum?.op === 'ReduceSum' || sum?.op === 'ReduceL1') &&
    sum.inputs[0] === part &&
    rangeOf(model, part, 0).low >= 0
  )
}

function rangeOf(model: ProtoModel, value: string, depth: number): Range {
  if (depth > MAX_DEPTH) return ANY
  const constant = model.constants.get(value)
  if (constant) return constantRange(numbersOf(constant))
  const node = model.makers.get(value)
  if (!node) return ANY
  const { op } = node
  const inputs = node.inputs.filter((name) => name !== '')
  const of = (index: number): Range => rangeOf(model, inputs[index] ?? '', depth + 1)
  const all = (): Range[] => inputs.map((_, index) => of(index))
  if (SOFTMAX.has(op) || SIGMOID.has(op)) return UNIT
  if (isShare(model, node)) return UNIT
  if (WITHIN.has(op)) return of(0)
  switch (op) {
    case 'Tanh':
    case 'Erf':
    case 'Softsign':
      return { low: -1, high: 1 }
    case 'LogSoftmax':
      return { low: Number.NEGATIVE_INFINITY, high: 0 }
    case 'Softplus':
    case 'Abs':
      return { low: 0, high: Number.POSITIVE_INFINITY }
    case 'Relu':
      return within(of(0), { low: 0, high: Number.POSITIVE_INFINITY })
    case 'Exp': {
      const { low, high } = of(0)
      return { low: Math.exp(low), high: Math.exp(high) }
    }
    case 'Neg':
      return product(of(0), { low: -1, high: -1 })
    case 'Add':
    case 'Sum':
      return all().reduce(sum)
    case 'Sub':
      return sum(of(0), product(of(1), { low: -1, high: -1 }))
    case 'Mul':
      return all().reduce(product)
    case 'Reciprocal':
      return inverse(of(0))
    case 'Div':
      return product(of(0), inverse(of(1)))
    case 'Mean':
    case 'Concat':
      return all().reduce(union)
    case 'Where':
      return union(of(1), of(2))
    case 'Max':
      return all().reduce((a, b) => ({
        low: Math.max(a.low, b.low),
        high: Math.max(a.high, b.high),
      }))
    case 'Min':
      return all().reduce((a, b) => ({
        low: Math.min(a.low, b.low),
        high: Math.min(a.high, b.high),
      }))
    case 'Clip':
      // The limits are attributes before operator set 11 and inputs since.
      return within(of(0), {
        low: node.inputs[1] ? rangeOf(model, node.inputs[1], depth + 1).low : limit(node, 'min'),
        high: node.inputs[2] ? rangeOf(model, node.inputs[2], depth + 1).high : limit(node, 'max'),
      })
    default:
      return ANY
  }
}

function limit(node: ProtoNode, name: 'min' | 'max'): number {
  return numberOf(node, name, name === 'min' ? ANY.low : ANY.high)
}

function constantRange(values: Float32Array | undefined): Range {
  if (!values || values.length === 0) return ANY
  let { low, high } = { low: values[0] ?? 0, high: values[0] ?? 0 }
  for (const value of values) {
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  return Number.isNaN(low) ? ANY : { low, high }
}

function within(range: Range, limits: Range): Range {
  const cut = (n: number): number => Math.min(limits.high, Math.max(limits.low, n))
  return { low: cut(range.low), high: cut(range.high) }
}

function union(a: Range, b: Range): Range {
  return { low: Math.min(a.low, b.low), high: Math.max(a.high, b.high) }
}

function sum(a: Range, b: Range): Range {
  return { low: a.low + b.low, high: a.high + b.high }
}

function product(a: Range, b: Range): Range {
  // Nothing times infinity is nothing here: a bound that is never reached.
  const times = (x: number, y: number): number => (x === 0 || y === 0 ? 0 : x * y)
  const corners = [a.low, a.high].flatMap((x) => [b.low, b.high].map((y) => times(x, y)))
  return { low: Math.min(...corners), high: Math.max(...corners) }
}

function inverse({ low, high }: Range): Range {
  if (low > 0 || high < 0) return { low: 1 / high, high: 1 / low }
  return low === 0 ? { low: 1 / high, high: Number.POSITIVE_INFINITY } : ANY
}
