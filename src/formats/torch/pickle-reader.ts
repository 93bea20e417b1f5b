// The bytes of a pickle, one argument after the other. What they mean is torch-pickle.ts.
const LONGEST_TEXT = 1024 * 1024
const LONGEST_LINE = 1000

export class PickleReader {
  readonly #bytes: Buffer
  #at: number

  constructor(bytes: Uint8Array, from = 0) {
    this.#at = from
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Where the next byte is. */
  get at(): number {
    return this.#at
  }

  byte(): number {
    return this.#take(1).readUInt8()
  }

  uint16(): number {
    return this.#take(2).readUInt16LE()
  }

  int32(): number {
    return this.#take(4).readInt32LE()
  }

  uint32(): number {
    return this.#take(4).readUInt32LE()
  }

  uint64(): number {
    return Number(this.#take(8).readBigUInt64LE())
  }

  /** Big-endian, as no other number of a pickle. */
  float64(): number {
    return this.#take(8).readDoubleBE()
  }

  /** An integer of any length, little-endian, two's complement. */
  long(length: number): number {
    if (length === 0) return 0
    if (length > 8) throw new Error('an integer of more than 64 bits')
    let value = 0n
    for (const [i, byte] of this.#take(length).entries()) value |= BigInt(byte) << BigInt(8 * i)
    return Number(BigInt.asIntN(8 * length, value))
  }

  text(length: number): string {
    if (length > LONGEST_TEXT) throw new Error('a text of more than 1 MiB')
    return this.#take(length).toString('utf8')
  }

  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at)
    if (end < 0 || end - this.#at > LONGEST_LINE) throw new Error('a line without an end')
    const line = this.#take(end - this.#at).toString('utf8')
    this.skip(1)
    return line
  }

  skip(length: number): void {
    this.#take(length)
  }

  #take(length: number): Buffer {
    const to = this.#at + length
    if (!(to <= this.#bytes.length)) throw new Error('the pickle ends early')
    const taken = this.#bytes.subarray(this.#at, to)
    this.#at = to
    return taken
  }
}
