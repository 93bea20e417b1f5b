// What an ONNX file says about its inputs and outputs: name, element type and shape (onnx.proto3, ValueInfoProto).
import { type Field, fields, textOf } from './wire.ts'

export interface OnnxValue {
  readonly name: string
  /** Elements per axis; undefined where the file leaves it open. Empty when it gives no shape at all, or a scalar. */
  readonly dims: readonly (number | undefined)[]
  /** TensorProto.DataType; 1 is float32; 0 where the file does not say. */
  readonly elementType: number
}

/** Some writers say -1 for an open axis, which is read as a very large number. */
const MAX_DIM = 2 ** 31

/** TensorProto.DataType, by the names that people know them by. */
export const DATA_TYPES: Readonly<Record<number, string>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  8: 'string',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
  16: 'bfloat16',
}

/** ValueInfoProto: name 1, type 2 -> TypeProto.tensor_type 1 -> elem_type 1, shape 2 -> dim 1 -> dim_value 1 */
export function readValueInfo(bytes: Uint8Array): OnnxValue {
  const info = fields(bytes)
  const tensor = child(child(info, 2), 1)
  const dims = child(tensor, 2)
    .filter((one) => one.number === 1)
    .map((dim) => fields(dim.bytes).find((one) => one.number === 1)?.value)
    .map((value) => (value !== undefined && value > 0 && value < MAX_DIM ? value : undefined))
  return {
    name: textOf(info, 1),
    dims,
    elementType: tensor.find((one) => one.number === 1)?.value ?? 0,
  }
}

function child(message: readonly Field[], number: number): Field[] {
  const field = message.find((one) => one.number === number)
  return field ? fields(field.bytes) : []
}
