// Constants that a graph only reshapes, transposes or cuts are moved here and now, so that a product's weights are found
// where they are read.
import { liveGraph } from '../onnx/live-graph.ts'
import type { OnnxGraph, OnnxNode, OnnxTensor } from '../onnx/model.ts'
import { permuted, sizeOf, transposeData } from '../tracing/value.ts'

/** The same function; nodes that make a constant of a constant are gone. */
export function moveConstants(graph: OnnxGraph): OnnxGraph {
  const initializers = new Map(graph.initializers)
  const outputs = new Set(graph.outputs.map((port) => port.name))
  const nodes = graph.nodes.filter((node) => {
    const [output = '', ...others] = node.outputs
    const moved = others.length === 0 && !outputs.has(output) && moveOf(node, initializers)
    if (moved) initializers.set(output, moved)
    return !moved
  })
  return liveGraph({ ...graph, nodes, initializers })
}

function moveOf(
  { op, inputs, attributes }: OnnxNode,
  constants: ReadonlyMap<string, OnnxTensor>,
): OnnxTensor | undefined {
  const tensor = constants.get(inputs[0] ?? '')
  if (!(tensor?.data instanceof Float32Array)) return undefined
  const numbers = (name: string | undefined): number[] | undefined => {
    const data = constants.get(name ?? '')?.data
    return data instanceof BigInt64Array ? Array.from(data, Number) : undefined
  }
  if (op === 'Reshape') {
    const dims = numbers(inputs[1])
    const isPlain = dims?.every((dim) => dim > 0) && sizeOf(dims) === tensor.data.length
    return dims && isPlain ? { ...tensor, dims } : undefined
  }
  if (op === 'Transpose') {
    const perm = attributes.perm as readonly number[]
    const data = transposeData(tensor.data, tensor.dims, perm)
    return { ...tensor, dims: permuted(tensor.dims, perm), data }
  }
  if (op !== 'Slice') return undefined
  const [starts, ends, axes, steps] = inputs.slice(1).map(numbers)
  const isPlain = steps?.every((step) => step === 1) ?? inputs[4] === undefined
  if (!starts || !ends || !isPlain || (inputs[3] !== undefined && !axes)) return undefined
  const bounds = { starts, ends, axes: axes ?? starts.map((_, axis) => axis) }
  return cut({ ...tensor, data: tensor.data }, bounds)
}

interface Bounds {
  readonly starts: readonly number[]
  readonly ends: readonly number[]
  readonly axes: readonly number[]
}

/** As Slice does with step 1: a negative bound counts from the end, one beyond it is the end. */
function cut(
  tensor: OnnxTensor & { readonly data: Float32Array },
  { starts, ends, axes }: Bounds,
): OnnxTensor {
  return axes.reduce((part, axis, at) => {
    const size = part.dims[axis] ?? 1
    const place = (bound = 0) => Math.min(size, Math.max(0, bound < 0 ? bound + size : bound))
    const [from, to] = [place(starts[at]), Math.max(place(starts[at]), place(ends[at]))]
    const inner = sizeOf(part.dims.slice(axis + 1))
    const outer = sizeOf(part.dims.slice(0, axis))
    const data = new Float32Array(outer * (to - from) * inner)
    for (let row = 0; row < outer; row++) {
      const begin = (row * size + from) * inner
      const width = (to - from) * inner
      data.set(part.data.subarray(begin, begin + width), row * width)
    }
    const dims = part.dims.map((dim, k) => (k === axis ? to - from : dim))
    return { type: part.type, dims, data }
  }, tensor)
}
