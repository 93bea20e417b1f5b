// An ONNX file as inputs, outputs, nodes and constants, read from its wire format (onnx.proto3). Runs nothing; changing a
// file is amend-graph.ts.
import { type OnnxValue, readValueInfo } from './value-info.ts'
import { type Field, fields, text, textOf } from './wire.ts'

/** Field numbers of the messages that are read here. */
export const MODEL = { graph: 7, opset: 8, functions: 25 } as const
export const GRAPH = { node: 1, initializer: 5, input: 11, output: 12 } as const
const NODE = { input: 1, output: 2, op: 4, attribute: 5, domain: 7 } as const
export const TENSOR = {
  dims: 1,
  type: 2,
  floats: 4,
  int32s: 5,
  int64s: 7,
  name: 8,
  raw: 9,
  external: 13,
  location: 14,
} as const

export interface ProtoNode {
  readonly op: string
  readonly domain: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Messages of the attributes, by name. */
  readonly attributes: ReadonlyMap<string, readonly Field[]>
}

export interface ProtoModel {
  /** Of the standard operators; 0 when the file does not say. */
  readonly opset: number
  readonly hasFunctions: boolean
  /** Without the initializers that older files list as inputs. */
  readonly inputs: readonly OnnxValue[]
  readonly outputs: readonly OnnxValue[]
  readonly nodes: readonly ProtoNode[]
  /** Which node makes a value. */
  readonly makers: ReadonlyMap<string, ProtoNode>
  /** Messages of constant tensors, by name: initializers and the outputs of Constant nodes. */
  readonly constants: ReadonlyMap<string, readonly Field[]>
}

/** @throws Error when the bytes are no whole model */
export function readModel(bytes: Uint8Array): ProtoModel {
  const model = fields(bytes)
  const graph = model.find(({ number }) => number === MODEL.graph)
  if (!graph) throw new Error('no graph')
  const parts = fields(graph.bytes)
  const nodes = parts.filter(({ number }) => number === GRAPH.node).map((one) => nodeOf(one.bytes))
  const constants = new Map<string, readonly Field[]>()
  for (const { number, bytes: message } of parts) {
    if (number !== GRAPH.initializer) continue
    const tensor = fields(message)
    constants.set(textOf(tensor, TENSOR.name), tensor)
  }
  for (const { op, outputs, attributes } of nodes) {
    const value = op === 'Constant' ? attributes.get('value') : undefined
    const tensor = value?.find(({ number }) => number === 5)
    if (tensor) constants.set(outputs[0] ?? '', fields(tensor.bytes))
  }
  const values = (wanted: number): OnnxValue[] =>
    parts.filter(({ number }) => number === wanted).map((one) => readValueInfo(one.bytes))
  const initializers = new Set(
    parts
      .filter(({ number }) => number === GRAPH.initializer)
      .map((one) => textOf(fields(one.bytes), TENSOR.name)),
  )
  return {
    inputs: values(GRAPH.input).filter(({ name }) => !initializers.has(name)),
    outputs: values(GRAPH.output),
    opset: opsetOf(model),
    hasFunctions: model.some(({ number }) => number === MODEL.functions),
    nodes,
    makers: new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node]))),
    constants,
  }
}

function opsetOf(model: readonly Field[]): number {
  const sets = model.filter(({ number }) => number === MODEL.opset).map((one) => fields(one.bytes))
  const standard = sets.find((set) => ['', 'ai.onnx'].includes(textOf(set, 1)))
  return standard?.find(({ number }) => number === 2)?.value ?? 0
}

function nodeOf(bytes: Uint8Array): ProtoNode {
  const message = fields(bytes)
  const texts = (number: number): string[] =>
    message.filter((one) => one.number === number).map((one) => text(one.bytes))
  const attributes = message
    .filter(({ number }) => number === NODE.attribute)
    .map((one) => fields(one.bytes))
  return {
    op: textOf(message, NODE.op),
    domain: textOf(message, NODE.domain),
    inputs: texts(NODE.input),
    outputs: texts(NODE.output),
    attributes: new Map(attributes.map((one) => [textOf(one, 1), one])),
  }
}

/** Attribute `int` (field 3) or `float` (field 2). */
export function numberOf(node: ProtoNode, name: string, otherwise: number): number {
  const attribute = node.attributes.get(name)
  const float = attribute?.find(({ number }) => number === 2)
  if (float) return view(float.bytes).getFloat32(0, true)
  return attribute?.find(({ number }) => number === 3)?.value ?? otherwise
}

/** Attribute `ints` (field 8), packed or one by one. */
export function integersOf(node: ProtoNode, name: string): readonly number[] | undefined {
  const attribute = node.attributes.get(name)
  return attribute && integers(attribute, 8)
}

/** A repeated int64 field. Negative numbers take ten bytes. */
export function integers(message: readonly Field[], number: number): readonly number[] {
  return message
    .filter((one) => one.number === number)
    .flatMap((one) => (one.bytes.length > 0 ? packed(one.bytes) : [signed(one.value)]))
}

function packed(bytes: Uint8Array): readonly number[] {
  const values: number[] = []
  let value = 0n
  let shift = 0n
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift
    shift += 7n
    if (byte >= 0x80) continue
    values.push(Number(BigInt.asIntN(64, value)))
    value = 0n
    shift = 0n
  }
  return values
}

/** What is read of a negative number is its low 49 bits. */
function signed(value: number): number {
  return value >= 2 ** 48 ? value - 2 ** 49 : value
}

export function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
