// The outline of an ONNX file: its inputs, outputs and which operator makes each output. Reads the protobuf wire format
// directly (onnx.proto3: ModelProto.graph = 7; GraphProto node 1, initializer 5, input 11, output 12). Runs nothing.
import { AppError } from '../../errors.ts'
import { type Field, fields } from './wire.ts'

export interface OnnxValue {
  readonly name: string
  /** Elements per axis; undefined where the file leaves it open. */
  readonly dims: readonly (number | undefined)[]
  /** TensorProto.DataType; 1 is float32. */
  readonly elementType: number
}

export interface OnnxOutline {
  /** Without the initializers that older files list as inputs. */
  readonly inputs: readonly OnnxValue[]
  readonly outputs: readonly OnnxValue[]
  /** Operator that makes a value, by the value's name. */
  readonly madeBy: ReadonlyMap<string, string>
}

/** @throws AppError `invalid-package` when the bytes are no whole ONNX model */
export function readOnnxOutline(bytes: Uint8Array): OnnxOutline {
  try {
    return outline(bytes)
  } catch (cause) {
    throw new AppError(
      'invalid-package',
      'The ONNX file is cut off or damaged; export or copy it again.',
      {
        cause,
      },
    )
  }
}

function outline(bytes: Uint8Array): OnnxOutline {
  const graph = fields(bytes).find((one) => one.number === 7)?.bytes
  if (!graph) throw new Error('no graph')
  const initializers = new Set<string>()
  const inputs: OnnxValue[] = []
  const outputs: OnnxValue[] = []
  const madeBy = new Map<string, string>()
  for (const field of fields(graph)) {
    if (field.number === 1) {
      const node = fields(field.bytes)
      const operator = textOf(node, 4)
      for (const output of node.filter((one) => one.number === 2))
        madeBy.set(text(output.bytes), operator)
    } else if (field.number === 5) initializers.add(textOf(fields(field.bytes), 8))
    else if (field.number === 11) inputs.push(readValue(field.bytes))
    else if (field.number === 12) outputs.push(readValue(field.bytes))
  }
  return { inputs: inputs.filter(({ name }) => !initializers.has(name)), outputs, madeBy }
}

/** ValueInfoProto: name 1, type 2 -> TypeProto.tensor_type 1 -> elem_type 1, shape 2 -> dim 1 -> dim_value 1 */
function readValue(bytes: Uint8Array): OnnxValue {
  const info = fields(bytes)
  const tensor = child(child(info, 2), 1)
  const dims = child(tensor, 2)
    .filter((one) => one.number === 1)
    .map((dim) => fields(dim.bytes).find((one) => one.number === 1)?.value)
    .map((value) => (value === undefined || value <= 0 ? undefined : value))
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

function textOf(message: readonly Field[], number: number): string {
  const field = message.find((one) => one.number === number)
  return field ? text(field.bytes) : ''
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}
