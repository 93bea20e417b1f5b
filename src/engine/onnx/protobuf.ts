// Writes protocol buffer wire format, as much of it as ONNX needs; knows no ONNX (model.ts does).
// https://protobuf.dev/programming-guides/encoding/

const WIRE_VARINT = 0
const WIRE_LENGTH = 2
const WIRE_FIXED32 = 5

/** One message being written. Parts are kept by reference and joined once, so that weights are copied only once. */
export class MessageWriter {
  readonly #parts: Uint8Array[] = []
  #length = 0

  /** An int32, int64 or enum field; negative numbers take ten bytes, as in protobuf. */
  int(field: number, value: number | bigint): this {
    return this.#varint((field << 3) | WIRE_VARINT).#varint(value)
  }

  float(field: number, value: number): this {
    const bytes = Buffer.alloc(4)
    bytes.writeFloatLE(value)
    return this.#varint((field << 3) | WIRE_FIXED32).#push(bytes)
  }

  bytes(field: number, value: Uint8Array): this {
    return this.#varint((field << 3) | WIRE_LENGTH)
      .#varint(value.length)
      .#push(value)
  }

  text(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value, 'utf8'))
  }

  message(field: number, value: MessageWriter): this {
    this.#varint((field << 3) | WIRE_LENGTH).#varint(value.#length)
    for (const part of value.#parts) this.#push(part)
    return this
  }

  finish(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#parts, this.#length))
  }

  #push(part: Uint8Array): this {
    this.#parts.push(part)
    this.#length += part.length
    return this
  }

  #varint(value: number | bigint): this {
    const bytes: number[] = []
    let rest = BigInt.asUintN(64, BigInt(value))
    while (rest > 127n) {
      bytes.push(Number(rest & 127n) | 128)
      rest >>= 7n
    }
    bytes.push(Number(rest))
    return this.#push(Uint8Array.from(bytes))
  }
}
