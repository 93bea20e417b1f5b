// What every reader of weight files gives: named tensors, read one at a time, as 32-bit floats whatever they are stored as.
import { AppError } from '../errors.ts'
import { halfFloat } from './half-float.ts'

export const NUMBER_BYTES = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
} as const
export type NumberType = keyof typeof NUMBER_BYTES

export interface TensorInfo {
  readonly shape: readonly number[]
  readonly type: NumberType
}

export interface TensorSource {
  /** In the order of the file. */
  readonly tensors: ReadonlyMap<string, TensorInfo>
  /** Row-major. @throws AppError `invalid-package` when the file is cut off or damaged */
  read(name: string): Promise<Float32Array>
}

const MAX_RANK = 8
/** Of one tensor: 2 GiB as 32-bit floats, more than any network here has in one layer. */
const MAX_NUMBERS = 512 * 1024 * 1024

/** Numbers of a shape from outside. @throws AppError `invalid-package` when it is none, or absurdly large */
export function sizeOf(shape: readonly unknown[], name: string): number {
  const isShape = shape.length <= MAX_RANK && shape.every((n) => Number.isSafeInteger(n))
  const size = shape.reduce<number>((product, n) => product * (n as number), 1)
  if (isShape && shape.every((n) => (n as number) >= 0) && size <= MAX_NUMBERS) return size
  throw new AppError(
    'invalid-package',
    `The weight "${shownName(name)}" has a shape that no network here has.`,
  )
}

/** Little-endian numbers as 32-bit floats. @param bytes as many as fit, the rest of a last one is left out */
export function toFloat32(type: NumberType, bytes: Uint8Array): Float32Array {
  const count = Math.floor(bytes.length / NUMBER_BYTES[type])
  const values = new Float32Array(count)
  if (type === 'float32') {
    new Uint8Array(values.buffer).set(bytes.subarray(0, count * 4))
    return values
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const at = READERS[type]
  for (let i = 0; i < count; i++) values[i] = at(view, i)
  return values
}

const READERS: Readonly<Record<NumberType, (view: DataView, i: number) => number>> = {
  float64: (view, i) => view.getFloat64(8 * i, true),
  float32: (view, i) => view.getFloat32(4 * i, true),
  float16: (view, i) => halfFloat(view.getUint16(2 * i, true)),
  bfloat16: (view, i) => upperHalf(view.getUint16(2 * i, true)),
  int64: (view, i) => Number(view.getBigInt64(8 * i, true)),
  int32: (view, i) => view.getInt32(4 * i, true),
  int16: (view, i) => view.getInt16(2 * i, true),
  int8: (view, i) => view.getInt8(i),
  uint8: (view, i) => view.getUint8(i),
  bool: (view, i) => (view.getUint8(i) === 0 ? 0 : 1),
}

const scratch = new DataView(new ArrayBuffer(4))

/** bfloat16 is the upper half of a binary32. */
function upperHalf(bits: number): number {
  scratch.setUint32(0, bits * 0x10000)
  return scratch.getFloat32(0)
}

/** A name from a file, fit to be shown. */
export function shownName(name: string): string {
  return name.replace(/[^\x20-\x7e]/g, '?').slice(0, 100)
}

export function shownShape(shape: readonly number[]): string {
  return shape.length === 0 ? 'a single number' : shape.join(' x ')
}
