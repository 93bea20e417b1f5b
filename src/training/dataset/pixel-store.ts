// Preprocessed pixels on disk, one fixed-size row for each image, so that an epoch never decodes a file again.
// float32 below a gibibyte (bit for bit what serving computes), float16 above it.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { AppError } from '../../errors.ts'

const GIBIBYTE = 2 ** 30

export interface PixelStorage {
  readonly file: string
  readonly type: 'float32' | 'float16'
  /** [height, width, channels] of a row, interleaved. */
  readonly shape: readonly [number, number, number]
}

export function chooseStorage(
  shape: readonly [number, number, number],
  count: number,
): PixelStorage {
  const bytes = rowLength({ shape }) * 4 * count
  return { file: 'pixels.bin', type: bytes < GIBIBYTE ? 'float32' : 'float16', shape }
}

export function rowLength({ shape }: Pick<PixelStorage, 'shape'>): number {
  return shape[0] * shape[1] * shape[2]
}

function bytesPerRow(storage: PixelStorage): number {
  return rowLength(storage) * (storage.type === 'float32' ? 4 : 2)
}

/** Appends rows; the caller closes it (which also brings them to the disk). */
export class PixelWriter {
  readonly #storage: PixelStorage
  readonly #handle: FileHandle
  #rows = 0

  private constructor(storage: PixelStorage, handle: FileHandle) {
    this.#storage = storage
    this.#handle = handle
  }

  static async open(path: string, storage: PixelStorage): Promise<PixelWriter> {
    return new PixelWriter(storage, await open(path, 'w'))
  }

  /** @returns the number of the row, from 0 */
  async append(row: Float32Array): Promise<number> {
    const stored = this.#storage.type === 'float32' ? row : Float16Array.from(row)
    await this.#handle.write(new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength))
    return this.#rows++
  }

  async close(): Promise<void> {
    await this.#handle.sync()
    await this.#handle.close()
  }
}

/** Reads rows one by one; what was read before stays in the system's cache, not in this process. */
export class PixelReader {
  readonly #storage: PixelStorage
  readonly #buffer: Uint8Array
  #fd: number | undefined

  constructor(path: string, storage: PixelStorage, rows: number) {
    this.#storage = storage
    this.#buffer = new Uint8Array(bytesPerRow(storage))
    this.#fd = openSync(path, 'r')
    if (fstatSync(this.#fd).size !== rows * bytesPerRow(storage)) {
      this.close()
      throw new AppError('invalid', 'The prepared dataset is damaged; prepare it again.')
    }
  }

  /** Copies row `row` into `target`, which has height * width * channels values. */
  read(row: number, target: Float32Array): void {
    const size = this.#buffer.byteLength
    if (this.#fd === undefined || readSync(this.#fd, this.#buffer, 0, size, row * size) !== size) {
      throw new AppError('invalid', 'The prepared dataset is damaged; prepare it again.')
    }
    const { buffer } = this.#buffer
    target.set(
      this.#storage.type === 'float32' ? new Float32Array(buffer) : new Float16Array(buffer),
    )
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }
}
