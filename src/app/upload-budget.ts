// How much all uploads in flight may take together: on the disk, where whoever exceeds it is told to come again, and in
// memory, where large ones wait for their turn on the disk. Counts only; files are arriving-file.ts.
import { AppError } from '../errors.ts'

const MIB = 1024 * 1024
const RETRY_AFTER_SECONDS = 5

export interface UploadLimit {
  /** Of all that has arrived and is not done with, wherever it lies. */
  readonly maxBytes: number
  /** Of that, what may be in memory. One upload alone may be larger. */
  readonly maxMemoryBytes: number
  /** How long an upload waits on the disk for its turn in memory. */
  readonly maxWaitMs?: number
}

interface Waiting {
  readonly bytes: number
  grant(): void
}

export class UploadBudget {
  readonly #limit: Required<UploadLimit>
  #bytes = 0
  #memoryBytes = 0
  readonly #waiting = new Set<Waiting>()

  constructor(limit: UploadLimit) {
    this.#limit = { maxWaitMs: 30_000, ...limit }
  }

  get usage(): { readonly bytes: number; readonly memoryBytes: number; readonly waiting: number } {
    return { bytes: this.#bytes, memoryBytes: this.#memoryBytes, waiting: this.#waiting.size }
  }

  /** @throws AppError `busy` when it does not fit beside what is in flight */
  take(bytes: number): void {
    if (this.#bytes + bytes > this.#limit.maxBytes) throw tooMany(this.#limit.maxBytes)
    this.#bytes += bytes
  }

  give(bytes: number): void {
    this.#bytes -= bytes
  }

  /** False when there is no room in memory now. */
  tryHold(bytes: number): boolean {
    if (this.#memoryBytes + bytes > this.#limit.maxMemoryBytes) return false
    this.#memoryBytes += bytes
    return true
  }

  /** Waits for room in memory; who came first is served first. @throws AppError `busy` after `maxWaitMs`; what aborted `signal` */
  async hold(bytes: number, o: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    if (this.#waiting.size === 0 && this.#fits(bytes)) {
      this.#memoryBytes += bytes
      return
    }
    o.signal?.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiting = { bytes, grant: resolve }
    this.#waiting.add(waiting)
    const late = setTimeout(() => reject(tooMany(this.#limit.maxBytes)), this.#limit.maxWaitMs)
    const gone = (): void => reject(o.signal?.reason)
    o.signal?.addEventListener('abort', gone)
    try {
      await promise
    } finally {
      clearTimeout(late)
      o.signal?.removeEventListener('abort', gone)
      if (this.#waiting.delete(waiting)) this.#grant()
    }
  }

  letGo(bytes: number): void {
    this.#memoryBytes -= bytes
    this.#grant()
  }

  #fits(bytes: number): boolean {
    return this.#memoryBytes <= 0 || this.#memoryBytes + bytes <= this.#limit.maxMemoryBytes
  }

  #grant(): void {
    for (const waiting of this.#waiting) {
      if (!this.#fits(waiting.bytes)) return
      this.#waiting.delete(waiting)
      this.#memoryBytes += waiting.bytes
      waiting.grant()
    }
  }
}

function tooMany(maxBytes: number): AppError {
  const sentence = `Too many uploads at once: together they may be ${Math.floor(maxBytes / MIB)} MiB large. Try again in a few seconds.`
  return new AppError('busy', sentence, { retryAfterSeconds: RETRY_AFTER_SECONDS })
}
