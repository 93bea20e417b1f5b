// Pictures held against each other in grey levels of 8 bits.
import sharp from 'sharp'
import type { Pixels } from '../../../src/imaging/pixels.ts'

export interface Levels {
  readonly width: number
  readonly height: number
  readonly channels: number
  readonly data: Uint8Array
}

/** At 8 bits, rounded. */
export function levelsOf({ width, height, channels, data, maxValue }: Pixels): Levels {
  const eight = maxValue === 255 ? data : data.map((value) => Math.round(value / 257))
  return { width, height, channels, data: Uint8Array.from(eight) }
}

/** A picture file with that many channels. */
export async function readLevels(path: string, channels: number): Promise<Levels> {
  const { data, info } = await sharp(path)
    .removeAlpha()
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, channels: info.channels, data }
}

/** Reduced to that size, for pictures that were kept smaller than their original. */
export async function reduced(
  levels: Levels,
  size: Pick<Levels, 'width' | 'height'>,
): Promise<Levels> {
  if (levels.width === size.width && levels.height === size.height) return levels
  const channels = levels.channels as 1 | 3
  const { data, info } = await sharp(levels.data, { raw: { ...levels, channels } })
    .resize({ ...size, fit: 'fill', kernel: 'linear' })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { ...size, channels: info.channels, data }
}

/** Largest and mean difference. */
export function difference(a: Levels, b: Levels): { most: number; mean: number } {
  if (a.data.length !== b.data.length) return { most: Number.NaN, mean: Number.NaN }
  let [most, sum] = [0, 0]
  for (let i = 0; i < a.data.length; i++) {
    const one = Math.abs((a.data[i] as number) - (b.data[i] as number))
    most = Math.max(most, one)
    sum += one
  }
  return { most, mean: sum / a.data.length }
}

/** Drawn out so that the least value is black and the greatest white. */
export function stretched(levels: Levels): Levels {
  const low = levels.data.reduce((least, value) => Math.min(least, value), 255)
  const high = levels.data.reduce((most, value) => Math.max(most, value), 0)
  const data = levels.data.map((value) => Math.round(((value - low) / (high - low)) * 255))
  return { ...levels, data }
}
