// From a file's bytes to pixels: limits first, then the kind by content, then the decoder of that kind.
import { AppError } from '../errors.ts'
import { imageFormat } from './file-kind.ts'
import type { DecodedImage, ImageLimits, Pixels } from './pixels.ts'
import { decodeRaster } from './raster.ts'

/** A 16-bit picture whose lightest value is below this is as good as black. */
const DARK = 4096

export interface DecodeOptions extends ImageLimits {
  /** Page or frame of a file that holds several, counted from 1; the first by default. */
  readonly frame?: number | undefined
}

/**
 * Decodes one image file. Runs native code on hostile input: outside of tests and dataset preparation it belongs
 * into a process of its own (imaging-pool.ts).
 * @throws AppError `upload-too-large`, `unsupported-image`, `too-many-pixels`, `undecodable-image`, or `invalid` for a
 * frame that the file does not have
 */
export async function decodeImage(bytes: Uint8Array, limits: DecodeOptions): Promise<DecodedImage> {
  if (bytes.length > limits.maxBytes) {
    throw new AppError(
      'upload-too-large',
      `The file has ${mebibytes(bytes.length)} MiB; at most ${mebibytes(limits.maxBytes)} MiB are read.`,
    )
  }
  const format = imageFormat(bytes)
  const { maxPixels, frame } = limits
  const image =
    format === 'dicom'
      ? await (await import('./dicom/decode-dicom.ts')).decodeDicom(bytes, { maxPixels, frame })
      : await decodeRaster(bytes, { format, maxPixels, frame })
  const pixels = withoutEqualChannels(image.pixels)
  return { ...image, pixels, warnings: [...image.warnings, ...warningsAbout({ pixels, format })] }
}

/** Grey pictures are often stored as RGB; one channel says the same in a third of the time and memory. */
function withoutEqualChannels(pixels: Pixels): Pixels {
  const { data, channels } = pixels
  if (channels === 1) return pixels
  for (let i = 0; i < data.length; i += 3) {
    if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) return pixels
  }
  const grey =
    pixels.maxValue === 255 ? new Uint8Array(data.length / 3) : new Uint16Array(data.length / 3)
  for (let i = 0; i < grey.length; i++) grey[i] = data[i * 3] as number
  return { ...pixels, channels: 1, data: grey }
}

/** What is odd about the values themselves; whether they suit a condition is said in suitability/. */
function warningsAbout({ pixels, format }: Pick<DecodedImage, 'pixels' | 'format'>): string[] {
  const { data, maxValue } = pixels
  if (format === 'dicom' || maxValue === 255) return []
  let most = 0
  // Nearly every picture ends this after a few values.
  for (let i = 0; i < data.length && most < DARK; i++) most = Math.max(most, data[i] as number)
  if (most >= DARK) return []
  const bits = Math.ceil(Math.log2(most + 1))
  return [
    `The image is stored with 16 bits but uses only ${bits}; it appears nearly black. Export it with the full range.`,
  ]
}

function mebibytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1)
}
