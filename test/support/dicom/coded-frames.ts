// Encoders for tests: lossless and 12-bit JPEG with a plain Huffman table, RLE; the codecs of JPEG-LS, JPEG 2000 and HTJ2K.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

export interface Plane {
  readonly width: number
  readonly height: number
  readonly values: Uint8Array | Uint16Array
}

/** Sizes of differences 0..16, each with a code of five bits: its own number. */
const TABLE = segment(0xc4, [0, ...counts(5, 17), ...Array.from({ length: 17 }, (_, i) => i)])

/** ITU-T T.81 annex H, written from the definitions: one component, any predictor, restarts at whole rows. */
export function losslessJpeg(
  plane: Plane,
  o: { readonly precision: number; readonly predictor: number; readonly restartRows?: number },
): Buffer {
  const { width, height, values } = plane
  const bits = new Bits()
  const parts: Buffer[] = []
  const at = (x: number, y: number) => values[y * width + x] as number
  for (let y = 0; y < height; y++) {
    const begins = y === 0 || (o.restartRows !== undefined && y % o.restartRows === 0)
    if (begins && y > 0) {
      parts.push(bits.take(), Buffer.of(0xff, 0xd0 + ((y / (o.restartRows ?? 1) - 1) % 8)))
    }
    for (let x = 0; x < width; x++) {
      let predicted = 1 << (o.precision - 1)
      if (begins && x > 0) predicted = at(x - 1, y)
      else if (!begins && x === 0) predicted = at(x, y - 1)
      else if (!begins)
        predicted = guess(o.predictor, [at(x - 1, y), at(x, y - 1), at(x - 1, y - 1)])
      bits.difference(wrapped(at(x, y) - predicted))
    }
  }
  const interval = (o.restartRows ?? 0) * width
  return Buffer.concat([
    Buffer.of(0xff, 0xd8),
    segment(0xc3, [o.precision, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0]),
    TABLE,
    segment(0xdd, [interval >> 8, interval & 255]),
    segment(0xda, [1, 1, 0, o.predictor, 0, 0]),
    ...parts,
    bits.take(),
    Buffer.of(0xff, 0xd9),
  ])
}

/** A 12-bit extended JPEG whose blocks of 8 x 8 have one value each: `values` is one for each block. */
export function twelveBitJpeg(size: { width: number; height: number }, values: number[]): Buffer {
  const { width, height } = size
  const bits = new Bits()
  let previous = 0
  for (const value of values) {
    // The DC coefficient is 8 times the mean; the quantiser's step is 8.
    bits.difference(value - 2048 - previous)
    previous = value - 2048
    bits.write(0, 5)
  }
  return Buffer.concat([
    Buffer.of(0xff, 0xd8),
    segment(0xdb, [0, ...new Array<number>(64).fill(8)]),
    segment(0xc1, [12, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0]),
    TABLE,
    segment(0xc4, [0x10, ...counts(5, 1), 0]),
    segment(0xda, [1, 1, 0, 0, 63, 0]),
    bits.take(),
    Buffer.of(0xff, 0xd9),
  ])
}

/** PS3.5 annex G with literal runs and one repetition; byte planes, most significant first. */
export function rle(planes: readonly Uint8Array[]): Buffer {
  const packed = planes.map((plane) => {
    const runs: Buffer[] = []
    for (let at = 0; at < plane.length; at += 100) {
      const part = plane.subarray(at, at + 100)
      const same = part.length > 1 && part.every((one) => one === part[0])
      runs.push(
        same ? Buffer.of(257 - part.length, part[0] ?? 0) : Buffer.of(part.length - 1, ...part),
      )
    }
    const all = Buffer.concat(runs)
    return all.length % 2 === 0 ? all : Buffer.concat([all, Buffer.of(128)])
  })
  const head = Buffer.alloc(64)
  head.writeUInt32LE(packed.length, 0)
  let offset = 64
  packed.forEach((segmentBytes, i) => {
    head.writeUInt32LE(offset, 4 + i * 4)
    offset += segmentBytes.length
  })
  return Buffer.concat([head, ...packed])
}

interface Encoder {
  getDecodedBuffer(info: object): Uint8Array
  encode(): void
  getEncodedBuffer(): Uint8Array
  setNearLossless?(near: number): void
  setQuality?(reversible: boolean, step: number): void
  setDecompositions?(levels: number): void
  setInterleaveMode?(mode: number): void
  delete(): void
}

const ENCODERS = {
  'jpeg-ls': ['@cornerstonejs/codec-charls/wasmjs', 'JpegLSEncoder'],
  'jpeg-2000': ['@cornerstonejs/codec-openjpeg/wasmjs', 'J2KEncoder'],
  htj2k: ['@cornerstonejs/codec-openjph', 'HTJ2KEncoder'],
} as const

/** Grey or colour (pixel by pixel, in JPEG-LS also plane by plane), without loss. */
export async function codestream(
  kind: keyof typeof ENCODERS,
  o: Plane & {
    readonly bits: number
    readonly components?: number
    readonly signed?: boolean
    readonly planar?: boolean
  },
): Promise<Buffer> {
  const [path, className] = ENCODERS[kind]
  const factory = require(path) as (options: object) => Promise<Record<string, new () => Encoder>>
  const silent = () => {}
  const module = await factory({ print: silent, printErr: silent })
  const encoder = new (module[className] as new () => Encoder)()
  const {
    width,
    height,
    values,
    bits,
    components = 1,
    signed = false,
    planar = components === 1,
  } = o
  const info = { width, height, bitsPerSample: bits, componentCount: components, isSigned: signed }
  const all = { ...info, isUsingColorTransform: components === 3 }
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  encoder.getDecodedBuffer(all).set(bytes)
  encoder.setDecompositions?.(2)
  encoder.setInterleaveMode?.(planar ? 0 : 2)
  encoder.setNearLossless?.(0)
  encoder.setQuality?.(true, 0)
  encoder.encode()
  const coded = Buffer.from(encoder.getEncodedBuffer())
  encoder.delete()
  return coded
}

class Bits {
  #bytes: number[] = []
  #bits = 0
  #count = 0

  /** A size and then that many bits, as T.81 F.1.2.1 has it. */
  difference(value: number): void {
    const size = value === 0 ? 0 : Math.floor(Math.log2(Math.abs(value))) + 1
    this.write(size, 5)
    if (size < 16) this.write(value < 0 ? value + (1 << size) - 1 : value, size)
  }

  write(value: number, size: number): void {
    for (let i = size - 1; i >= 0; i--) {
      this.#bits = (this.#bits << 1) | ((value >> i) & 1)
      if (++this.#count === 8) this.#flush()
    }
  }

  /** All bytes so far, filled up with ones. */
  take(): Buffer {
    while (this.#count > 0) this.write(1, 1)
    const bytes = Buffer.from(this.#bytes)
    this.#bytes = []
    return bytes
  }

  #flush(): void {
    this.#bytes.push(this.#bits)
    if (this.#bits === 0xff) this.#bytes.push(0)
    this.#bits = 0
    this.#count = 0
  }
}

/** Left, above, above left: T.81 table H.1. */
function guess(predictor: number, [a, b, c]: readonly [number, number, number]): number {
  const all = [0, a, b, c, a + b - c, a + ((b - c) >> 1), b + ((a - c) >> 1), (a + b) >> 1]
  return all[predictor] as number
}

/** Differences are modulo 65536; -32767 to 32768. */
function wrapped(value: number): number {
  const low = value & 0xffff
  return low > 32768 ? low - 65536 : low
}

function counts(length: number, codes: number): number[] {
  return Array.from({ length: 16 }, (_, i) => (i === length - 1 ? codes : 0))
}

function segment(marker: number, body: readonly number[]): Buffer {
  const length = body.length + 2
  return Buffer.of(0xff, marker, length >> 8, length & 255, ...body)
}
