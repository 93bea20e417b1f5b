// Writes a graph in eight bits as QuantizeLinear and DequantizeLinear around its operators (QDQ form): every runtime can
// run it as it stands, and those with integer kernels put these in their place.
import { liveGraph, producersOf } from '../onnx/live-graph.ts'
import type { ElementArray, ElementType, OnnxGraph, OnnxNode, OnnxTensor } from '../onnx/model.ts'
import {
  type ActivationScale,
  activationScale,
  leastScalesFor,
  quantiseBias,
  quantiseWeights,
  type Range,
} from './eight-bits.ts'
import { isCutOff, type QuantisationPlan } from './plan.ts'

export interface QuantiseOptions {
  readonly plan: QuantisationPlan
  /** Of every value of the plan. */
  readonly ranges: ReadonlyMap<string, Range>
}

/** The same inputs and outputs under the same names. @throws Error when a range is missing */
export function quantiseGraph(graph: OnnxGraph, { plan, ranges }: QuantiseOptions): OnnxGraph {
  const producers = producersOf(graph)
  const initializers = new Map(graph.initializers)
  const nodes: OnnxNode[] = []
  const restored = new Map<string, string>()
  const rounded = new Set(plan.values)

  for (const port of graph.inputs) if (rounded.has(port.name)) round(port.name)
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => restored.get(name) ?? name)
    nodes.push({ ...node, inputs: plan.weighted.has(node) ? withWeights(node, inputs) : inputs })
    for (const name of node.outputs) if (rounded.has(name)) round(name)
  }
  return liveGraph({ ...graph, nodes, initializers })

  /** From here on all readers get the value as eight bits can tell it. */
  function round(name: string): void {
    const { scale, zeroPoint } = scaleOf(name)
    const pair = [
      constant(`${name}_scale`, 'float32', { dims: [], data: Float32Array.of(scale) }),
      constant(`${name}_zero`, 'uint8', { dims: [], data: Uint8Array.of(zeroPoint) }),
    ]
    const stored = add('QuantizeLinear', [beforeCutOff(name), ...pair], `${name}_q`)
    restored.set(name, add('DequantizeLinear', [stored, ...pair], `${name}_dq`))
  }

  function scaleOf(name: string): ActivationScale {
    const origin = plan.sameScale.get(name)
    if (origin !== undefined) return scaleOf(origin)
    const range = ranges.get(name)
    if (!range) throw new Error(`no range was measured for ${name}`)
    return activationScale(range)
  }

  /** What is not negative is stored from 0 up to its largest: storing cuts off what a ReLU or clip would. */
  function beforeCutOff(name: string): string {
    return scaleOf(name).zeroPoint === 0 ? throughCutOffs(name, name) : name
  }

  /** As far back as cut-offs go. */
  function throughCutOffs(name: string, of: string): string {
    const producer = producers.get(name)
    const before = producer?.inputs[0]
    if (!producer || before === undefined || !isCutOff(producer)) return name
    if (producer.op === 'Clip' && !endsWithin(producer, of)) return name
    return restored.get(before) ?? throughCutOffs(before, of)
  }

  /** Nothing above the clip's bound is ever measured, so the scale ends there or before; its lower bound is zero. */
  function endsWithin({ inputs }: OnnxNode, of: string): boolean {
    const [, low, high] = inputs.map((one) => Number(initializers.get(one)?.data[0]))
    return low === 0 && high !== undefined && (ranges.get(of)?.max ?? 0) <= high
  }

  function withWeights(node: OnnxNode, inputs: readonly string[]): string[] {
    const [x = '', weights = '', bias] = inputs
    const tensor = initializers.get(weights) as OnnxTensor
    const inputScale = scaleOf(node.inputs[0] ?? '').scale
    const biases = bias === undefined ? undefined : (initializers.get(bias)?.data as Float32Array)
    const axis = channelAxis(node, tensor.dims.length)
    const { data, scales } = quantiseWeights(tensor.data as Float32Array, {
      dims: tensor.dims,
      axis,
      ...(biases && { leastScales: leastScalesFor(biases, inputScale) }),
    })
    const id = `${node.outputs[0]}_w`
    const dims = [scales.length]
    const filter = add(
      'DequantizeLinear',
      [
        constant(`${id}_q`, 'int8', { dims: tensor.dims, data }),
        constant(`${id}_scale`, 'float32', { dims, data: scales }),
        constant(`${id}_zero`, 'int8', { dims, data: new Int8Array(scales.length) }),
      ],
      `${id}_dq`,
      { axis },
    )
    if (!biases) return [x, filter]
    const units = scales.map((scale) => inputScale * scale)
    const offset = add(
      'DequantizeLinear',
      [
        constant(`${id}_bias_q`, 'int32', {
          dims,
          data: quantiseBias(biases, { inputScale, scales }),
        }),
        constant(`${id}_bias_scale`, 'float32', { dims, data: units }),
        constant(`${id}_bias_zero`, 'int32', { dims, data: new Int32Array(scales.length) }),
      ],
      `${id}_bias_dq`,
      { axis: 0 },
    )
    return [x, filter, offset]
  }

  function constant(
    name: string,
    type: ElementType,
    o: { readonly dims: readonly number[]; readonly data: ElementArray },
  ): string {
    initializers.set(name, { type, ...o })
    return name
  }

  function add(
    op: 'QuantizeLinear' | 'DequantizeLinear',
    inputs: readonly string[],
    output: string,
    attributes: OnnxNode['attributes'] = {},
  ): string {
    nodes.push({ op, inputs, outputs: [output], attributes })
    return output
  }
}

/** Where a node's weights have their output channels. */
function channelAxis({ op, attributes }: OnnxNode, rank: number): number {
  if (op === 'Conv') return 0
  return op === 'Gemm' && attributes.transB === 1 ? 0 : rank - 1
}
