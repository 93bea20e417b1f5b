// Huffman tables and the bits of a JPEG scan (ITU-T T.81 annexes C and F.2.2).
import { cutOff, damagedFrame } from '../frame.ts'

/** For each 16 bits that may come next: length << 8 | symbol; 0 where no code begins so. */
export type HuffmanTable = Uint16Array

/** `counts`: number of codes of 1 to 16 bits; `symbols`: theirs, in order. */
export function huffmanTable(counts: Uint8Array, symbols: Uint8Array): HuffmanTable {
  const table = new Uint16Array(65536)
  let code = 0
  let next = 0
  for (let length = 1; length <= 16; length++) {
    const span = 1 << (16 - length)
    for (let i = 0; i < (counts[length - 1] as number); i++) {
      const from = code << (16 - length)
      if (from + span > 65536) throw damagedFrame('JPEG')
      table.fill((length << 8) | (symbols[next++] as number), from, from + span)
      code++
    }
    code <<= 1
  }
  return table
}

/** Reads bits from the most significant one on; a marker ends them. */
export class JpegBits {
  readonly #bytes: Uint8Array
  #at: number
  #bits = 0
  #count = 0
  /** Zero bits that were made up behind the end. */
  #invented = 0

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.#at = at
  }

  symbol(table: HuffmanTable): number {
    this.#fill()
    const entry = table[(this.#bits >>> (this.#count - 16)) & 0xffff] as number
    if (entry === 0) throw damagedFrame('JPEG')
    this.#count -= entry >> 8
    return entry & 0xff
  }

  /** The signed value of `size` (1 to 15) further bits: T.81 F.2.2.1 EXTEND. */
  difference(size: number): number {
    this.#fill()
    this.#count -= size
    const value = (this.#bits >>> this.#count) & ((1 << size) - 1)
    return value < 1 << (size - 1) ? value - (1 << size) + 1 : value
  }

  /** @throws AppError when bits were used that the stream does not have */
  check(): void {
    if (this.#invented > this.#count) throw cutOff()
  }

  /** Goes on behind the next restart marker. */
  restart(): void {
    this.check()
    const bytes = this.#bytes
    while (this.#at + 1 < bytes.length) {
      const marker = bytes[this.#at + 1] as number
      if (bytes[this.#at] === 0xff && marker >= 0xd0 && marker <= 0xd7) break
      this.#at++
    }
    if (this.#at + 1 >= bytes.length) throw cutOff()
    this.#at += 2
    this.#bits = 0
    this.#count = 0
    this.#invented = 0
  }

  #fill(): void {
    while (this.#count <= 16) {
      const byte = this.#bytes[this.#at]
      const next = this.#bytes[this.#at + 1]
      if (byte === undefined || (byte === 0xff && next !== 0)) {
        this.#bits <<= 8
        this.#invented += 8
      } else {
        this.#bits = (this.#bits << 8) | byte
        this.#at += byte === 0xff ? 2 : 1
      }
      this.#count += 8
    }
  }
}
