// Who may run next: on a small machine one inference at a time across all hosts, in the order of asking.
// A full queue says so at once.
import { AppError } from '../errors.ts'

export interface QueueOptions {
  /** Runs at the same time. */
  readonly concurrency: number
  /** Requests that may wait beside those that run. */
  readonly limit: number
}

export interface TurnOptions {
  /** Aborted while waiting: the request leaves the queue. */
  readonly signal?: AbortSignal | undefined
  /** Goes to the front and is never refused: a second try, or the check of a version that is to answer. */
  readonly urgent?: boolean
  /** Waits until nothing else runs or waits, and makes nobody wait. */
  readonly background?: boolean
}

interface Waiting {
  readonly begin: () => void
}

export class InferenceQueue {
  readonly #options: QueueOptions
  readonly #waiting: Waiting[] = []
  readonly #background: Waiting[] = []
  #isInBackground = false
  #running = 0
  /** Moving mean of how long a run takes, for Retry-After. */
  #meanMs = 100

  constructor(options: QueueOptions) {
    this.#options = options
  }

  get running(): number {
    return this.#running
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /**
   * Runs `task` when its turn comes. @throws AppError `busy` at once when the queue is full; the signal's reason when
   * it is aborted while waiting
   */
  async run<T>(task: () => Promise<T>, options: TurnOptions = {}): Promise<T> {
    await this.#turn(options)
    const started = performance.now()
    try {
      return await task()
    } finally {
      this.#meanMs += (performance.now() - started - this.#meanMs) / 10
      this.#running -= 1
      this.#waiting.shift()?.begin()
      this.#beginBackground()
    }
  }

  /**
   * Runs `task` beside the requests, which never wait for it: it begins only while none runs or waits, one such task at
   * a time, in the order of asking. @throws the signal's reason when it is aborted while waiting
   */
  async runWhenIdle<T>(task: () => Promise<T>, { signal }: TurnOptions = {}): Promise<T> {
    signal?.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const place: Waiting = { begin: resolve }
      this.#background.push(place)
      signal?.addEventListener('abort', () => {
        const index = this.#background.indexOf(place)
        if (index >= 0) this.#background.splice(index, 1)
        reject(signal.reason)
      })
      this.#beginBackground()
    })
    try {
      return await task()
    } finally {
      this.#isInBackground = false
      this.#beginBackground()
    }
  }

  #beginBackground(): void {
    if (this.#isInBackground || this.#running > 0 || this.#waiting.length > 0) return
    const next = this.#background.shift()
    if (!next) return
    this.#isInBackground = true
    next.begin()
  }

  /** @throws AppError `busy` */
  refuse(): never {
    const ahead = this.#waiting.length / this.#options.concurrency
    throw new AppError(
      'busy',
      'Too many images are waiting for a diagnosis right now; please try again in a moment.',
      { retryAfterSeconds: Math.max(1, Math.ceil((ahead * this.#meanMs) / 1000)) },
    )
  }

  #turn({ signal, urgent = false }: TurnOptions): Promise<void> {
    signal?.throwIfAborted()
    if (this.#running < this.#options.concurrency) {
      this.#running += 1
      return Promise.resolve()
    }
    if (!urgent && this.#waiting.length >= this.#options.limit) this.refuse()
    return new Promise((resolve, reject) => {
      const leave = () => {
        const index = this.#waiting.indexOf(place)
        if (index >= 0) this.#waiting.splice(index, 1)
        reject(signal?.reason)
      }
      const place: Waiting = {
        begin: () => {
          signal?.removeEventListener('abort', leave)
          this.#running += 1
          resolve()
        },
      }
      signal?.addEventListener('abort', leave, { once: true })
      if (urgent) this.#waiting.unshift(place)
      else this.#waiting.push(place)
    })
  }
}
