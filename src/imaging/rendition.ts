// Pixels back to files: the lossless copy that is kept and replayed, and the small picture that a page shows.
import sharp, { type Sharp } from 'sharp'
import { type HeatmapRequest, heatmapPng } from './heatmap.ts'
import type { Pixels } from './pixels.ts'

/** Lossless PNG of the pixels at their own depth, without any metadata. Decoding it gives the same pixels. */
export async function keptPng(pixels: Pixels): Promise<Uint8Array> {
  const space =
    pixels.maxValue === 255
      ? pixels.channels === 1
        ? 'b-w'
        : 'srgb'
      : pixels.channels === 1
        ? 'grey16'
        : 'rgb16'
  return fromPixels(pixels)
    .toColourspace(space)
    .png({ compressionLevel: 3, adaptiveFiltering: true })
    .toBuffer()
}

/** 8-bit WebP whose longer side is at most `maxSide` pixels, without metadata; never enlarged. */
export async function webpPreview(pixels: Pixels, maxSide: number): Promise<Uint8Array> {
  return eightBit(pixels)
    .resize({ width: maxSide, height: maxSide, fit: 'inside', withoutEnlargement: true })
    .webp({ quality: 90, effort: 2 })
    .toBuffer()
}

/** 8-bit JPEG at most `maxSide` pixels long, with a heatmap laid over it where one is given; never enlarged. */
export async function jpegForPrint(
  pixels: Pixels,
  o: {
    readonly maxSide: number
    readonly heatmap?: Omit<HeatmapRequest, 'width' | 'height'> | undefined
  },
): Promise<Uint8Array> {
  const { data, info } = await eightBit(pixels)
    .resize({ width: o.maxSide, height: o.maxSide, fit: 'inside', withoutEnlargement: true })
    .raw()
    .toBuffer({ resolveWithObject: true })
  const { width, height, channels } = info
  const overlay = o.heatmap && Buffer.from(heatmapPng({ ...o.heatmap, width, height }))
  return sharp(data, { raw: { width, height, channels } })
    .composite(overlay ? [{ input: overlay }] : [])
    .removeAlpha()
    .toColourspace('srgb')
    .jpeg({ quality: 90, chromaSubsampling: '4:4:4' })
    .toBuffer()
}

/** RGB at 8 bits, ready for another operation. */
export function eightBit(pixels: Pixels): Sharp {
  if (pixels.maxValue === 255) return fromPixels(pixels).toColourspace('srgb')
  const data = new Uint8Array(pixels.data.length)
  for (let i = 0; i < data.length; i++) data[i] = Math.round((pixels.data[i] as number) / 257)
  return fromPixels({ ...pixels, data, maxValue: 255 }).toColourspace('srgb')
}

function fromPixels({ data, width, height, channels }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels }, limitInputPixels: false })
}
