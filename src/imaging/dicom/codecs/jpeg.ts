// Frames of the JPEG family: which decoder a stream needs is told by its own frame header, not by the transfer syntax.
import sharp from 'sharp'
import { AppError } from '../../../errors.ts'
import { checkCodedSize, damagedFrame, type Frame } from '../frame.ts'
import type { ImageHeader } from '../image-header.ts'
import { losslessJpegFrame } from './jpeg-lossless.ts'
import { type JpegState, jpegFrame } from './jpeg-stream.ts'
import { twelveBitJpegFrame } from './jpeg-twelve-bit.ts'

const BASELINE = 0xc0
const EXTENDED = 0xc1
const PROGRESSIVE = 0xc2
const LOSSLESS = 0xc3
/** An Adobe segment that says "no colour transform": T.872 6.5.3. */
const ADOBE_NO_TRANSFORM = Buffer.from(
  '\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00',
  'latin1',
)

/** @throws AppError `unsupported-image`, `undecodable-image` */
export async function decodeJpegFrame(bytes: Uint8Array, header: ImageHeader): Promise<Frame> {
  const state = jpegFrame(bytes)
  const { frame } = state
  checkCodedSize(frame, header)
  if (frame.process === LOSSLESS) return losslessJpegFrame(bytes, header)
  const isSequential = frame.process === BASELINE || frame.process === EXTENDED
  if (!isSequential && frame.process !== PROGRESSIVE) {
    throw new AppError(
      'unsupported-image',
      'The DICOM file holds a JPEG of a retired process (hierarchical or arithmetic); export it as baseline or lossless.',
    )
  }
  if (frame.precision === 12 && isSequential) return twelveBitJpegFrame(bytes, header)
  if (frame.precision !== 8 || header.bitsAllocated < 8) throw damagedFrame('JPEG')
  return eightBitJpegFrame(bytes, { state, header })
}

async function eightBitJpegFrame(
  bytes: Uint8Array,
  { state, header }: { readonly state: JpegState; readonly header: ImageHeader },
): Promise<Frame> {
  // libjpeg takes three components for YCbCr unless told otherwise; DICOM tells it in a tag of its own.
  const asStored = header.photometric === 'RGB' && !state.hasAdobe
  const stream = asStored
    ? Buffer.concat([bytes.subarray(0, 2), ADOBE_NO_TRANSFORM, bytes.subarray(2)])
    : bytes
  try {
    const { data, info } = await sharp(stream, { failOn: 'error', limitInputPixels: false })
      .timeout({ seconds: 20 })
      .toColourspace(header.samples === 1 ? 'b-w' : 'srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    if (info.channels !== header.samples) throw damagedFrame('JPEG')
    return { cells: data, isRgb: true, ...(header.bitsAllocated > 8 && { bits: 8 }) }
  } catch {
    throw damagedFrame('JPEG')
  }
}
