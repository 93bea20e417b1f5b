// Who may run next: on a small machine one inference at a time across all hosts, in the order of asking, and one of each
// version. A run that takes long no longer counts: others run beside it. A full queue says so at once.
import { AppError } from '../errors.ts'

export interface QueueOptions {
  /** Runs at the same time. */
  readonly concurrency: number
  /** Requests that may wait beside those that run. */
  readonly limit: number
  /** A run that takes longer makes nobody else wait any more. Default 250 ms. */
  readonly slowAfterMs?: number
}

export interface TurnOptions {
  /** Aborted while waiting: the request leaves the queue. */
  readonly signal?: AbortSignal | undefined
  /** Goes to the front and is never refused: a second try, or the check of a version that is to answer. */
  readonly urgent?: boolean
  /** Waits until nothing else runs or waits, and makes nobody wait. */
  readonly background?: boolean
  /** What runs one at a time, as a version does: who waits for it lets others go first. */
  readonly key?: object | undefined
}

interface Waiting {
  readonly key: object | undefined
  readonly begin: () => void
}

const SLOW_AFTER_MS = 250
/** Of a version whose run takes long, no more than this share of the places may be waiting. */
const SLOW_SHARE = 0.25

export class InferenceQueue {
  readonly #options: QueueOptions
  readonly #waiting: Waiting[] = []
  readonly #background: Waiting[] = []
  /** Versions that run, and of them those that take long. */
  readonly #busy = new Set<object>()
  readonly #slow = new Set<object>()
  #isInBackground = false
  #running = 0
  /** Running and not slow. */
  #occupied = 0
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
    const { key } = options
    const started = performance.now()
    let isSlow = false
    const timer = setTimeout(() => {
      isSlow = true
      this.#occupied -= 1
      if (key) this.#slow.add(key)
      this.#beginNext()
    }, this.#options.slowAfterMs ?? SLOW_AFTER_MS)
    try {
      return await task()
    } finally {
      clearTimeout(timer)
      this.#meanMs += (performance.now() - started - this.#meanMs) / 10
      this.#running -= 1
      if (!isSlow) this.#occupied -= 1
      if (key) this.#busy.delete(key)
      if (key) this.#slow.delete(key)
      this.#beginNext()
      this.#beginBackground()
    }
  }

  #beginNext(): void {
    while (this.#occupied < this.#options.concurrency) {
      const index = this.#waiting.findIndex(({ key }) => !key || !this.#busy.has(key))
      if (index < 0) return
      this.#waiting.splice(index, 1)[0]?.begin()
    }
  }

  #begin(key: object | undefined): void {
    this.#running += 1
    this.#occupied += 1
    if (key) this.#busy.add(key)
  }

  /**
   * Runs `task` beside the requests, which never wait for it: it begins only while none runs or waits, one such task at
   * a time, in the order of asking. @throws the signal's reason when it is aborted while waiting
   */
  async runWhenIdle<T>(task: () => Promise<T>, { signal }: TurnOptions = {}): Promise<T> {
    signal?.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const place: Waiting = { key: undefined, begin: resolve }
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
    throw new AppError('busy', 'Too many images are queued; try again in a moment.', {
      retryAfterSeconds: Math.max(1, Math.ceil((ahead * this.#meanMs) / 1000)),
    })
  }

  #turn({ signal, urgent = false, key }: TurnOptions): Promise<void> {
    signal?.throwIfAborted()
    const isFree = this.#occupied < this.#options.concurrency
    if (isFree && !(key && this.#busy.has(key))) {
      this.#begin(key)
      return Promise.resolve()
    }
    if (!urgent && this.#isFullFor(key)) this.refuse()
    return new Promise((resolve, reject) => {
      const leave = () => {
        const index = this.#waiting.indexOf(place)
        if (index >= 0) this.#waiting.splice(index, 1)
        reject(signal?.reason)
      }
      const place: Waiting = {
        key,
        begin: () => {
          signal?.removeEventListener('abort', leave)
          this.#begin(key)
          resolve()
        },
      }
      signal?.addEventListener('abort', leave, { once: true })
      if (urgent) this.#waiting.unshift(place)
      else this.#waiting.push(place)
    })
  }

  #isFullFor(key: object | undefined): boolean {
    const { limit } = this.#options
    if (this.#waiting.length >= limit) return true
    if (!key || !this.#slow.has(key)) return false
    return this.#waiting.filter((one) => one.key === key).length >= limit * SLOW_SHARE
  }
}
