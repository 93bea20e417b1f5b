// One image file looked at for a scan: does it decode, what is it, how sharp, and a thumbnail of numbers to find its like.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isAppError } from '../../errors.ts'
import { decodeImage } from '../../imaging/decode.ts'
import type { ImageLimits, Pixels } from '../../imaging/pixels.ts'
import { preprocess } from '../../imaging/preprocess.ts'
import type { Preprocessing } from '../../imaging/preprocessing.ts'
import { BLOCKS } from './near-duplicates.ts'
import type { LabelledFile } from './scan.ts'

const LIMITS: ImageLimits = { maxBytes: 256 * 1024 * 1024, maxPixels: 100_000_000 }
const SIDE = 256

const SMALL: Preprocessing = {
  schema: 1,
  width: SIDE,
  height: SIDE,
  channels: 1,
  interpolation: 'area',
  aspect: 'stretch',
  antialias: true,
  scale: 1,
  mean: [0],
  std: [1],
  order: 'rgb',
}

export interface SeenImage {
  readonly file: LabelledFile
  readonly bytes: number
  readonly sha256: string
  readonly format: string
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
  readonly bits: 8 | 16
  /** Variance of the Laplacian at 256 px, values 0..255 (Pech-Pacheco et al. 2000). */
  readonly sharpness: number
  /** Mean grey of BLOCKS x BLOCKS blocks, row by row. */
  readonly blocks: Uint8Array
}

export interface BrokenImage {
  readonly file: LabelledFile
  readonly reason: string
}

export async function inspectImage(
  dir: string,
  file: LabelledFile,
): Promise<SeenImage | BrokenImage> {
  try {
    const bytes = await readFile(join(dir, file.file))
    const { pixels, format } = await decodeImage(bytes, LIMITS)
    const small = preprocess(pixels, SMALL)
    return {
      file,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      format,
      width: pixels.width,
      height: pixels.height,
      channels: pixels.channels,
      bits: pixels.maxValue === 255 ? 8 : 16,
      sharpness: laplacianVariance(small),
      blocks: blockMeans(small),
    }
  } catch (error) {
    const reason = isAppError(error) ? error.message : 'The file may not be read.'
    return { file, reason }
  }
}

function laplacianVariance(grey: Float32Array): number {
  let [sum, squares] = [0, 0]
  const at = (x: number, y: number): number => grey[y * SIDE + x] as number
  for (let y = 1; y < SIDE - 1; y++) {
    for (let x = 1; x < SIDE - 1; x++) {
      const value = at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1) - 4 * at(x, y)
      sum += value
      squares += value * value
    }
  }
  const count = (SIDE - 2) ** 2
  return squares / count - (sum / count) ** 2
}

/** The thumbnail that near duplicates are told by. */
export function thumbnailOf(pixels: Pixels): Uint8Array {
  return blockMeans(preprocess(pixels, SMALL))
}

function blockMeans(grey: Float32Array): Uint8Array {
  const size = SIDE / BLOCKS
  const sums = new Float64Array(BLOCKS * BLOCKS)
  for (let i = 0; i < grey.length; i++) {
    const [x, y] = [i % SIDE, Math.floor(i / SIDE)]
    const block = Math.floor(y / size) * BLOCKS + Math.floor(x / size)
    sums[block] = (sums[block] as number) + (grey[i] as number)
  }
  return Uint8Array.from(sums, (sum) => Math.round(sum / size ** 2))
}
