// Operations that stand between the layers of a Keras model: nodes of Keras 3 (`keras.src.ops.*`) and TFOpLambda or
// SlicingOpLambda of Keras 2. They hold a name and arguments and no code; what each computes is engine/layers/operation.ts.
import { isOperation, type Operand, type OperationCall } from '../../../engine/layers/operation.ts'
import { type Config, refused } from './layer-config.ts'

/** A tensor of another layer. */
export type Reference = readonly [layer: string, node: number, tensor: number]

export interface TranslatedOperation {
  readonly operation: string
  readonly call: OperationCall
  /** Where its inputs come from, in their order. */
  readonly inputs: readonly Reference[]
}

/** How the arguments of a call are named: operands first; `option: name of the argument`. */
interface Signature {
  readonly as: string
  readonly operands?: readonly string[]
  /** The one operand is a list. */
  readonly isList?: boolean
  readonly options?: Readonly<Record<string, string>>
  readonly fixed?: Readonly<Record<string, unknown>>
}

const binary = (as: string): Signature => ({ as, operands: ['x', 'y'] })
const unary = (as: string, fixed?: Signature['fixed']): Signature => ({
  as,
  ...(fixed && { fixed }),
})
const reducing = (as: string): Signature => ({
  as,
  options: { axis: 'axis', keepdims: 'keepdims' },
})
const along = (as: string): Signature => ({ as, options: { axis: 'axis' } })

/** Keras 3: class of the operation. */
const KERAS3: Readonly<Record<string, Signature>> = {
  Add: binary('add'),
  Subtract: binary('subtract'),
  Multiply: binary('multiply'),
  Divide: binary('divide'),
  TrueDivide: binary('divide'),
  FloorDivide: binary('floorDivide'),
  Maximum: binary('maximum'),
  Minimum: binary('minimum'),
  Power: binary('power'),
  Matmul: binary('matmul'),
  Negative: unary('negative'),
  Absolute: unary('absolute'),
  Abs: unary('absolute'),
  Exp: unary('exp'),
  Log: unary('log'),
  Sqrt: unary('sqrt'),
  Rsqrt: unary('rsqrt'),
  Square: unary('square'),
  Reciprocal: unary('reciprocal'),
  Floor: unary('floor'),
  Sign: unary('sign'),
  Erf: unary('erf'),
  Sigmoid: unary('sigmoid'),
  Tanh: unary('tanh'),
  Relu: unary('relu'),
  Relu6: unary('relu6'),
  Elu: unary('elu'),
  Selu: unary('selu'),
  Softplus: unary('softplus'),
  Silu: unary('silu'),
  HardSigmoid: unary('hardSigmoid'),
  HardSilu: unary('hardSilu'),
  LeakyRelu: { as: 'leakyRelu', options: { slope: 'negative_slope' } },
  Gelu: { as: 'gelu', options: { approximate: 'approximate' }, fixed: { approximate: true } },
  Softmax: along('softmax'),
  LogSoftmax: along('logSoftmax'),
  Mean: reducing('mean'),
  Sum: reducing('sum'),
  Max: reducing('max'),
  Amax: reducing('max'),
  Min: reducing('min'),
  Amin: reducing('min'),
  Prod: reducing('prod'),
  Clip: { as: 'clip', options: { low: 'x_min', high: 'x_max' } },
  Reshape: { as: 'reshape', options: { shape: 'newshape' } },
  Transpose: { as: 'transpose', options: { axes: 'axes' } },
  ExpandDims: along('expandDims'),
  Squeeze: along('squeeze'),
  Concatenate: { as: 'concatenate', isList: true, options: { axis: 'axis' } },
  Flip: along('flip'),
  GetItem: { as: 'slice', options: { key: '1' } },
  Cast: unary('identity'),
  StopGradient: unary('identity'),
  Identity: unary('identity'),
}

/** Keras 2: TensorFlow's name of the function. */
const KERAS2: Readonly<Record<string, Signature>> = {
  ...named(['__operators__.add', 'math.add', 'add'], binary('add')),
  'nn.bias_add': { as: 'add', operands: ['value', 'bias'] },
  ...named(['math.subtract', 'subtract'], binary('subtract')),
  ...named(['math.multiply', 'multiply'], binary('multiply')),
  ...named(['math.truediv', 'math.divide', 'truediv', 'divide', 'realdiv'], binary('divide')),
  ...named(['math.floordiv'], binary('floorDivide')),
  ...named(['math.maximum', 'maximum'], binary('maximum')),
  ...named(['math.minimum', 'minimum'], binary('minimum')),
  ...named(['math.pow', 'pow'], binary('power')),
  ...named(['linalg.matmul'], { as: 'matmul', operands: ['a', 'b'] }),
  ...named(['math.negative'], unary('negative')),
  ...named(['math.abs'], unary('absolute')),
  ...named(['math.exp', 'exp'], unary('exp')),
  ...named(['math.log'], unary('log')),
  ...named(['math.sqrt', 'sqrt'], unary('sqrt')),
  ...named(['math.rsqrt'], unary('rsqrt')),
  ...named(['math.square', 'square'], unary('square')),
  ...named(['math.reciprocal'], unary('reciprocal')),
  ...named(['math.erf'], unary('erf')),
  ...named(['math.sigmoid', 'nn.sigmoid', 'sigmoid'], unary('sigmoid')),
  ...named(['math.tanh', 'nn.tanh', 'tanh'], unary('tanh')),
  'nn.relu': unary('relu'),
  'nn.relu6': unary('relu6'),
  'nn.elu': unary('elu'),
  'nn.selu': unary('selu'),
  ...named(['math.softplus', 'nn.softplus'], unary('softplus')),
  ...named(['nn.silu', 'nn.swish'], unary('silu')),
  'nn.leaky_relu': { as: 'leakyRelu', options: { slope: 'alpha' } },
  'nn.gelu': { as: 'gelu', options: { approximate: 'approximate' } },
  'nn.softmax': along('softmax'),
  'nn.log_softmax': along('logSoftmax'),
  ...named(['math.l2_normalize', 'nn.l2_normalize'], {
    as: 'l2Normalize',
    options: { axis: 'axis', epsilon: 'epsilon' },
  }),
  ...named(['math.reduce_mean', 'reduce_mean'], reducing('mean')),
  ...named(['math.reduce_sum', 'reduce_sum'], reducing('sum')),
  ...named(['math.reduce_max', 'reduce_max'], reducing('max')),
  ...named(['math.reduce_min', 'reduce_min'], reducing('min')),
  clip_by_value: { as: 'clip', options: { low: 'clip_value_min', high: 'clip_value_max' } },
  reshape: { as: 'reshape', options: { shape: 'shape' } },
  transpose: { as: 'transpose', options: { axes: 'perm' } },
  expand_dims: along('expandDims'),
  squeeze: along('squeeze'),
  concat: { as: 'concatenate', isList: true, options: { axis: 'axis' } },
  reverse: along('flip'),
  '__operators__.getitem': { as: 'slice', options: { key: 'slice_spec' } },
  cast: unary('identity'),
  identity: unary('identity'),
  stop_gradient: unary('identity'),
}

function named(names: readonly string[], signature: Signature): Record<string, Signature> {
  return Object.fromEntries(names.map((name) => [name, signature]))
}

/** Whether an entry of the configuration is an operation and no layer. */
export function isOperationEntry(given: Config): boolean {
  const className = String(given.class_name)
  return (
    className === 'TFOpLambda' ||
    className === 'SlicingOpLambda' ||
    String(given.module ?? '').startsWith('keras.src.ops.')
  )
}

/** @throws AppError `invalid-package` naming the operation that is not read here */
export function translateOperation(given: Config): TranslatedOperation {
  const config = (given.config ?? {}) as Config
  const isKeras3 = String(given.module ?? '').startsWith('keras.src.ops.')
  const name = isKeras3 ? String(given.class_name) : String(config.function)
  const table = isKeras3 ? KERAS3 : KERAS2
  const signature = Object.hasOwn(table, name) ? table[name] : undefined
  const nodes = Array.isArray(given.inbound_nodes) ? given.inbound_nodes : []
  if (!signature || !isOperation(signature.as)) throw unread(name, 'is not read here')
  if (nodes.length !== 1) throw unread(name, 'is used more than once')
  const args = isKeras3 ? keras3Arguments(nodes[0], config) : keras2Arguments(nodes[0], signature)
  refuseOtherType(name, args.named.dtype)
  const inputs: Reference[] = []
  const operands = operandsOf(args, { signature, inputs, name })
  const options = Object.fromEntries(
    Object.entries(signature.options ?? {}).flatMap(([option, from]) => {
      const value = args.named[from]
      return value === undefined ? [] : [[option, plainValue(value)]]
    }),
  )
  const call = { operands, options: { ...signature.fixed, ...options } }
  return { operation: signature.as, call, inputs }
}

interface Arguments {
  readonly positional: readonly unknown[]
  readonly named: Readonly<Record<string, unknown>>
}

/** Settings of an operation are in its configuration, or among the arguments of its call; a second one has the name '1'. */
function keras3Arguments(node: unknown, config: Config): Arguments {
  const { args, kwargs } = (node ?? {}) as { args?: unknown; kwargs?: object }
  const positional = Array.isArray(args) ? args : []
  return { positional, named: { ...config, '1': positional[1], ...kwargs } }
}

/** `[layer, node, tensor, {other arguments}]`, or a list of these; a constant comes first as `_CONSTANT_VALUE`. */
function keras2Arguments(node: unknown, { operands = ['x'], isList }: Signature): Arguments {
  const entries = Array.isArray(node) ? node : []
  const tensors = (typeof entries[0] === 'string' ? [entries] : entries) as unknown[][]
  const named = Object.assign({}, ...tensors.map((one) => one[3] ?? {})) as Record<string, unknown>
  const values = tensors.map(([layer, index, tensor]) =>
    layer === '_CONSTANT_VALUE' ? tensor : { keras2: [layer, index, tensor] },
  )
  const second = operands[1]
  const more = second !== undefined && values.length === 1 ? [keras2Value(named[second])] : []
  return { positional: isList ? [values] : [...values, ...more], named }
}

/** An argument that is a tensor is written as the layer it comes from. */
function keras2Value(value: unknown): unknown {
  const isTensor =
    Array.isArray(value) &&
    value.length >= 3 &&
    typeof value[0] === 'string' &&
    Number.isInteger(value[1])
  return isTensor ? { keras2: value.slice(0, 3) } : value
}

function operandsOf(
  { positional, named }: Arguments,
  o: { readonly signature: Signature; readonly inputs: Reference[]; readonly name: string },
): readonly Operand[] {
  const { signature, inputs, name } = o
  const count = signature.operands?.length ?? 1
  const given = Array.from(
    { length: count },
    (_, i) => positional[i] ?? named[`x${i + 1}`] ?? named[i === 0 ? 'x' : 'y'],
  )
  const list = signature.isList ? given[0] : given
  if (!Array.isArray(list)) throw unread(name, 'has arguments that are not read here')
  return list.map((value) => {
    const reference = referenceOf(value)
    if (reference) {
      inputs.push(reference)
      return { input: inputs.length - 1 }
    }
    const constant = plainValue(value)
    if (isNumbers(constant)) return constant
    throw unread(name, 'has arguments that are not read here')
  })
}

function referenceOf(value: unknown): Reference | undefined {
  const { class_name, config, keras2 } = (value ?? {}) as Record<string, unknown>
  const history =
    class_name === '__keras_tensor__' ? (config as Config | undefined)?.keras_history : keras2
  if (!Array.isArray(history)) return undefined
  const [layer, node, tensor] = history
  return [String(layer), Number(node), Number(tensor)]
}

/** Arrays, tuples and slices as Keras writes them, as plain values. */
function plainValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainValue)
  if (typeof value !== 'object' || value === null) return value
  const { class_name, config, start, stop, step } = value as Record<string, unknown>
  const inner = (config ?? {}) as Record<string, unknown>
  if (class_name === '__ellipsis__') return '...'
  if (class_name === '__slice__') return inner
  if (class_name === '__numpy__' || class_name === '__tensor__') return inner.value
  if (class_name === '__tuple__') return plainValue(inner.items ?? (value as Config).items)
  if (class_name === undefined) return { start, stop, step }
  return value
}

function isNumbers(value: unknown): value is Operand {
  return Array.isArray(value) ? value.every(isNumbers) : Number.isFinite(value)
}

/** A cast to whole numbers would change them. */
function refuseOtherType(name: string, dtype: unknown): void {
  if (dtype === undefined || dtype === null || /float/.test(JSON.stringify(dtype))) return
  throw unread(name, `makes ${JSON.stringify(dtype).slice(0, 20)} of its numbers`)
}

function unread(name: string, why: string): Error {
  return refused(
    `The operation "${name.slice(0, 60)}" between the layers of this model ${why}; export the model to ONNX instead.`,
  )
}
