// Operations of Keras as layers: what a model holds where its author wrote `x / 127.5` or `ops.mean(x)` between layers. The
// constants of a call are in the configuration; which names files give to each is formats/keras/read/operations.ts.
import * as tf from '@tensorflow/tfjs'
import { type Resize, resized } from './resizing.ts'
import { sliced } from './slicing.ts'

/** One argument: a constant as nested lists of numbers, or the layer's input of that number. */
export type Operand = number | readonly Operand[] | { readonly input: number }

export interface OperationCall {
  readonly operands: readonly Operand[]
  readonly options: Readonly<Record<string, unknown>>
}

type Operation = (x: tf.Tensor[], options: Options) => tf.Tensor

/** Options of a call, read with their types. */
class Options {
  readonly #given: Readonly<Record<string, unknown>>
  constructor(given: Readonly<Record<string, unknown>>) {
    this.#given = given
  }

  number(name: string, otherwise: number): number {
    const value = this.#given[name]
    return typeof value === 'number' ? value : otherwise
  }

  flag(name: string): boolean {
    return this.#given[name] === true
  }

  /** A whole number, a list of them, or undefined for all. */
  axes(name: string): number[] | undefined {
    const value = this.#given[name]
    if (value === null || value === undefined) return undefined
    return [value].flat().map(Number)
  }

  get(name: string): unknown {
    return this.#given[name]
  }
}

const binary =
  (apply: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): Operation =>
  ([a, b]) =>
    apply(a as tf.Tensor, b as tf.Tensor)

const unary =
  (apply: (x: tf.Tensor, options: Options) => tf.Tensor): Operation =>
  ([x], options) =>
    apply(x as tf.Tensor, options)

const reduction = (
  apply: (x: tf.Tensor, axes: number[] | undefined, keep: boolean) => tf.Tensor,
): Operation => unary((x, options) => apply(x, options.axes('axis'), options.flag('keepdims')))

const relu6 = (x: tf.Tensor): tf.Tensor => tf.relu6(x)
const hardSigmoid = (x: tf.Tensor): tf.Tensor => tf.div(relu6(tf.add(x, 3)), 6)

/** Without underscores: TF.js takes those out of what a configuration says. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  add: binary(tf.add),
  subtract: binary(tf.sub),
  multiply: binary(tf.mul),
  divide: binary(tf.div),
  floorDivide: binary((a, b) => tf.floor(tf.div(a, b))),
  maximum: binary(tf.maximum),
  minimum: binary(tf.minimum),
  power: binary(tf.pow),
  matmul: binary((a, b) => tf.matMul(a, b)),
  /** The first and a share of the second, as in InceptionResNetV2. */
  addScaled: ([a, b], options) =>
    tf.add(a as tf.Tensor, tf.mul(b as tf.Tensor, options.number('scale', 1))),
  identity: unary((x) => tf.clone(x)),
  negative: unary(tf.neg),
  absolute: unary(tf.abs),
  exp: unary(tf.exp),
  log: unary(tf.log),
  sqrt: unary(tf.sqrt),
  rsqrt: unary(tf.rsqrt),
  square: unary(tf.square),
  reciprocal: unary(tf.reciprocal),
  floor: unary(tf.floor),
  round: unary(tf.round),
  sign: unary(tf.sign),
  erf: unary(tf.erf),
  sigmoid: unary(tf.sigmoid),
  tanh: unary(tf.tanh),
  relu: unary(tf.relu),
  relu6: unary(relu6),
  elu: unary(tf.elu),
  selu: unary(tf.selu),
  softplus: unary(tf.softplus),
  silu: unary((x) => tf.mul(x, tf.sigmoid(x))),
  hardSigmoid: unary(hardSigmoid),
  hardSilu: unary((x) => tf.mul(x, hardSigmoid(x))),
  leakyRelu: unary((x, options) => tf.leakyRelu(x, options.number('slope', 0.2))),
  gelu: unary((x, options) => gelu(x, options.flag('approximate'))),
  generalRelu: unary(generalRelu),
  softmax: unary((x, options) => alongLast(x, options.number('axis', -1), (y) => tf.softmax(y))),
  logSoftmax: unary((x, options) =>
    alongLast(x, options.number('axis', -1), (y) => tf.logSoftmax(y)),
  ),
  l2Normalize: unary((x, options) => {
    const total = tf.sum(tf.square(x), options.axes('axis'), true)
    return tf.mul(x, tf.rsqrt(tf.maximum(total, options.number('epsilon', 1e-12))))
  }),
  mean: reduction(tf.mean),
  sum: reduction(tf.sum),
  max: reduction(tf.max),
  min: reduction(tf.min),
  prod: reduction(tf.prod),
  clip: unary((x, options) =>
    tf.clipByValue(
      x,
      options.number('low', Number.NEGATIVE_INFINITY),
      options.number('high', Number.POSITIVE_INFINITY),
    ),
  ),
  reshape: unary((x, options) => {
    const shape = options.axes('shape') ?? []
    // The first axis is the batch, whatever number stands there.
    return tf.reshape(x, [x.shape[0] ?? 1, ...shape.slice(1)])
  }),
  transpose: unary((x, options) => tf.transpose(x, options.axes('axes'))),
  expandDims: unary((x, options) => tf.expandDims(x, options.number('axis', -1))),
  squeeze: unary((x, options) => tf.squeeze(x, options.axes('axis') ?? ones(x))),
  concatenate: (x, options) => tf.concat(x, options.number('axis', -1)),
  flip: unary((x, options) => tf.reverse(x, options.axes('axis'))),
  slice: unary((x, options) => sliced(x, options.get('key'))),
  resize: unary((x, options) => resized(x as tf.Tensor4D, options.get('how') as Resize)),
}

export function isOperation(name: string): boolean {
  return Object.hasOwn(OPERATIONS, name)
}

function gelu(x: tf.Tensor, isApproximate: boolean): tf.Tensor {
  const inner = isApproximate
    ? tf.tanh(tf.mul(tf.add(x, tf.mul(tf.pow(x, 3), 0.044715)), Math.sqrt(2 / Math.PI)))
    : tf.erf(tf.div(x, Math.SQRT2))
  return tf.mul(tf.mul(x, tf.add(inner, 1)), 0.5)
}

/** Keras' ReLU layer: x above the threshold up to max_value, slope * (x - threshold) below. */
function generalRelu(x: tf.Tensor, options: Options): tf.Tensor {
  const threshold = options.number('threshold', 0)
  const slope = options.number('negativeSlope', 0)
  const above = tf.mul(x, tf.cast(tf.greater(x, threshold), 'float32'))
  const high = options.number('maxValue', Number.POSITIVE_INFINITY)
  const cut = Number.isFinite(high) ? tf.minimum(above, high) : above
  return slope === 0 ? cut : tf.sub(cut, tf.mul(tf.relu(tf.sub(threshold, x)), slope))
}

/** TF.js knows the last axis only. */
export function alongLast(
  x: tf.Tensor,
  axis: number,
  apply: (x: tf.Tensor) => tf.Tensor,
): tf.Tensor {
  const at = axis < 0 ? axis + x.rank : axis
  if (at === x.rank - 1) return apply(x)
  const order = Array.from({ length: x.rank }, (_, i) => i)
  order[at] = x.rank - 1
  order[x.rank - 1] = at
  return tf.transpose(apply(tf.transpose(x, order)), order)
}

/** Axes of length one, but for the batch. */
function ones(x: tf.Tensor): number[] {
  return x.shape.flatMap((n, axis) => (n === 1 && axis > 0 ? [axis] : []))
}

type LayerArgs = ConstructorParameters<typeof tf.layers.Layer>[0]

export interface OperationConfig {
  readonly name?: string
  readonly operation: string
  /** An `OperationCall` as JSON, so that nothing renames what is in it. */
  readonly call: string
}

/** Sizes that stand for an open axis while the shape of a result is found: what changes with them is open too. */
const OPEN = [64, 96] as const

class KerasOperation extends tf.layers.Layer {
  static className = 'KerasOperation'
  readonly #config: OperationConfig
  readonly #call: OperationCall

  constructor(args: OperationConfig) {
    super(args as unknown as LayerArgs)
    this.#config = args
    this.#call = JSON.parse(args.call) as OperationCall
  }

  get operation(): string {
    return this.#config.operation
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const shapes = (Array.isArray(inputShape[0]) ? inputShape : [inputShape]) as tf.Shape[]
    const [first, second] = OPEN.map((size) =>
      tf.tidy(() => {
        const inputs = shapes.map((shape) => tf.ones(shape.map((n, i) => (i ? (n ?? size) : 1))))
        return this.#apply(inputs).shape
      }),
    ) as [number[], number[]]
    return first.map((n, axis) => (axis === 0 || n !== second[axis] ? null : n))
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => this.#apply([inputs].flat()))
  }

  #apply(inputs: readonly tf.Tensor[]): tf.Tensor {
    const { operands, options } = this.#call
    const operation = OPERATIONS[this.#config.operation]
    if (!operation) throw new Error(`no operation ${this.#config.operation}`)
    const given = operands.map((operand) => tensorOf(operand, inputs))
    return operation(given, new Options(options))
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { operation, call } = this.#config
    return { ...super.getConfig(), operation, call }
  }
}
tf.serialization.registerClass(
  KerasOperation as unknown as tf.serialization.SerializableConstructor<KerasOperation>,
)

function tensorOf(operand: Operand, inputs: readonly tf.Tensor[]): tf.Tensor {
  if (typeof operand === 'number') return tf.scalar(operand)
  if (Array.isArray(operand)) return tf.tensor(operand as number[])
  const tensor = inputs[(operand as { input: number }).input]
  if (!tensor) throw new Error('an operation without one of its inputs')
  return tensor
}
