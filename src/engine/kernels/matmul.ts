// Matrix products, plain and with fused bias and activation.
import { currentGraph } from '../tracing/current-graph.ts'
import { made, nhwc } from '../tracing/layout.ts'
import { at, type Value } from '../tracing/value.ts'
import { activate, type FusedAttributes } from './activation.ts'
import { binary, broadcastShape } from './broadcast.ts'
import { kernel } from './kernel.ts'

interface Transposed {
  readonly transposeA: boolean
  readonly transposeB: boolean
}

/**
 * Operators: Gemm for one product (with the bias inside it, if there is one of rank 1), MatMul for a batch,
 * FusedMatMul (com.microsoft) for a batch with a transposed side.
 */
function matmul(a: Value, b: Value, options: Transposed & { bias?: Value | undefined }): Value {
  const graph = currentGraph()
  const { transposeA, transposeB, bias } = options
  const rows = at(a.shape, transposeA ? -1 : -2)
  const columns = at(b.shape, transposeB ? -2 : -1)
  const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
  const shape = [...batch, rows, columns]
  const attributes = { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0 }
  if (batch.every((dim) => dim === 1)) {
    const matrix = (value: Value) =>
      value.shape.length === 2
        ? nhwc(value)
        : graph.node('Reshape', [nhwc(value), graph.integers(value.shape.slice(-2))])
    const inputs = [matrix(a), matrix(b)]
    if (bias?.shape.length === 1) inputs.push(nhwc(bias))
    const product = graph.node('Gemm', inputs, { attributes })
    const name =
      shape.length === 2 ? product : graph.node('Reshape', [product, graph.integers(shape)])
    const result = made(name, 'nhwc', shape)
    return bias && bias.shape.length !== 1 ? binary('Add', result, bias) : result
  }
  const name =
    transposeA || transposeB
      ? graph.node('FusedMatMul', [nhwc(a), nhwc(b)], { attributes, domain: 'com.microsoft' })
      : graph.node('MatMul', [nhwc(a), nhwc(b)])
  const result = made(name, 'nhwc', shape)
  return bias ? binary('Add', result, bias) : result
}

kernel<'a' | 'b', Transposed>('BatchMatMul', ({ a, b }, attributes) => matmul(a, b, attributes))

kernel<'a' | 'b' | 'bias' | 'preluActivationWeights', Transposed & FusedAttributes>(
  '_FusedMatMul',
  ({ a, b, bias, preluActivationWeights }, attributes) => {
    const { transposeA, transposeB } = attributes
    const product = matmul(a, b, { transposeA, transposeB, bias })
    return activate(product, attributes, preluActivationWeights)
  },
)

// Operator: Einsum
kernel<string, { equation: string }>('Einsum', (inputs, { equation }) => {
  const operands = Object.values(inputs)
  const [left = '', right = ''] = equation.replaceAll(' ', '').split('->')
  const dims = new Map<string, number>()
  left.split(',').forEach((letters, i) => {
    ;[...letters].forEach((letter, axis) => {
      dims.set(letter, operands[i]?.shape[axis] ?? 1)
    })
  })
  const name = currentGraph().node('Einsum', operands.map(nhwc), { attributes: { equation } })
  return made(
    name,
    'nhwc',
    [...right].map((letter) => dims.get(letter) ?? 1),
  )
})
