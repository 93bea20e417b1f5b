// One job that runs now: its signal, its progress, its watchdog, and how its work ended. What becomes of the job is the
// queue's.
import type { Job, JobStore } from '../../registry/jobs/job-store.ts'
import type { JobFeed } from './job-feed.ts'
import {
  type EndCause,
  JobEnd,
  type JobKind,
  type JobOutcome,
  type JobRun,
  type MarkOptions,
} from './job-kind.ts'

export type Ended =
  | { readonly by: 'work'; readonly outcome: JobOutcome }
  | { readonly by: 'error'; readonly error: unknown }
  | { readonly by: EndCause }

export interface RunningJobOptions {
  readonly job: Job
  readonly input: unknown
  readonly kind: JobKind
  readonly store: JobStore
  readonly feed: JobFeed
  readonly now: () => string
  readonly onLost: (error: unknown) => void
}

/** Progress is written down and told so often. */
const WRITE_EVERY_MS = 1000
const TELL_EVERY_MS = 250
/** What does not end by then after it was told to is no longer waited for. */
const GRACE_MS = 30_000

export class RunningJob {
  readonly id: string
  readonly kind: JobKind
  /** Fulfilled when its end is written down. */
  readonly ended: Promise<void>
  readonly end: () => void
  readonly #o: RunningJobOptions
  readonly #ending = new AbortController()
  #cause: EndCause | undefined
  #progress: Job['progress']
  #writtenAt = 0
  #toldAt = 0
  #stall: NodeJS.Timeout | undefined
  #writing: Promise<unknown> = Promise.resolve()

  constructor(options: RunningJobOptions) {
    this.#o = options
    this.id = options.job.id
    this.kind = options.kind
    this.#progress = options.job.progress
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ended = promise
    this.end = resolve
  }

  get progress(): Job['progress'] {
    return this.#progress
  }

  /** The first cause counts. */
  tellToEnd(cause: EndCause): void {
    if (this.#cause) return
    this.#cause = cause
    this.#ending.abort(new JobEnd(cause))
  }

  /** Never rejects. Work that finished in spite of being told to end has finished. */
  async work(): Promise<Ended> {
    const { timeLimitMs } = this.kind
    const limit =
      timeLimitMs === null ? undefined : setTimeout(() => this.tellToEnd('too long'), timeLimitMs)
    limit?.unref()
    this.#watch()
    try {
      const outcome = await Promise.race([this.kind.run(this.#run()), this.#graceOver()])
      await this.#writing
      if (outcome === 'grace over') return { by: this.#cause ?? 'stalled' }
      return { by: 'work', outcome: outcome ?? {} }
    } catch (error) {
      await this.#writing
      return this.#cause ? { by: this.#cause } : { by: 'error', error }
    } finally {
      clearTimeout(limit)
      clearTimeout(this.#stall)
    }
  }

  #run(): JobRun<unknown> {
    const { job, input, feed, now } = this.#o
    const { id, attempt, by, via } = job
    return {
      ...{ id, attempt, by, via, input },
      signal: this.#ending.signal,
      progress: (done, total) => this.#advance(done, total),
      alive: () => this.#watch(),
      sleep: () => clearTimeout(this.#stall),
      log: (text) => this.#then(() => feed.keep(id, { type: 'log', data: { text }, at: now() })),
      event: (type, data) => this.#then(() => feed.keep(id, { type, data, at: now() })),
      pass: (type, data) => void this.#then(async () => feed.pass(id, { type, data })),
      mark: (state, o) => this.#then(() => this.#mark(state, o)),
    }
  }

  async #mark(state: 'running' | 'paused', { reason, detail }: MarkOptions): Promise<void> {
    const { store, feed, now } = this.#o
    const moved = await store.move(this.id, {
      ...{ state, reason, at: now(), from: ['running', 'paused'] },
      ...(detail && { detail }),
    })
    if (moved) feed.tell(this.id, moved.event)
  }

  #advance(done: number, total: number): void {
    this.#watch()
    const before = this.#progress
    this.#progress = { done, total: Math.max(done, total) }
    if (before?.done === done && before.total === this.#progress.total) return
    const now = performance.now()
    const isLast = done >= total
    if (isLast || now - this.#toldAt >= TELL_EVERY_MS) {
      this.#toldAt = now
      const data = { ...this.#progress, unit: this.kind.unit }
      void this.#then(async () => this.#o.feed.pass(this.id, { type: 'progress', data }))
    }
    if (isLast || now - this.#writtenAt >= WRITE_EVERY_MS) {
      this.#writtenAt = now
      const progress = this.#progress
      void this.#then(() => this.#o.store.note(this.id, { progress }))
    }
  }

  /** In order; what cannot be written ends nothing. */
  #then(work: () => Promise<unknown>): Promise<void> {
    const done = this.#writing.then(work).then(
      () => {},
      (error: unknown) => this.#o.onLost(error),
    )
    this.#writing = done
    return done
  }

  #watch(): void {
    clearTimeout(this.#stall)
    const { stallLimitMs } = this.kind
    if (stallLimitMs === null || this.#ending.signal.aborted) return
    this.#stall = setTimeout(() => this.tellToEnd('stalled'), stallLimitMs)
    this.#stall.unref()
  }

  #graceOver(): Promise<'grace over'> {
    return new Promise((resolve) => {
      this.#ending.signal.addEventListener('abort', () => {
        setTimeout(() => resolve('grace over'), GRACE_MS).unref()
      })
    })
  }
}
