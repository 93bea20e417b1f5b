// Reads protocol buffer wire format, as much of it as ONNX needs; knows no ONNX.
// https://protobuf.dev/programming-guides/encoding/

export interface Field {
  readonly number: number
  /** Of a varint; 0 for the other wire types. */
  readonly value: number
  /** Of a length-delimited field; the four or eight bytes of a fixed one; empty for a varint. */
  readonly bytes: Uint8Array
  /** The field whole, with its key, as it may be written again. */
  readonly whole: Uint8Array
}

const EMPTY = new Uint8Array()

/** All fields of one message. @throws Error when it ends in the midst of one */
export function fields(bytes: Uint8Array): Field[] {
  const found: Field[] = []
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at++]
      if (byte === undefined) throw new Error('ends within a number')
      if (shift < 49) value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw new Error('a number is too long')
  }
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new Error('ends within a field')
    at += length
    return bytes.subarray(at - length, at)
  }
  const lengthOf = (wire: number): number => {
    if (wire === 2) return varint()
    if (wire === 1) return 8
    if (wire === 5) return 4
    throw new Error(`unknown wire type ${wire}`)
  }
  while (at < bytes.length) {
    const start = at
    const key = varint()
    const number = Math.floor(key / 8)
    const wire = key % 8
    if (number === 0) throw new Error('field number 0')
    const isVarint = wire === 0
    const value = isVarint ? varint() : 0
    const content = isVarint ? EMPTY : take(lengthOf(wire))
    found.push({ number, value, bytes: content, whole: bytes.subarray(start, at) })
  }
  return found
}

/** The first text of that number; '' when there is none. */
export function textOf(message: readonly Field[], number: number): string {
  const field = message.find((one) => one.number === number)
  return field ? text(field.bytes) : ''
}

export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}
