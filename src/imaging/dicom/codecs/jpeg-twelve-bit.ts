// JPEG extended, process 4 (ITU-T T.81): 12-bit grey, sequential DCT with Huffman codes. Eight bits are sharp's (jpeg.ts); no
// package that is kept up decodes twelve.
import { AppError } from '../../../errors.ts'
import { damagedFrame, type Frame } from '../frame.ts'
import type { ImageHeader } from '../image-header.ts'
import { type HuffmanTable, JpegBits } from './jpeg-huffman.ts'
import { type JpegScan, type JpegState, jpegScans } from './jpeg-stream.ts'

const SIDE = 8
/** T.81 figure A.6: the place in the block of the n-th coefficient of the stream. */
const ZIGZAG = zigzag()
/** [x][u]: half of C(u) cos((2x + 1) u pi / 16). */
const COSINES = cosines()

/** The size has been checked by the caller. @throws AppError `unsupported-image`, `undecodable-image` */
export function twelveBitJpegFrame(bytes: Uint8Array, header: ImageHeader): Frame {
  if (header.samples !== 1 || header.bitsAllocated !== 16) {
    throw new AppError(
      'unsupported-image',
      'The DICOM file holds a 12-bit JPEG in colour, which is not supported; export it as explicit little endian.',
    )
  }
  for (const { scan, state } of jpegScans(bytes)) return { cells: decode(bytes, { scan, state }) }
  throw damagedFrame('JPEG')
}

function decode(bytes: Uint8Array, o: { scan: JpegScan; state: JpegState }): Uint16Array {
  const { frame, huffman, quantization, restartInterval } = o.state
  const [component] = o.scan.components
  const dc = huffman[component?.dc ?? -1]
  const ac = huffman[4 + (component?.ac ?? -1)]
  const steps = quantization[frame.quantizers[0] ?? -1]
  if (!dc || !ac || !steps) throw damagedFrame('JPEG')

  const { width, height, precision } = frame
  const cells = new Uint16Array(width * height)
  const bits = new JpegBits(bytes, o.scan.at)
  const block = new Float64Array(SIDE * SIDE)
  const columns = Math.ceil(width / SIDE)
  const blocks = columns * Math.ceil(height / SIDE)
  let previous = 0
  for (let i = 0; i < blocks; i++) {
    if (restartInterval > 0 && i > 0 && i % restartInterval === 0) {
      bits.restart()
      previous = 0
    }
    previous = readBlock(bits, { block, dc, ac, steps, previous })
    bits.check()
    inverseTransform(block)
    const [left, top] = [(i % columns) * SIDE, Math.floor(i / columns) * SIDE]
    store(block, { cells, left, top, width, height, precision })
  }
  return cells
}

interface BlockTables {
  readonly block: Float64Array
  readonly dc: HuffmanTable
  readonly ac: HuffmanTable
  readonly steps: Uint16Array
  readonly previous: number
}

/** Fills `block` with dequantised coefficients; returns the DC one for the next block. T.81 F.2.2. */
function readBlock(bits: JpegBits, { block, dc, ac, steps, previous }: BlockTables): number {
  block.fill(0)
  const size = bits.symbol(dc)
  if (size > 15) throw damagedFrame('JPEG')
  const value = previous + (size === 0 ? 0 : bits.difference(size))
  block[0] = value * (steps[0] as number)
  for (let k = 1; k < 64; k++) {
    const symbol = bits.symbol(ac)
    const length = symbol & 15
    if (length === 0 && symbol !== 0xf0) break
    k += symbol >> 4
    if (length === 0) continue
    if (k > 63) throw damagedFrame('JPEG')
    block[ZIGZAG[k] as number] = bits.difference(length) * (steps[k] as number)
  }
  return value
}

const rows = new Float64Array(SIDE * SIDE)

/** T.81 A.3.3, as two passes of one dimension, in place. */
function inverseTransform(block: Float64Array): void {
  transformRows(block, rows)
  transformRows(rows, block)
}

/** Transforms each row and writes it as a column. */
function transformRows(from: Float64Array, to: Float64Array): void {
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      let sum = 0
      for (let u = 0; u < SIDE; u++) {
        sum += (COSINES[x * SIDE + u] as number) * (from[y * SIDE + u] as number)
      }
      to[x * SIDE + y] = sum
    }
  }
}

interface Target {
  readonly cells: Uint16Array
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
  readonly precision: number
}

/** Shifts samples to unsigned and cuts what lies outside of the picture or of its range. */
function store(block: Float64Array, { cells, left, top, width, height, precision }: Target): void {
  const middle = 1 << (precision - 1)
  const most = 2 * middle - 1
  const [right, bottom] = [Math.min(SIDE, width - left), Math.min(SIDE, height - top)]
  for (let y = 0; y < bottom; y++) {
    for (let x = 0; x < right; x++) {
      const value = Math.round((block[y * SIDE + x] as number) + middle)
      cells[(top + y) * width + left + x] = Math.min(Math.max(value, 0), most)
    }
  }
}

function zigzag(): Uint8Array {
  const order = Array.from({ length: SIDE * SIDE }, (_, at) => {
    const [x, y] = [at % SIDE, Math.floor(at / SIDE)]
    const diagonal = x + y
    return { at, diagonal, along: diagonal % 2 === 0 ? x : y }
  })
  order.sort((one, other) => one.diagonal - other.diagonal || one.along - other.along)
  return Uint8Array.from(order.map(({ at }) => at))
}

function cosines(): Float64Array {
  return Float64Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [x, u] = [Math.floor(i / SIDE), i % SIDE]
    return (Math.cos(((2 * x + 1) * u * Math.PI) / 16) / 2) * (u === 0 ? Math.SQRT1_2 : 1)
  })
}
