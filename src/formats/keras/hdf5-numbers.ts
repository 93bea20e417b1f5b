// Numbers as HDF5 stores them, turned into 32-bit floats: any width, signed or not, either byte order.
import { halfFloat } from '../half-float.ts'

export interface StoredNumbers {
  readonly isFloat: boolean
  /** Bytes of one number. */
  readonly size: number
  readonly signed: boolean
  readonly littleEndian: boolean
}

type ReadOne = (view: DataView, at: number, littleEndian: boolean) => number

const FLOATS: Readonly<Record<number, ReadOne>> = {
  2: (view, at, little) => halfFloat(view.getUint16(at, little)),
  4: (view, at, little) => view.getFloat32(at, little),
  8: (view, at, little) => view.getFloat64(at, little),
}
const SIGNED: Readonly<Record<number, ReadOne>> = {
  1: (view, at) => view.getInt8(at),
  2: (view, at, little) => view.getInt16(at, little),
  4: (view, at, little) => view.getInt32(at, little),
  8: (view, at, little) => Number(view.getBigInt64(at, little)),
}
const UNSIGNED: Readonly<Record<number, ReadOne>> = {
  1: (view, at) => view.getUint8(at),
  2: (view, at, little) => view.getUint16(at, little),
  4: (view, at, little) => view.getUint32(at, little),
  8: (view, at, little) => Number(view.getBigUint64(at, little)),
}

/** The numbers as float32, or undefined for a width that does not exist. @param bytes a whole number of them, owned by the caller */
export function asFloats(bytes: Uint8Array, stored: StoredNumbers): Float32Array | undefined {
  const { size, signed, isFloat, littleEndian } = stored
  const readOne = (isFloat ? FLOATS : signed ? SIGNED : UNSIGNED)[size]
  if (!readOne) return undefined
  const isPlain = isFloat && size === 4 && littleEndian && bytes.byteOffset % 4 === 0
  if (isPlain) return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const values = new Float32Array(Math.floor(bytes.length / size))
  for (let i = 0; i < values.length; i++) values[i] = readOne(view, i * size, littleEndian)
  return values
}
