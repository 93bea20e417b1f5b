// What of a prediction graph becomes eight bits: its convolutions and matrix products with constant weights, and between them
// sums and maximum pools. What turns features into scores, the explanation, and all that has no integer form stay float.
import { nodesBefore, producersOf, readersOf } from '../onnx/live-graph.ts'
import type { OnnxGraph, OnnxNode } from '../onnx/model.ts'

export interface QuantisationPlan {
  /** Nodes whose weights (second input) and bias (third) are stored as integers. */
  readonly weighted: ReadonlySet<OnnxNode>
  /** Values that are rounded, in the order in which they are made; their ranges are to be measured. */
  readonly values: readonly string[]
  /** A value that only picks from another one keeps its scale: [output, input] of a maximum pool. */
  readonly sameScale: ReadonlyMap<string, string>
}

/** `graph` has been through foldConstants. Nothing to do is an empty plan. */
export function planQuantisation(graph: OnnxGraph): QuantisationPlan {
  const producers = producersOf(graph)
  const readers = readersOf(graph)
  const isOutput = new Set(graph.outputs.map((port) => port.name))
  const scored = graph.outputs.find(({ name }) => name === 'logits' || name === 'probabilities')
  const forward = nodesBefore(graph, scored?.name ?? '')
  const candidates = graph.nodes.filter((node) => forward.has(node) && hasWeights(graph, node))
  // The last product gives the scores: a rounding there cannot be averaged away, and it costs next to nothing.
  const weighted = new Set(candidates.slice(0, -1))
  const exact = new Set<string>()
  const values = new Set<string>()
  const sameScale = new Map<string, string>()

  /** A ReLU or a clip behind a node is done by the rounding, which cuts off in the same place. */
  const endOf = (name: string): string => {
    const [reader, other] = readers.get(name) ?? []
    const out = reader?.outputs[0]
    if (!reader || other || isOutput.has(name) || !out || !isCutOff(reader)) return name
    return endOf(out)
  }
  for (const node of graph.nodes) {
    const [input = '', second = ''] = node.inputs
    const [output = ''] = node.outputs
    if (weighted.has(node)) {
      values.add(input)
      if (node.op === 'Conv') markRounded(endOf(output))
    } else if (['Add', 'Mul'].includes(node.op) && exact.has(input) && exact.has(second)) {
      markRounded(endOf(output))
    } else if (node.op === 'Sigmoid' && exact.has(input)) {
      markRounded(output)
    } else if (node.op === 'MaxPool' && exact.has(input) && node.outputs.length === 1) {
      sameScale.set(output, input)
      markRounded(output)
    }
  }
  const order = graph.nodes.flatMap((node) => node.outputs)
  const made = new Set(order)
  const inputs = graph.inputs.map((port) => port.name).filter((name) => !made.has(name))
  return { weighted, values: [...inputs, ...order].filter((name) => values.has(name)), sameScale }

  function markRounded(name: string): void {
    values.add(name)
    exact.add(name)
  }
  function hasWeights({ initializers }: OnnxGraph, { op, inputs: names }: OnnxNode): boolean {
    if (!['Conv', 'Gemm', 'MatMul'].includes(op)) return false
    const [input = '', weights = '', bias] = names
    const isFloat = (name: string) => initializers.get(name)?.data instanceof Float32Array
    const isMade = producers.has(input) || graph.inputs.some((port) => port.name === input)
    return isMade && isFloat(weights) && (bias === undefined || isFloat(bias))
  }
}

/** Keeps what lies above zero, and at most what lies below a bound. */
export function isCutOff({ op }: OnnxNode): boolean {
  return op === 'Relu' || op === 'Clip'
}
