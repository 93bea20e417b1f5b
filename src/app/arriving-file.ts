// One file while it arrives: in memory while it is small and there is room for it, else on the disk. It keeps account of
// what it takes, and `dispose` gives all of it back whatever happened in between.
import { randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { UploadBudget } from './upload-budget.ts'

/** Larger files go to the disk. */
const MAX_MEMORY_BYTES = 1024 * 1024
/** What begins so in the staging folder is an upload. */
export const UPLOAD_PREFIX = 'upload-'

export interface ArrivingPlace {
  readonly budget: UploadBudget
  /** Made when missing. */
  readonly dir: string
}

export class ArrivingFile {
  readonly #place: ArrivingPlace
  readonly #path: string
  #handle: FileHandle | undefined
  #chunks: Uint8Array[] = []
  /** Bytes that the budget counts as held in memory. */
  #held = 0
  #size = 0
  #isOnDisk: boolean
  #isFinished = false

  constructor(place: ArrivingPlace, o: { readonly isOnDisk: boolean }) {
    this.#place = place
    this.#path = join(place.dir, `${UPLOAD_PREFIX}${randomUUID()}`)
    this.#isOnDisk = o.isOnDisk
  }

  get size(): number {
    return this.#size
  }

  /** One at a time. @throws AppError `busy` when all uploads together are too large */
  async write(chunk: Uint8Array): Promise<void> {
    const { budget } = this.#place
    budget.take(chunk.length)
    this.#size += chunk.length
    if (!this.#isOnDisk) {
      if (this.#size <= MAX_MEMORY_BYTES && budget.tryHold(chunk.length)) {
        this.#held += chunk.length
        this.#chunks.push(chunk)
        return
      }
      await this.#toDisk()
    }
    await this.#append(chunk)
  }

  /** Nothing more comes. The path where it lies, or undefined while it is in memory. */
  async finish(): Promise<string | undefined> {
    if (this.#isOnDisk && !this.#isFinished && !this.#handle) await this.#create()
    this.#isFinished = true
    await this.#close()
    return this.#isOnDisk ? this.#path : undefined
  }

  /** The whole file, in memory from now on; waits for room. @throws AppError `busy` */
  async bytes(o: { readonly signal?: AbortSignal | undefined } = {}): Promise<Buffer> {
    const path = await this.finish()
    if (path !== undefined) {
      await this.#place.budget.hold(this.#size, o)
      this.#held += this.#size
      this.#chunks = [await readFile(path)]
      this.#isOnDisk = false
      await rm(path, { force: true })
    }
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks, this.#size)]
    const [whole = new Uint8Array()] = this.#chunks
    return Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength)
  }

  /** Safe to call twice, and after somebody else took the file away. */
  async dispose(): Promise<void> {
    const { budget } = this.#place
    budget.give(this.#size)
    if (this.#held > 0) budget.letGo(this.#held)
    const wasOnDisk = this.#isOnDisk || this.#handle !== undefined
    this.#chunks = []
    this.#size = 0
    this.#held = 0
    try {
      await this.#close()
    } finally {
      if (wasOnDisk) await rm(this.#path, { force: true })
    }
  }

  async #toDisk(): Promise<void> {
    this.#isOnDisk = true
    for (const chunk of this.#chunks.splice(0)) await this.#append(chunk)
    const held = this.#held
    this.#held = 0
    if (held > 0) this.#place.budget.letGo(held)
  }

  async #append(chunk: Uint8Array): Promise<void> {
    const handle = this.#handle ?? (await this.#create())
    for (let at = 0; at < chunk.length; ) {
      at += (await handle.write(chunk, at, chunk.length - at)).bytesWritten
    }
  }

  async #create(): Promise<FileHandle> {
    await mkdir(this.#place.dir, { recursive: true, mode: 0o700 })
    this.#handle = await open(this.#path, 'wx', 0o600)
    return this.#handle
  }

  async #close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }
}
