// JPEG lossless, processes 14 and 14 SV1 (ITU-T T.81 annex H): every predictor, 2 to 16 bits, grey or colour, one scan for all
// components or one for each.
import { damagedFrame, type Frame } from '../frame.ts'
import type { ImageHeader } from '../image-header.ts'
import { type HuffmanTable, JpegBits } from './jpeg-huffman.ts'
import { type JpegFrame, type JpegScan, type JpegState, jpegScans } from './jpeg-stream.ts'

/** The size has been checked by the caller. @throws AppError `undecodable-image` */
export function losslessJpegFrame(bytes: Uint8Array, header: ImageHeader): Frame {
  const { width, height, samples } = header
  const planes = Array.from({ length: samples }, () => new Uint16Array(width * height))
  const missing = new Set(planes.keys())
  for (const { scan, state } of jpegScans(bytes)) {
    if (state.frame.sampling.some(([x, y]) => x !== 1 || y !== 1)) throw damagedFrame('JPEG')
    decodeScan(bytes, { scan, state, planes })
    for (const { index } of scan.components) missing.delete(index)
    if (missing.size === 0) break
  }
  if (missing.size > 0) throw damagedFrame('JPEG')
  const cells = header.bitsAllocated === 8 ? new Uint8Array(planes.length * width * height) : null
  if (samples === 1 && !cells) return { cells: planes[0] as Uint16Array }
  const mixed = cells ?? new Uint16Array(samples * width * height)
  planes.forEach((plane, sample) => {
    for (let i = 0, to = sample; i < plane.length; i++, to += samples)
      mixed[to] = plane[i] as number
  })
  return { cells: mixed }
}

interface Scan {
  readonly scan: JpegScan
  readonly state: JpegState
  readonly planes: readonly Uint16Array[]
}

interface Channel {
  readonly plane: Uint16Array
  readonly table: HuffmanTable
}

function decodeScan(bytes: Uint8Array, { scan, state, planes }: Scan): void {
  const { frame, restartInterval } = state
  const channels = scan.components.map(({ index, dc }): Channel => {
    const [plane, table] = [planes[index], state.huffman[dc]]
    if (!plane || !table) throw damagedFrame('JPEG')
    return { plane, table }
  })
  const { width, height } = frame
  // T.81 H.1.1: a restart interval is a whole number of rows.
  if (restartInterval % width !== 0) throw damagedFrame('JPEG')
  const rowsBetween = restartInterval / width
  const bits = new JpegBits(bytes, scan.at)
  for (let y = 0; y < height; y++) {
    const begins = y === 0 || (rowsBetween > 0 && y % rowsBetween === 0)
    if (begins && y > 0) bits.restart()
    decodeRow(bits, { channels, scan, frame, y, begins })
    bits.check()
  }
}

interface Row {
  readonly channels: readonly Channel[]
  readonly scan: JpegScan
  readonly frame: JpegFrame
  readonly y: number
  /** The row above is not looked at: the first of the scan or after a restart. */
  readonly begins: boolean
}

function decodeRow(bits: JpegBits, { channels, scan, frame, y, begins }: Row): void {
  const { width, precision } = frame
  const { pointTransform, spectralStart: predictor } = scan
  const first = 1 << (precision - pointTransform - 1)
  const start = y * width
  for (let x = 0; x < width; x++) {
    for (const { plane, table } of channels) {
      const at = start + x
      let predicted: number
      if (begins) predicted = x === 0 ? first : (plane[at - 1] as number) >> pointTransform
      else if (x === 0) predicted = (plane[at - width] as number) >> pointTransform
      else predicted = predict(predictor, { plane, at, width, shift: pointTransform })
      const size = bits.symbol(table)
      if (size > 16) throw damagedFrame('JPEG')
      const difference = size === 0 ? 0 : size === 16 ? 32768 : bits.difference(size)
      plane[at] = ((predicted + difference) & 0xffff) << pointTransform
    }
  }
}

/** T.81 table H.1: a is left of the sample, b above it, c above a. */
function predict(
  predictor: number,
  o: { plane: Uint16Array; at: number; width: number; shift: number },
): number {
  const a = (o.plane[o.at - 1] as number) >> o.shift
  if (predictor === 1) return a
  const b = (o.plane[o.at - o.width] as number) >> o.shift
  const c = (o.plane[o.at - o.width - 1] as number) >> o.shift
  switch (predictor) {
    case 2:
      return b
    case 3:
      return c
    case 4:
      return a + b - c
    case 5:
      return a + ((b - c) >> 1)
    case 6:
      return b + ((a - c) >> 1)
    case 7:
      return (a + b) >> 1
    default:
      throw damagedFrame('JPEG')
  }
}
