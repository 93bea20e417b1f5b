// Looks in an ONNX graph for the end that most classifiers have: a feature map, averaged over its places, and one linear
// layer. Then d score / d features is that layer's weight over the number of places, for every image, and heatmaps cost
// nothing. Followed backwards from the scores; anything else on the way, and nothing is found.
import { floatsOf, wholeNumbersOf } from './constant-tensor.ts'
import { integersOf, numberOf, type ProtoModel, type ProtoNode } from './model-proto.ts'

export interface LinearHead {
  /** The value that is averaged, and where its channels are. */
  readonly features: string
  readonly layout: 'nchw' | 'nhwc'
  /** Name for a person: of the value, as the exporter called it. */
  readonly layer: string
  /** Size of the pooling window when it is not global by itself: the map must be as large. */
  readonly window: readonly number[] | undefined
  /** Value before the last activation. */
  readonly logits: string
  /** Row-major [outputs, features]; undefined when the averages themselves are the scores (identity). */
  readonly weight: { readonly outputs: number; readonly values: Float32Array } | undefined
}

/** They give the same numbers in the same order, for one image and one number a channel. */
const NEUTRAL = new Set([
  'Flatten',
  'Reshape',
  'Squeeze',
  'Unsqueeze',
  'Dropout',
  'Identity',
  'Cast',
])
const LAST = new Set(['Softmax', 'Sigmoid', 'LogSoftmax'])
const MAX_STEPS = 32

export function findLinearHead(model: ProtoModel, scores: string): LinearHead | undefined {
  const end = back(model, scores, LAST)
  const linear = linearBefore(model, end)
  const pooled = linear?.input ?? end
  const pooling = pooledBefore(model, pooled)
  if (!pooling) return undefined
  return { ...pooling, layer: readable(pooling.features), logits: end, weight: linear?.weight }
}

/** PyTorch calls a value `/features/Relu_1_output_0`. */
function readable(value: string): string {
  return (
    value
      .replace(/^\//, '')
      .replace(/_output_\d+$/, '')
      .slice(0, 100) || 'features'
  )
}

/** The first value behind neutral nodes, and behind one of `once`. */
function back(model: ProtoModel, from: string, once: ReadonlySet<string> = new Set()): string {
  let at = from
  let isOnce = false
  for (let step = 0; step < MAX_STEPS; step++) {
    const maker = model.makers.get(at)
    const [input] = maker?.inputs ?? []
    if (!maker || input === undefined || maker.outputs[0] !== at) return at
    const passes = NEUTRAL.has(maker.op) || (once.has(maker.op) && !isOnce)
    if (!passes) return at
    isOnce ||= once.has(maker.op)
    at = input
  }
  return at
}

interface Linear {
  readonly input: string
  readonly weight: NonNullable<LinearHead['weight']>
}

/** Gemm, MatMul with or without a bias added, or a convolution of 1 x 1 on what is averaged already. */
function linearBefore(model: ProtoModel, value: string): Linear | undefined {
  const maker = model.makers.get(value)
  if (maker?.op === 'Add') {
    const [a = '', b = ''] = maker.inputs
    const sum = model.constants.has(b) ? a : model.constants.has(a) ? b : undefined
    return sum === undefined ? undefined : product(model, model.makers.get(back(model, sum)))
  }
  return product(model, maker)
}

function product(model: ProtoModel, node: ProtoNode | undefined): Linear | undefined {
  const [input, weightName] = node?.inputs ?? []
  if (!node || input === undefined || weightName === undefined) return undefined
  const constant = constantAt(model, weightName)
  const stored = constant && floatsOf(constant)
  if (!stored) return undefined
  const { dims, values } = stored
  const [first = 0, second = 0, ...kernel] = dims
  if (node.op === 'MatMul' && dims.length === 2) {
    return { input, weight: transposed(values, { rows: first, columns: second }) }
  }
  if (node.op === 'Gemm' && dims.length === 2 && numberOf(node, 'transA', 0) === 0) {
    const alpha = numberOf(node, 'alpha', 1)
    const scaled = alpha === 1 ? values : values.map((v) => v * alpha)
    const isOutputsFirst = numberOf(node, 'transB', 0) === 1
    const weight = isOutputsFirst
      ? { outputs: first, values: scaled }
      : transposed(scaled, { rows: first, columns: second })
    return { input, weight }
  }
  const isPointwise = node.op === 'Conv' && kernel.length === 2 && kernel.every((n) => n === 1)
  if (isPointwise && numberOf(node, 'group', 1) === 1) {
    // Only behind the pooling is it a linear layer; before it, it is part of the features.
    const isBehind = pooledBefore(model, input) !== undefined
    return isBehind ? { input, weight: { outputs: first, values } } : undefined
  }
  return undefined
}

/** PyTorch's older exports transpose the weight in the graph. */
function constantAt(model: ProtoModel, name: string) {
  const maker = model.makers.get(name)
  return model.constants.get(maker?.op === 'Identity' ? (maker.inputs[0] ?? '') : name)
}

function transposed(
  values: Float32Array,
  { rows, columns }: { rows: number; columns: number },
): NonNullable<LinearHead['weight']> {
  const turned = new Float32Array(values.length)
  for (let i = 0; i < values.length; i++) {
    turned[(i % columns) * rows + Math.floor(i / columns)] = values[i] ?? 0
  }
  return { outputs: columns, values: turned }
}

type Pooled = Pick<LinearHead, 'features' | 'layout' | 'window'>

function pooledBefore(model: ProtoModel, value: string): Pooled | undefined {
  const pooling = model.makers.get(back(model, value))
  const [features] = pooling?.inputs ?? []
  if (!pooling || features === undefined) return undefined
  if (pooling.op === 'GlobalAveragePool') return { features, layout: 'nchw', window: undefined }
  if (pooling.op === 'AveragePool') {
    const isPlain = (integersOf(pooling, 'pads') ?? []).every((n) => n === 0)
    const window = integersOf(pooling, 'kernel_shape')
    return isPlain && window?.length === 2 ? { features, layout: 'nchw', window } : undefined
  }
  if (pooling.op !== 'ReduceMean') return undefined
  const named = pooling.inputs[1]
  const constant = named === undefined ? undefined : model.constants.get(named)
  const given = integersOf(pooling, 'axes') ?? (constant && wholeNumbersOf(constant))
  const axes = given?.map((axis) => (axis < 0 ? axis + 4 : axis)).toSorted((a, b) => a - b)
  if (axes?.join() === '2,3') return { features, layout: 'nchw', window: undefined }
  return axes?.join() === '1,2' ? { features, layout: 'nhwc', window: undefined } : undefined
}
