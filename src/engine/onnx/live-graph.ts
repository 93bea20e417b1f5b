// A graph without what nobody reads, and who reads and makes each value: what every rewriting of a graph begins and ends with.
import type { OnnxGraph, OnnxNode } from './model.ts'

/** The same graph without nodes and constants that no output depends on. Inputs that nothing reads go too. */
export function liveGraph(graph: OnnxGraph): OnnxGraph {
  const live = new Set(graph.outputs.map((port) => port.name))
  const nodes: OnnxNode[] = []
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((name) => live.has(name))) continue
    for (const name of node.inputs) live.add(name)
    nodes.push(node)
  }
  return {
    nodes: nodes.reverse(),
    initializers: new Map([...graph.initializers].filter(([name]) => live.has(name))),
    inputs: graph.inputs.filter((port) => live.has(port.name)),
    outputs: graph.outputs,
  }
}

/** The node that makes each value. */
export function producersOf(graph: OnnxGraph): ReadonlyMap<string, OnnxNode> {
  return new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)))
}

/** The nodes that read each value, each once. */
export function readersOf(graph: OnnxGraph): ReadonlyMap<string, readonly OnnxNode[]> {
  const readers = new Map<string, OnnxNode[]>()
  for (const node of graph.nodes) {
    for (const name of new Set(node.inputs)) {
      readers.set(name, [...(readers.get(name) ?? []), node])
    }
  }
  return readers
}

/** All nodes that a value depends on. */
export function nodesBefore(graph: OnnxGraph, name: string): ReadonlySet<OnnxNode> {
  const needed = new Set([name])
  const nodes = new Set<OnnxNode>()
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((output) => needed.has(output))) continue
    nodes.add(node)
    for (const input of node.inputs) needed.add(input)
  }
  return nodes
}
