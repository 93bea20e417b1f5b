// The marker segments of a JPEG (ITU-T T.81 annex B) or JPEG-LS stream: its size, tables and scans.
import { type CodedSize, damagedFrame } from '../frame.ts'
import { type HuffmanTable, huffmanTable } from './jpeg-huffman.ts'

/** T.81 table B.1; 0xf7 is JPEG-LS (T.87). */
const FRAME_MARKERS = new Set([
  0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf, 0xf7,
])
const HUFFMAN = 0xc4
const START = 0xd8
const END = 0xd9
const SCAN = 0xda
const QUANTIZATION = 0xdb
const RESTART_INTERVAL = 0xdd
const ADOBE = 0xee

export interface JpegFrame extends CodedSize {
  /** Second byte of the frame's marker: 0xc0 baseline, 0xc1 extended, 0xc3 lossless. */
  readonly process: number
  readonly componentIds: readonly number[]
  /** Horizontal and vertical sampling factors of each component. */
  readonly sampling: readonly (readonly [number, number])[]
  readonly quantizers: readonly number[]
}

export interface JpegScan {
  /** Position of each of the scan's components among those of the frame, with its two tables. */
  readonly components: readonly {
    readonly index: number
    readonly dc: number
    readonly ac: number
  }[]
  /** Ss, which is the predictor of a lossless scan. */
  readonly spectralStart: number
  /** Al, the point transform of a lossless scan. */
  readonly pointTransform: number
  /** Where its entropy-coded bytes begin. */
  readonly at: number
}

export interface JpegState {
  readonly frame: JpegFrame
  /** By class * 4 + number: class 0 are DC and lossless tables, class 1 AC. */
  readonly huffman: readonly (HuffmanTable | undefined)[]
  /** In the zigzag order of the stream. */
  readonly quantization: readonly (Uint16Array | undefined)[]
  readonly restartInterval: number
  readonly hasAdobe: boolean
}

/** The frame header only. @throws AppError `undecodable-image` */
export function jpegFrame(bytes: Uint8Array): JpegState {
  const [first] = jpegScans(bytes)
  if (!first) throw damagedFrame('JPEG')
  return first.state
}

/** Each scan with the tables that hold for it. Read lazily: tables may change between scans. */
export function* jpegScans(bytes: Uint8Array): Generator<{ scan: JpegScan; state: JpegState }> {
  if (bytes[0] !== 0xff || bytes[1] !== START) throw damagedFrame('JPEG')
  const huffman: (HuffmanTable | undefined)[] = []
  const quantization: (Uint16Array | undefined)[] = []
  let frame: JpegFrame | undefined
  let restartInterval = 0
  let hasAdobe = false
  let at = 2
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff || isStandalone(bytes[at + 1] as number)) {
      at++
      continue
    }
    const marker = bytes[at + 1] as number
    if (marker === END) return
    const length = word(bytes, at + 2)
    const body = bytes.subarray(at + 4, at + 2 + length)
    if (length < 2 || body.length !== length - 2) throw damagedFrame('JPEG')
    at += 2 + length
    if (marker === HUFFMAN) readHuffman(body, huffman)
    else if (marker === QUANTIZATION) readQuantization(body, quantization)
    else if (marker === RESTART_INTERVAL) restartInterval = word(body, 0)
    else if (marker === ADOBE) hasAdobe ||= Buffer.from(body).toString('latin1', 0, 5) === 'Adobe'
    else if (FRAME_MARKERS.has(marker)) frame ??= readFrame(marker, body)
    else if (marker === SCAN) {
      if (!frame) throw damagedFrame('JPEG')
      const state = { frame, huffman, quantization, restartInterval, hasAdobe }
      yield { scan: readScan(body, { frame, at }), state }
    }
  }
}

/** 0 is a stuffed byte, 0xff a fill byte, 0x01 and the restarts have no body. */
function isStandalone(marker: number): boolean {
  return marker === 0 || marker === 0xff || marker === 1 || (marker >= 0xd0 && marker <= START)
}

function readFrame(process: number, body: Uint8Array): JpegFrame {
  const components = body[5] ?? 0
  if (components === 0 || body.length < 6 + components * 3) throw damagedFrame('JPEG')
  const specs = Array.from({ length: components }, (_, i) => body.subarray(6 + i * 3, 9 + i * 3))
  return {
    process,
    precision: body[0] as number,
    height: word(body, 1),
    width: word(body, 3),
    components,
    componentIds: specs.map((one) => one[0] as number),
    sampling: specs.map((one) => [(one[1] as number) >> 4, (one[1] as number) & 15] as const),
    quantizers: specs.map((one) => one[2] as number),
  }
}

function readScan(body: Uint8Array, { frame, at }: { frame: JpegFrame; at: number }): JpegScan {
  const count = body[0] ?? 0
  if (count === 0 || count > frame.components || body.length < 4 + count * 2) {
    throw damagedFrame('JPEG')
  }
  const components = Array.from({ length: count }, (_, i) => {
    const index = frame.componentIds.indexOf(body[1 + i * 2] as number)
    if (index < 0) throw damagedFrame('JPEG')
    const tables = body[2 + i * 2] as number
    return { index, dc: tables >> 4, ac: tables & 15 }
  })
  const spectralStart = body[1 + count * 2] as number
  return { components, spectralStart, pointTransform: (body[3 + count * 2] as number) & 15, at }
}

function readHuffman(body: Uint8Array, tables: (HuffmanTable | undefined)[]): void {
  for (let at = 0; at + 17 <= body.length; ) {
    const target = body[at] as number
    const counts = body.subarray(at + 1, at + 17)
    const total = counts.reduce((sum, one) => sum + one, 0)
    const symbols = body.subarray(at + 17, at + 17 + total)
    if (symbols.length < total || target >> 4 > 1 || (target & 15) > 3) throw damagedFrame('JPEG')
    tables[(target >> 4) * 4 + (target & 15)] = huffmanTable(counts, symbols)
    at += 17 + total
  }
}

function readQuantization(body: Uint8Array, tables: (Uint16Array | undefined)[]): void {
  for (let at = 0; at < body.length; ) {
    const target = body[at++] as number
    const size = target >> 4 ? 2 : 1
    if (at + 64 * size > body.length) throw damagedFrame('JPEG')
    const values = Uint16Array.from({ length: 64 }, (_, i) =>
      size === 2 ? word(body, at + i * 2) : (body[at + i] as number),
    )
    tables[target & 3] = values
    at += 64 * size
  }
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}
