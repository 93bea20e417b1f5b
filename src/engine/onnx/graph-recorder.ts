// A graph while it is being recorded: nodes in order, named constants, and the removal of what nobody reads.
import { liveGraph } from './live-graph.ts'
import type {
  ElementArray,
  ElementType,
  OnnxAttribute,
  OnnxGraph,
  OnnxNode,
  OnnxPort,
  OnnxTensor,
} from './model.ts'

export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>
  readonly outputs?: number
  readonly domain?: 'com.microsoft'
}

export class GraphRecorder {
  readonly #nodes: OnnxNode[] = []
  readonly #initializers = new Map<string, OnnxTensor>()
  readonly #inputs: OnnxPort[] = []
  readonly #outputs: OnnxPort[] = []
  readonly #constants = new Map<string, string>()
  readonly #namesOfArrays = new Map<ElementArray, Map<string, string>>()
  #names = 0

  /** Appends a node and returns the name of its first output. */
  node(op: string, inputs: readonly string[], options: NodeOptions = {}): string {
    return this.record(op, inputs, options).outputs[0] ?? ''
  }

  /** Appends a node and returns it, for operators with several outputs. */
  record(op: string, inputs: readonly string[], options: NodeOptions = {}): OnnxNode {
    const outputs = Array.from({ length: options.outputs ?? 1 }, () => this.newName())
    const node: OnnxNode = {
      op,
      inputs,
      outputs,
      attributes: options.attributes ?? {},
      ...(options.domain ? { domain: options.domain } : {}),
    }
    this.#nodes.push(node)
    return node
  }

  newName(): string {
    this.#names += 1
    return `v${this.#names}`
  }

  initializer(type: ElementType, dims: readonly number[], data: ElementArray): string {
    const name = this.newName()
    this.#initializers.set(name, { type, dims, data })
    return name
  }

  /** An initializer that shares its name with an equal one: same array, same dimensions. */
  constant(tensor: OnnxTensor): string {
    const known = this.#namesOfArrays.get(tensor.data)?.get(tensor.dims.join())
    if (known !== undefined) return known
    const name = this.initializer(tensor.type, tensor.dims, tensor.data)
    const names = this.#namesOfArrays.get(tensor.data) ?? new Map<string, string>()
    this.#namesOfArrays.set(tensor.data, names.set(tensor.dims.join(), name))
    return name
  }

  /** A list of integers as operators take them for shapes, axes and bounds; equal lists share one initializer. */
  integers(values: readonly (number | bigint)[]): string {
    return this.#shared(`i${values.join()}`, () =>
      this.initializer('int64', [values.length], BigInt64Array.from(values, BigInt)),
    )
  }

  scalar(value: number): string {
    return this.#shared(`f${value}`, () => this.initializer('float32', [], Float32Array.of(value)))
  }

  input(port: OnnxPort): void {
    this.#inputs.push(port)
  }

  /** Gives the value `from` the public name of `port`. */
  output(port: OnnxPort, from: string): void {
    this.#nodes.push({ op: 'Identity', inputs: [from], outputs: [port.name], attributes: {} })
    this.#outputs.push(port)
  }

  /** The finished graph without nodes and constants that no output depends on. Inputs that nothing reads go too. */
  finish(): OnnxGraph {
    return liveGraph({
      nodes: this.#nodes,
      initializers: this.#initializers,
      inputs: this.#inputs,
      outputs: this.#outputs,
    })
  }

  #shared(key: string, make: () => string): string {
    const known = this.#constants.get(key)
    if (known !== undefined) return known
    const name = make()
    this.#constants.set(key, name)
    return name
  }
}
