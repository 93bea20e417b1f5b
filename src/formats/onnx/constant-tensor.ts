// Constant tensors of an ONNX file as numbers.
import { type NumberType, toFloat32 } from '../tensor-source.ts'
import { integers, TENSOR, view } from './model-proto.ts'
import type { Field } from './wire.ts'

const FLOAT = 1
/** Of 16 and 64 bits. */
const OTHER_FLOATS: Readonly<Record<number, NumberType>> = { 10: 'float16', 11: 'float64' }
const INT32 = 6
const INT64 = 7

/** Undefined for other element types, and when the numbers are in another file. */
export function floatsOf(
  tensor: readonly Field[],
): { readonly dims: readonly number[]; readonly values: Float32Array } | undefined {
  const dims = integers(tensor, TENSOR.dims)
  const count = dims.reduce((size, n) => size * n, 1)
  const raw = bytesOf(tensor, TENSOR.raw) ?? bytesOf(tensor, TENSOR.floats)
  if (typeOf(tensor) !== FLOAT || raw?.length !== 4 * count) return undefined
  const numbers = view(raw)
  return {
    dims,
    values: Float32Array.from({ length: count }, (_, i) => numbers.getFloat32(4 * i, true)),
  }
}

/** As `floatsOf`, for floats of 16 and 64 bits too; undefined unless they are stored as plain bytes. */
export function numbersOf(tensor: readonly Field[]): Float32Array | undefined {
  const type = OTHER_FLOATS[typeOf(tensor)]
  const raw = bytesOf(tensor, TENSOR.raw)
  return type && raw ? toFloat32(type, raw) : floatsOf(tensor)?.values
}

/** A short list of whole numbers, such as the axes of a reduction. */
export function wholeNumbersOf(tensor: readonly Field[]): readonly number[] | undefined {
  const type = typeOf(tensor)
  const raw = bytesOf(tensor, TENSOR.raw)
  if (raw && type === INT64) {
    const numbers = view(raw)
    return Array.from({ length: raw.length / 8 }, (_, i) =>
      Number(numbers.getBigInt64(8 * i, true)),
    )
  }
  if (type === INT64) return integers(tensor, TENSOR.int64s)
  return type === INT32 && !raw ? integers(tensor, TENSOR.int32s) : undefined
}

function typeOf(tensor: readonly Field[]): number {
  return tensor.find(({ number }) => number === TENSOR.type)?.value ?? 0
}

/** Numbers may come in one field, or each in its own. */
function bytesOf(tensor: readonly Field[], number: number): Uint8Array | undefined {
  const parts = tensor.filter((one) => one.number === number).map((one) => one.bytes)
  if (parts.length === 0) return undefined
  return parts.length === 1 ? parts[0] : Buffer.concat(parts)
}
