// Outputs of a graph in the order of a condition's classes: a model may name its classes in another order, and a single unit
// is the probability of one of two classes, which need not be the positive one. The graph is changed, so that every reader
// of the version finds one order.
import type { OnnxNode, OnnxTensor } from '../../engine/onnx/model.ts'
import { addToGraph, keepOutputs } from '../../formats/onnx/amend-graph.ts'
import type { Arrangement, ConvertedModel } from './converted-model.ts'

const PREFIX = 'roentgen_arranged'

export function arrangeOutputs(model: ConvertedModel, how: Arrangement): ConvertedModel {
  if (how.as === 'it is') return model
  if (how.as === 'ordered' && how.order.length === model.outputCount && isSorted(how.order)) {
    return model
  }
  const { logits, probabilities, features, gradients } = model.graph.outputs
  const nodes: OnnxNode[] = []
  const constants = new Map<string, OnnxTensor>()
  const outputs: { name: string; dims: readonly number[] }[] = []
  const count = how.as === 'ordered' ? how.order.length : 1
  const arranged = (name: string | null, to: Target): string | null => {
    if (name === null) return null
    const made = `${PREFIX}_${to.what}`
    nodes.push(...nodesFor(name, { made, to, how }))
    outputs.push({ name: made, dims: to.dims })
    return made
  }
  if (how.as === 'ordered') constants.set(`${PREFIX}_order`, int64([count], how.order))
  else constants.set(`${PREFIX}_one`, { type: 'float32', dims: [], data: Float32Array.of(1) })
  constants.set(`${PREFIX}_row`, int64([2], [1, -1]))
  const row = [1, count]
  const ports = {
    logits: arranged(logits, { what: 'logits', dims: row, axis: 1 }),
    probabilities: arranged(probabilities, { what: 'probabilities', dims: row, axis: 1 }),
    features,
    gradients: arranged(gradients, { what: 'gradients', dims: [count, -1, -1, -1], axis: 0 }),
  }
  const added = addToGraph(model.onnx, { nodes, constants, outputs })
  const kept = Object.values(ports).filter((name) => name !== null)
  return {
    ...model,
    onnx: keepOutputs(added, new Set(kept)),
    graph: { ...model.graph, outputs: ports },
    outputCount: count,
    ...(model.thresholds &&
      how.as === 'ordered' && {
        thresholds: how.order.map((from) => model.thresholds?.[from] ?? 1),
      }),
  }
}

interface Target {
  readonly what: 'logits' | 'probabilities' | 'gradients'
  readonly dims: readonly number[]
  /** Where its classes are. */
  readonly axis: 0 | 1
}

function nodesFor(
  from: string,
  { made, to, how }: { made: string; to: Target; how: Arrangement },
): readonly OnnxNode[] {
  const isRow = to.axis === 1
  const row = `${made}_row`
  // A row may come with axes of length one, or without its first.
  const shaped: OnnxNode[] = isRow
    ? [{ op: 'Reshape', inputs: [from, `${PREFIX}_row`], outputs: [row], attributes: {} }]
    : []
  const input = isRow ? row : from
  const outputs = [made]
  if (how.as === 'ordered') {
    const inputs = [input, `${PREFIX}_order`]
    return [...shaped, { op: 'Gather', inputs, outputs, attributes: { axis: to.axis } }]
  }
  if (to.what !== 'probabilities') {
    return [...shaped, { op: 'Neg', inputs: [input], outputs, attributes: {} }]
  }
  return [...shaped, { op: 'Sub', inputs: [`${PREFIX}_one`, input], outputs, attributes: {} }]
}

function int64(dims: readonly number[], values: readonly number[]): OnnxTensor {
  return { type: 'int64', dims, data: BigInt64Array.from(values.map(BigInt)) }
}

function isSorted(order: readonly number[]): boolean {
  return order.every((from, to) => from === to)
}
