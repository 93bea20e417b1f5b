// Messages of onnx.proto3 for tests: what the project's own encoder does not write, as branches, loops and functions.
import { MessageWriter } from '../../src/engine/onnx/protobuf.ts'

/** TensorProto.DataType. */
export const [FLOAT, UINT8, INT64, BOOL] = [1, 2, 7, 9]
/** Attribute types of onnx.proto3. */
export const [INT, TENSOR, GRAPH] = [2, 4, 5]

export const message = () => new MessageWriter()

export function port(name: string, type: number, dims: readonly number[]): MessageWriter {
  const shape = message()
  for (const dim of dims) shape.message(1, message().int(1, dim))
  return message()
    .text(1, name)
    .message(2, message().message(1, message().int(1, type).message(2, shape)))
}

export interface Node {
  readonly op: string
  readonly inputs?: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes?: readonly MessageWriter[]
  readonly domain?: string
}

export function node({ op, inputs = [], outputs, attributes = [], domain }: Node): MessageWriter {
  const made = message()
  for (const input of inputs) made.text(1, input)
  for (const output of outputs) made.text(2, output)
  made.text(4, op)
  for (const attribute of attributes) made.message(5, attribute)
  if (domain !== undefined) made.text(7, domain)
  return made
}

export function scalar(name: string, type: number, byte: number): MessageWriter {
  const size = type === INT64 ? 8 : 1
  const raw = Buffer.alloc(size)
  raw[0] = byte
  return message().int(2, type).text(8, name).bytes(9, raw)
}

export const graphAttribute = (name: string, value: MessageWriter) =>
  message().text(1, name).message(6, value).int(20, GRAPH)
