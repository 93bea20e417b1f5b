// RLE Lossless (PS3.5 annex G): byte planes, the most significant first, each packed with PackBits.
import { cutOff, damagedFrame, type Frame } from '../frame.ts'
import type { ImageHeader } from '../image-header.ts'

const HEADER_BYTES = 64
const MAX_SEGMENTS = 15

/** @throws AppError `undecodable-image` */
export function rleFrame(coded: Uint8Array, header: ImageHeader): Frame {
  const { samples } = header
  const pixels = header.width * header.height
  const bytesPerSample = header.bitsAllocated / 8
  const segments = segmentsOf(coded)
  if (segments.length !== samples * bytesPerSample) throw damagedFrame('RLE')
  const cells =
    bytesPerSample === 1 ? new Uint8Array(pixels * samples) : new Uint16Array(pixels * samples)
  const plane = new Uint8Array(pixels)
  segments.forEach((segment, i) => {
    if (unpack(segment, plane) < pixels) throw cutOff()
    const sample = Math.floor(i / bytesPerSample)
    const shift = (bytesPerSample - 1 - (i % bytesPerSample)) * 8
    for (let at = 0, to = sample; at < pixels; at++, to += samples) {
      cells[to] = (cells[to] as number) | ((plane[at] as number) << shift)
    }
  })
  return { cells }
}

function segmentsOf(coded: Uint8Array): Uint8Array[] {
  if (coded.length < HEADER_BYTES) throw cutOff()
  const view = new DataView(coded.buffer, coded.byteOffset, coded.byteLength)
  const count = view.getUint32(0, true)
  if (count > MAX_SEGMENTS) throw damagedFrame('RLE')
  const starts = Array.from({ length: count }, (_, i) => view.getUint32(4 + i * 4, true))
  return starts.map((start, i) => coded.subarray(start, starts[i + 1] ?? coded.length))
}

/** Fills `into` and returns how many bytes there were for it; what is left over is padding. */
function unpack(packed: Uint8Array, into: Uint8Array): number {
  let from = 0
  let to = 0
  while (from < packed.length && to < into.length) {
    const control = packed[from++] as number
    if (control < 128) {
      const end = Math.min(from + control + 1, packed.length, from + into.length - to)
      while (from < end) into[to++] = packed[from++] as number
    } else if (control > 128 && from < packed.length) {
      const end = Math.min(to + 257 - control, into.length)
      into.fill(packed[from++] as number, to, end)
      to = end
    }
  }
  return to
}
