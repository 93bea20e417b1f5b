// The parts of an ONNX model as plain data, and their encoding as a ModelProto (onnx.proto3). Which nodes there are
// is decided by the kernels.
import { MessageWriter } from './protobuf.ts'

/** TensorProto.DataType of each element type that is used here. */
export const ELEMENT_TYPES = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9 } as const
export type ElementType = keyof typeof ELEMENT_TYPES

export type ElementArray = Float32Array | Uint8Array | Int8Array | Int32Array | BigInt64Array

export interface OnnxTensor {
  readonly type: ElementType
  readonly dims: readonly number[]
  readonly data: ElementArray
}

/** Numbers are `int` attributes and lists of numbers `ints`; a float says so with `{ float }`. */
export type OnnxAttribute = number | string | readonly number[] | { readonly float: number }

export interface OnnxNode {
  readonly op: string
  readonly inputs: readonly string[]
  /** May grow while the graph is recorded: a gradient may ask for a second output, such as MaxPool's indices. */
  readonly outputs: string[]
  readonly attributes: Readonly<Record<string, OnnxAttribute>>
  readonly domain?: 'com.microsoft'
}

export interface OnnxPort {
  readonly name: string
  readonly type: ElementType
  readonly dims: readonly number[]
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[]
  readonly initializers: ReadonlyMap<string, OnnxTensor>
  readonly inputs: readonly OnnxPort[]
  readonly outputs: readonly OnnxPort[]
}

const IR_VERSION = 8
const OPSET = 17
const ATTRIBUTE = { float: 1, int: 2, string: 3, ints: 7 } as const

/** The bytes of an .onnx file: IR version 8, operator set 17, and ONNX Runtime's `com.microsoft` 1. */
export function encodeModel(graph: OnnxGraph): Uint8Array {
  return new MessageWriter()
    .int(1, IR_VERSION)
    .text(2, 'roentgen')
    .message(7, graphMessage(graph))
    .message(8, new MessageWriter().text(1, '').int(2, OPSET))
    .message(8, new MessageWriter().text(1, 'com.microsoft').int(2, 1))
    .finish()
}

function graphMessage(graph: OnnxGraph): MessageWriter {
  const message = new MessageWriter()
  for (const node of graph.nodes) message.message(1, nodeMessage(node))
  message.text(2, 'traced')
  for (const [name, tensor] of graph.initializers) message.message(5, tensorMessage(name, tensor))
  for (const port of graph.inputs) message.message(11, portMessage(port))
  for (const port of graph.outputs) message.message(12, portMessage(port))
  return message
}

function nodeMessage(node: OnnxNode): MessageWriter {
  const message = new MessageWriter()
  for (const input of node.inputs) message.text(1, input)
  for (const output of node.outputs) message.text(2, output)
  message.text(3, node.outputs[0] ?? '').text(4, node.op)
  for (const [name, value] of Object.entries(node.attributes)) {
    message.message(5, attributeMessage(name, value))
  }
  if (node.domain) message.text(7, node.domain)
  return message
}

function attributeMessage(name: string, value: OnnxAttribute): MessageWriter {
  const message = new MessageWriter().text(1, name)
  if (typeof value === 'number') return message.int(3, value).int(20, ATTRIBUTE.int)
  if (typeof value === 'string') {
    return message.bytes(4, Buffer.from(value, 'utf8')).int(20, ATTRIBUTE.string)
  }
  if ('float' in value) return message.float(2, value.float).int(20, ATTRIBUTE.float)
  for (const item of value) message.int(8, item)
  return message.int(20, ATTRIBUTE.ints)
}

function tensorMessage(name: string, tensor: OnnxTensor): MessageWriter {
  const message = new MessageWriter()
  for (const dim of tensor.dims) message.int(1, dim)
  const { buffer, byteOffset, byteLength } = tensor.data
  return message
    .int(2, ELEMENT_TYPES[tensor.type])
    .text(8, name)
    .bytes(9, new Uint8Array(buffer, byteOffset, byteLength))
}

function portMessage(port: OnnxPort): MessageWriter {
  const shape = new MessageWriter()
  for (const dim of port.dims) shape.message(1, new MessageWriter().int(1, dim))
  const tensorType = new MessageWriter().int(1, ELEMENT_TYPES[port.type]).message(2, shape)
  return new MessageWriter()
    .text(1, port.name)
    .message(2, new MessageWriter().message(1, tensorType))
}
