// JPEG, PNG, WebP and TIFF through sharp (libvips): strict about damage, blind to metadata except orientation.
import sharp, { type Metadata, type Sharp } from 'sharp'
import { AppError, messageOf } from '../errors.ts'
import { chosenFrame, moreFrames } from './frames.ts'
import type { DecodedImage, Pixels } from './pixels.ts'
import { hasMeaninglessSample } from './tiff-extra-sample.ts'

// A decode is one job of a small pool: no threads of its own, nothing remembered between uploads.
sharp.cache(false)
sharp.concurrency(1)
type RasterFormat = Exclude<DecodedImage['format'], 'dicom'>

const DECODE_SECONDS = 20
/** Bytes that decoded pixels may take; with maxPixels this bounds the memory of a decode. */
const MAX_DECODED_BYTES = 400 * 1024 * 1024

export interface RasterOptions {
  readonly format: RasterFormat
  readonly maxPixels: number
  /** Page of a TIFF or frame of an animation, counted from 1; the first by default. */
  readonly frame?: number | undefined
}

/**
 * Pixels of one page or frame, turned as EXIF says. Transparency is laid on black, which is what surrounds an
 * X-ray and what `aspect: pad` adds. An embedded colour profile is ignored, as by the usual training pipelines (Pillow,
 * tf.io), except for CMYK, which has no other meaning.
 */
export async function decodeRaster(
  bytes: Uint8Array,
  { format, maxPixels, frame: wanted }: RasterOptions,
): Promise<DecodedImage> {
  const metadata = await readMetadata(bytes)
  checkSize(metadata, maxPixels)
  const deep = depthOf(metadata) === 16
  const frames = metadata.pages ?? 1
  const frame = chosenFrame(wanted, frames)
  const meaningless =
    format === 'tiff' && metadata.hasAlpha === true && hasMeaninglessSample(bytes, frame)
  const grey = metadata.space === 'b-w' || metadata.space === 'grey16'
  const read = (failOn: 'warning' | 'error') =>
    toRaw(
      sharp(bytes, {
        failOn,
        limitInputPixels: maxPixels,
        sequentialRead: true,
        ...(frame > 1 && { page: frame - 1 }),
        ignoreIcc: metadata.space !== 'cmyk',
      }),
      { deep, grey, meaningless },
    )
  const warnings = [...moreFrames(frames, wanted), ...animationWarnings(bytes, metadata)]
  let pixels: Pixels
  try {
    pixels = await read('warning')
  } catch {
    // Many harmless files make a decoder warn, so a second look tells damage from oddity.
    pixels = await read('error').catch((error: unknown) => {
      throw undecodable(error)
    })
    warnings.push('The file has small defects; check that the image is complete.')
  }
  const passport = { steps: stepsOf(metadata, { format, frame, frames, meaningless }), tags: [] }
  return { pixels, format, frames, warnings, passport }
}

async function readMetadata(bytes: Uint8Array): Promise<Metadata> {
  try {
    return await sharp(bytes, { limitInputPixels: false }).metadata()
  } catch (error) {
    throw undecodable(error)
  }
}

function undecodable(error: unknown): AppError {
  const cut = /premature|truncat|read error|end of|too short/i.test(messageOf(error))
  return new AppError(
    'undecodable-image',
    cut
      ? 'The image is incomplete or damaged; export or copy it again.'
      : 'The image is damaged or not supported; export it again as PNG or JPEG.',
    { cause: error },
  )
}

function checkSize({ width, height, channels, depth }: Metadata, maxPixels: number): void {
  const bytes = width * height * channels * (depth === 'uchar' ? 1 : 2)
  if (width * height <= maxPixels && bytes <= MAX_DECODED_BYTES) return
  throw new AppError(
    'too-many-pixels',
    `The image has ${width} x ${height} pixels; at most ${(maxPixels / 1e6).toFixed(1)} million are read ` +
      `(and ${MAX_DECODED_BYTES / 1024 / 1024} MiB once decoded). Send a smaller rendition.`,
  )
}

function depthOf({ depth }: Metadata): 8 | 16 {
  if (depth === 'uchar') return 8
  if (depth === 'ushort') return 16
  throw new AppError(
    'unsupported-image',
    'The image holds signed, 32-bit or floating-point values, whose white and black are not defined; export it with 8 or 16 bits.',
  )
}

async function toRaw(
  image: Sharp,
  {
    deep,
    grey,
    meaningless,
  }: { readonly deep: boolean; readonly grey: boolean; readonly meaningless: boolean },
): Promise<Pixels> {
  // sharp gives 8 bits unless both the colour space and the raw depth ask for 16.
  const space = grey ? (deep ? 'grey16' : 'b-w') : deep ? 'rgb16' : 'srgb'
  const upright = image.timeout({ seconds: DECODE_SECONDS }).autoOrient()
  const opaque = meaningless ? upright.removeAlpha() : upright.flatten({ background: '#000' })
  const { data, info } = await opaque
    .toColourspace(space)
    .raw({ depth: deep ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true })
  if (info.channels !== 1 && info.channels !== 3) {
    throw new Error(`unexpected number of channels: ${info.channels}`)
  }
  const { width, height, channels } = info
  if (!deep) return { width, height, channels, data, maxValue: 255 }
  return { width, height, channels, data: asUint16(data), maxValue: 65535 }
}

/** The same bytes as native 16-bit values; copied only when they lie at an odd address. */
function asUint16(data: Buffer): Uint16Array {
  const even = data.byteOffset % 2 === 0 ? data : Uint8Array.from(data)
  return new Uint16Array(even.buffer, even.byteOffset, data.length / 2)
}

function stepsOf(
  metadata: Metadata,
  o: {
    readonly format: RasterFormat
    readonly frame: number
    readonly frames: number
    readonly meaningless: boolean
  },
): string[] {
  const names = { jpeg: 'JPEG', png: 'PNG', webp: 'WebP', tiff: 'TIFF' } as const
  return [
    ...(o.frames > 1 ? [`frame ${o.frame} of ${o.frames} chosen`] : []),
    `decoded: ${names[o.format]}, ${depthOf(metadata)} bits`,
    ...((metadata.orientation ?? 1) > 1
      ? [`turned as its EXIF orientation ${metadata.orientation} says`]
      : []),
    ...(o.meaningless ? ['a further sample without a meaning left out'] : []),
    ...(metadata.hasAlpha && !o.meaningless ? ['transparency laid on black'] : []),
    ...(metadata.space === 'cmyk' ? ['CMYK converted to RGB'] : []),
  ]
}

function animationWarnings(bytes: Uint8Array, metadata: Metadata): string[] {
  // libvips reads an animated PNG as a still one; `acTL` stands before the first IDAT.
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 4096))
  const animated = metadata.format === 'png' && head.includes('acTL')
  return animated ? ['The file is an animation; only its still picture is read.'] : []
}
