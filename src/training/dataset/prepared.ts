// A prepared dataset as training reads it: its index, and rows of pixels by split.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../errors.ts'
import type { Preprocessing } from '../../imaging/preprocessing.ts'
import type { ConditionClasses } from './labels.ts'
import { PixelReader, type PixelStorage, rowLength } from './pixel-store.ts'
import type { Split } from './split.ts'

export interface PreparedImage {
  /** Row of the pixel file. */
  readonly row: number
  readonly file: string
  readonly sha256: string
  readonly bytes: number
  /** Indices of its classes; one, but for multi-label. */
  readonly classes: readonly number[]
  readonly group: string | null
  readonly split: Split
  /** Of the decoded file, in pixels. */
  readonly width: number
  readonly height: number
  readonly bits: 8 | 16
  readonly format: string
}

/** index.json of a prepared dataset. */
export interface PreparedIndex extends ConditionClasses {
  readonly schema: 1
  readonly name: string
  readonly createdAt: string
  readonly seed: number
  readonly layout: string
  readonly preprocessing: Preprocessing
  readonly preprocessingSha256: string
  readonly storage: PixelStorage
  /** Rows in the pixel file; rows of duplicates are not used. */
  readonly rows: number
  readonly images: readonly PreparedImage[]
  readonly setAside: readonly { readonly file: string; readonly reason: string }[]
  readonly duplicates: readonly { readonly file: string; readonly of: string }[]
  readonly notes: readonly string[]
  readonly warnings: readonly string[]
  /** SHA-256 of contents, labels and split of all images. */
  readonly fingerprint: string
  /** The same of the test images alone: two models with equal testSet were measured on the same images. */
  readonly testSet: string
}

export interface Prepared {
  readonly index: PreparedIndex
  /** Values of one image: height * width * channels. */
  readonly rowLength: number
  readonly imagesOf: (split: Split) => readonly PreparedImage[]
  readonly read: (image: PreparedImage, target: Float32Array) => void
  readonly close: () => void
}

/** @throws AppError `dataset-not-prepared` */
export async function openPrepared(dir: string): Promise<Prepared> {
  const text = await readFile(join(dir, 'index.json'), 'utf8').catch((error: unknown) => {
    throw new AppError('dataset-not-prepared', 'Dataset not prepared: prepare it first.', {
      cause: error,
    })
  })
  const index = JSON.parse(text) as PreparedIndex
  const reader = new PixelReader(join(dir, index.storage.file), index.storage, index.rows)
  return {
    index,
    rowLength: rowLength(index.storage),
    imagesOf: (split) => index.images.filter((image) => image.split === split),
    read: (image, target) => reader.read(image.row, target),
    close: () => reader.close(),
  }
}
