// Frames that are not compressed: single bits, bytes and 16-bit words in either byte order, subsampled colour.
import { cutOff, type Frame } from './frame.ts'
import type { ImageHeader } from './image-header.ts'

const NOT_SUBSAMPLED =
  'The DICOM header says that colour is subsampled, but the file holds every sample; all are used.'

export interface NativePixels {
  /** All frames, as they lie in the file. */
  readonly bytes: Uint8Array
  readonly bigEndian: boolean
  /** Value representation of the pixel data: bytes in words (OW) are swapped in big endian files. */
  readonly representation: string | undefined
}

/**
 * Frame `index`, counted from 0.
 * @throws AppError `undecodable-image` when the file holds fewer bytes than the header needs
 */
export function nativeFrame(
  pixels: NativePixels,
  { header, index }: { readonly header: ImageHeader; readonly index: number },
): Frame {
  const { width, height, samples, bitsAllocated } = header
  const count = width * height * samples
  if (bitsAllocated === 1) return { cells: singleBits(pixels.bytes, index * count, count) }
  const full = (count * bitsAllocated) / 8
  const halved = header.photometric === 'YBR_FULL_422'
  // Writers keep the name after they have undone the subsampling; the length tells.
  const subsampled = halved && pixels.bytes.length < full * header.frames
  if (subsampled && (bitsAllocated !== 8 || width % 2 === 1)) throw cutOff()
  const size = subsampled ? width * height * 2 : full
  const bytes = pixels.bytes.subarray(index * size, (index + 1) * size)
  if (bytes.length < size) throw cutOff()
  if (subsampled) return { cells: fromSubsampled(bytes) }
  const cells = interleaved(cellsOf(bytes, { pixels, bitsAllocated }), header)
  return halved ? { cells, warnings: [NOT_SUBSAMPLED] } : { cells }
}

/** Colour planes, one after the other, become pixels. */
export function interleaved(
  cells: Uint8Array | Uint16Array,
  header: Pick<ImageHeader, 'planar' | 'samples'>,
): Uint8Array | Uint16Array {
  if (!header.planar || header.samples === 1) return cells
  const plane = cells.length / 3
  const mixed = cells instanceof Uint8Array ? new Uint8Array(plane * 3) : new Uint16Array(plane * 3)
  for (let i = 0, to = 0; i < plane; i++, to += 3) {
    mixed[to] = cells[i] as number
    mixed[to + 1] = cells[plane + i] as number
    mixed[to + 2] = cells[2 * plane + i] as number
  }
  return mixed
}

/** Little-endian words; a view of `bytes` where they lie at an even address. */
export function littleEndianWords(bytes: Uint8Array): Uint16Array {
  const even = bytes.byteOffset % 2 === 0 ? bytes : Uint8Array.from(bytes)
  return new Uint16Array(even.buffer, even.byteOffset, bytes.length >> 1)
}

function cellsOf(
  bytes: Uint8Array,
  o: { readonly pixels: NativePixels; readonly bitsAllocated: number },
): Uint8Array | Uint16Array {
  const { bigEndian, representation } = o.pixels
  const words = o.bitsAllocated === 16
  if (!bigEndian || (!words && representation !== 'OW')) {
    return words ? littleEndianWords(bytes) : bytes
  }
  const swapped = Buffer.from(bytes)
  if (swapped.length % 2 === 0) swapped.swap16()
  return words ? littleEndianWords(swapped) : swapped
}

/** PS3.5 8.2: the first pixel is the least significant bit of the first byte; frames follow without a gap. */
function singleBits(bytes: Uint8Array, first: number, count: number): Uint8Array {
  if (bytes.length * 8 < first + count) throw cutOff()
  const cells = new Uint8Array(count)
  for (let i = 0; i < count; i++) {
    const at = first + i
    cells[i] = ((bytes[at >> 3] as number) >> (at & 7)) & 1
  }
  return cells
}

/** Two pixels lie as Y1 Y2 Cb Cr (PS3.3 C.7.6.3.1.2). */
function fromSubsampled(bytes: Uint8Array): Uint8Array {
  const cells = new Uint8Array((bytes.length / 4) * 6)
  for (let from = 0, to = 0; from < bytes.length; from += 4, to += 6) {
    const [cb, cr] = [bytes[from + 2] as number, bytes[from + 3] as number]
    cells[to] = bytes[from] as number
    cells[to + 1] = cb
    cells[to + 2] = cr
    cells[to + 3] = bytes[from + 1] as number
    cells[to + 4] = cb
    cells[to + 5] = cr
  }
  return cells
}
