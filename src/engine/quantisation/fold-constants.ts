// What a graph can be spared before it is quantised: batch normalisation becomes part of the convolution before it, and
// padding with zeros an attribute of the one after it. Otherwise each of them would be a rounding of its own.
import { liveGraph, producersOf, readersOf } from '../onnx/live-graph.ts'
import type { OnnxGraph, OnnxNode, OnnxTensor } from '../onnx/model.ts'
import { moveConstants } from './move-constants.ts'

/** The same function of the same inputs, with fewer nodes. */
export function foldConstants(graph: OnnxGraph): OnnxGraph {
  return liveGraph(foldPadding(foldBatchNormalization(moveConstants(graph))))
}

/** Conv, then BatchNormalization: one Conv with scaled filters and a bias (Jacob et al. 2018, section 3.2). */
function foldBatchNormalization(graph: OnnxGraph): OnnxGraph {
  const producers = producersOf(graph)
  const readers = readersOf(graph)
  const initializers = new Map(graph.initializers)
  const nodes = graph.nodes.map((node) => {
    const conv = producers.get(node.inputs[0] ?? '')
    if (node.op !== 'BatchNormalization' || conv?.op !== 'Conv') return node
    const isOnlyReader = readers.get(node.inputs[0] ?? '')?.length === 1
    const folded = isOnlyReader ? foldedFilter({ conv, norm: node, graph }) : undefined
    if (!folded) return node
    const [x = '', filterName = ''] = conv.inputs
    const [filter, bias] = [`${filterName}_${node.outputs[0]}`, `${node.outputs[0]}_bias`]
    initializers.set(filter, folded.filter).set(bias, folded.bias)
    return { ...conv, inputs: [x, filter, bias], outputs: [...node.outputs] }
  })
  return { ...graph, nodes, initializers }
}

interface Normalised {
  readonly conv: OnnxNode
  readonly norm: OnnxNode
  readonly graph: OnnxGraph
}

/** y = scale (Wx + b - mean) / sqrt(variance + epsilon) + offset; undefined when a part of it is not constant. */
function foldedFilter({ conv, norm, graph }: Normalised) {
  const floats = (name: string | undefined) => floatsOf(graph, name)
  const filter = graph.initializers.get(conv.inputs[1] ?? '')
  const weights = floats(conv.inputs[1])
  const [scale, offset, mean, variance] = norm.inputs.slice(1).map(floats)
  const hasBias = conv.inputs[2] !== undefined
  const bias = hasBias ? floats(conv.inputs[2]) : undefined
  if (!filter || !weights || !scale || !offset || !mean || !variance || (hasBias && !bias)) {
    return undefined
  }
  const { epsilon = { float: 1e-5 } } = norm.attributes as { epsilon?: { float: number } }
  const factors = scale.map((one, k) => one / Math.sqrt((variance[k] ?? 0) + epsilon.float))
  const size = weights.length / factors.length
  const data = weights.map((weight, at) => weight * (factors[Math.floor(at / size)] ?? 0))
  const biases = factors.map(
    (factor, k) => ((bias?.[k] ?? 0) - (mean[k] ?? 0)) * factor + (offset[k] ?? 0),
  )
  return {
    filter: { ...filter, data } satisfies OnnxTensor,
    bias: { type: 'float32', dims: [biases.length], data: biases } satisfies OnnxTensor,
  }
}

/** Pad with zeros at the sides of an image, then Conv: the Conv pads. */
function foldPadding(graph: OnnxGraph): OnnxGraph {
  const producers = producersOf(graph)
  const nodes = graph.nodes.map((node) => {
    const pad = node.op === 'Conv' ? producers.get(node.inputs[0] ?? '') : undefined
    const sides = pad && zeroPadding(graph, pad)
    if (!pad || !sides) return node
    const pads = (node.attributes.pads as readonly number[]).map(
      (side, at) => side + (sides[at] ?? 0),
    )
    const inputs = [pad.inputs[0] ?? '', ...node.inputs.slice(1)]
    return { ...node, inputs, attributes: { ...node.attributes, pads } }
  })
  return { ...graph, nodes }
}

/** Top, left, bottom, right of a Pad that a Conv can do itself. */
function zeroPadding(graph: OnnxGraph, { op, inputs, attributes }: OnnxNode) {
  const sides = graph.initializers.get(inputs[1] ?? '')?.data
  const value = inputs[2] ? floatsOf(graph, inputs[2])?.[0] : 0
  const isConstant = attributes.mode === undefined || attributes.mode === 'constant'
  if (op !== 'Pad' || !isConstant || value !== 0 || sides?.length !== 8) return undefined
  const [n0, c0, top, left, n1, c1, bottom, right] = Array.from(sides as BigInt64Array, Number)
  const isOfPlaces = [n0, c0, n1, c1].every((side) => side === 0)
  const places = [top, left, bottom, right].map((side) => side ?? 0)
  return isOfPlaces && places.every((side) => side >= 0)
    ? (places as [number, number, number, number])
    : undefined
}

function floatsOf(graph: OnnxGraph, name: string | undefined): Float32Array | undefined {
  const data = graph.initializers.get(name ?? '')?.data
  return data instanceof Float32Array ? data : undefined
}
