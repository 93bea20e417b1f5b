// The one queue of all work that goes on after an answer. Every state is in the store before anyone is told; after whatever
// ended the last process, each job is what its kind declares.
import { EventEmitter } from 'node:events'
import { AppError } from '../../errors.ts'
import type { Clock, RegistryLog } from '../../registry/home/registry-context.ts'
import type {
  Job,
  JobFilter,
  JobStore,
  JobSubject,
  Moved,
  Transition,
} from '../../registry/jobs/job-store.ts'
import { JobFeed } from './job-feed.ts'
import type { JobKind } from './job-kind.ts'
import { JobKinds } from './job-kinds.ts'
import { afterLoss, afterWork } from './job-outcome.ts'
import { type JobRequest, newJob } from './job-request.ts'
import { RunningJob } from './running-job.ts'

export interface JobQueueOptions {
  readonly store: JobStore
  readonly clock: Clock
  readonly log: RegistryLog
}

const MAX_TIMER_MS = 60_000

export class JobQueue {
  readonly feed: JobFeed
  readonly #o: JobQueueOptions
  /** All are added before `settle`. */
  readonly kinds = new JobKinds()
  readonly #running = new Map<string, RunningJob>()
  /** Inputs of kinds that keep none. */
  readonly #inMemory = new Map<string, unknown>()
  /** Before `start`, and on a visit of the command line, only what this process added is begun. */
  readonly #own = new Set<string>()
  #takesAll = false
  #isStopped = false
  readonly #stopped = Promise.withResolvers<void>()
  /** Tells the id of each job whose state has changed, its rows in order. */
  readonly #moves = new EventEmitter()
  #pumping: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined

  constructor(options: JobQueueOptions) {
    this.#o = options
    this.feed = new JobFeed(options.store)
    this.#moves.setMaxListeners(0)
  }

  /** Says of each job what the end of the last process made of it. After the registry has recovered. */
  async settle(): Promise<void> {
    const { store } = this.#o
    for (const job of await store.inState(['queued', 'running', 'paused'], this.kinds.names)) {
      const kind = this.kinds.get(job.kind)
      const change = await afterLoss(job, kind)
      if (change) await this.#move(job.id, { ...change, from: [job.state] })
    }
  }

  /** Begins also what waited from before. */
  start(): void {
    this.#takesAll = true
    this.wake()
  }

  /** Ends what runs, each as its kind declares. Safe to call twice. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#stopped.resolve()
    clearTimeout(this.#timer)
    for (const running of this.#running.values()) running.tellToEnd('stopping')
    await this.whenIdle()
  }

  /** Fulfilled when nothing runs and nothing that is due waits. */
  async whenIdle(): Promise<void> {
    for (;;) {
      const pumping = this.#pumping
      await pumping
      if (this.#running.size === 0 && pumping === this.#pumping) return
      await Promise.all([...this.#running.values()].map(({ ended }) => ended))
    }
  }

  async add(kind: string, request: JobRequest): Promise<Job> {
    const jobs = await this.addAll(kind, [request])
    return jobs[0] as Job
  }

  /** All of them or none, in this order. @throws AppError `unavailable` when the server is stopping */
  async addAll(kindName: string, requests: readonly JobRequest[]): Promise<Job[]> {
    if (this.#isStopped) throw new AppError('unavailable', 'The server is stopping.')
    const kind = this.kinds.get(kindName)
    const rows = requests.map((request) => newJob(kind, { request, at: this.#now() }))
    for (const [k, { id }] of rows.entries()) {
      if (!kind.keepsInput) this.#inMemory.set(id, requests[k]?.input)
      this.#own.add(id)
    }
    const added = await this.#o.store.add(rows)
    for (const { job, event } of added) this.feed.tell(job.id, event)
    this.wake()
    return added.map(({ job }) => job)
  }

  /** As it is now. @throws AppError `unknown-job` */
  async get(id: string): Promise<Job> {
    const job = await this.#o.store.find(id)
    if (job) return this.#live(job)
    throw new AppError('unknown-job', 'There is no such job; it may have been removed.')
  }

  /** Newest first. @throws AppError `invalid` */
  async list(filter: JobFilter) {
    const page = await this.#o.store.list(filter)
    return { ...page, items: page.items.map((job) => this.#live(job)) }
  }

  /** The newest of these kinds about something. */
  async newest(kinds: readonly string[], subject: JobSubject): Promise<Job | undefined> {
    const job = await this.#o.store.newest(kinds, subject)
    return job && this.#live(job)
  }

  /** Once it has ended, was interrupted, or waits for another attempt; or the server ends. @throws AppError `unknown-job` */
  async whenRested(id: string): Promise<Job> {
    for (;;) {
      const moved = Promise.withResolvers<void>()
      this.#moves.once(id, moved.resolve)
      try {
        const job = await this.get(id)
        const isOnItsWay = job.state === 'running' || (job.state === 'queued' && job.attempt === 0)
        if (!isOnItsWay || this.#isStopped) return job
        await Promise.race([moved.promise, this.#stopped.promise])
      } finally {
        this.#moves.off(id, moved.resolve)
      }
    }
  }

  /** Ends it now. @throws AppError `unknown-job`; `conflict` when it has ended or its kind cannot be cancelled */
  async cancel(id: string): Promise<Job> {
    for (let tries = 1; ; tries++) {
      const job = await this.get(id)
      if (job.endedAt !== null) {
        throw new AppError('conflict', `The job is ${job.state} and cannot be cancelled.`)
      }
      if (!this.kinds.get(job.kind).isCancellable) {
        throw new AppError('conflict', 'Jobs of this kind cannot be cancelled.')
      }
      const running = this.#running.get(id)
      if (running) {
        running.tellToEnd('cancelled')
        await running.ended
        return this.get(id)
      }
      const moved = await this.#move(id, {
        ...{ state: 'cancelled', reason: 'Cancelled by user.', endedAt: this.#now() },
        // At the second look nobody works on one that is said to run: its end could not be written.
        from: ['queued', 'paused', 'interrupted', ...(tries > 1 ? (['running'] as const) : [])],
      })
      if (moved) return moved.job
      await this.#pumping
    }
  }

  /** Why it is in its state, without an event. */
  explain(id: string, reason: string): Promise<void> {
    return this.#o.store.note(id, { reason })
  }

  /** Of one that does not run. Undefined when it is in none of the states `from`. */
  async change(id: string, transition: Omit<Transition, 'at'>): Promise<Job | undefined> {
    const moved = await this.#move(id, transition)
    if (transition.state === 'queued') {
      this.#own.add(id)
      this.wake()
    }
    return moved?.job
  }

  /** Those whose kind says that they were listed long enough. */
  async forgetOld(): Promise<void> {
    const now = this.#o.clock().getTime()
    for (const { name, keepMs } of this.kinds.all) {
      if (keepMs === null) continue
      await this.#o.store.removeEnded({ kind: name, before: new Date(now - keepMs).toISOString() })
    }
  }

  /** There may be something to do. */
  wake(): void {
    this.#pumping = this.#pumping
      .then(() => this.#pump())
      .catch((error: unknown) => {
        if (!this.#isStopped) this.#o.log.error({ err: error }, 'jobs could not be begun')
      })
  }

  async #pump(): Promise<void> {
    clearTimeout(this.#timer)
    if (this.#isStopped) return
    for (const kinds of this.kinds.lanes()) await this.#fill(kinds)
    const dueAt = await this.#o.store.nextDueAt(this.kinds.names)
    if (this.#isStopped || dueAt === undefined) return
    const wait = Date.parse(dueAt) - this.#o.clock().getTime()
    // One that is due and was not begun waits for its lane, which wakes the queue by itself.
    if (wait <= 0) return
    this.#timer = setTimeout(() => this.wake(), Math.min(wait + 1, MAX_TIMER_MS))
    this.#timer.unref()
  }

  async #fill(kinds: readonly JobKind[]): Promise<void> {
    const lane = kinds[0]?.lane
    const width = Math.max(...kinds.map((kind) => kind.width))
    const busy = () => [...this.#running.values()].filter(({ kind }) => kind.lane === lane).length
    while (!this.#isStopped && busy() < width) {
      const moved = await this.#o.store.claim({
        kinds: kinds.map(({ name }) => name),
        at: this.#now(),
        ids: this.#takesAll ? undefined : [...this.#own],
      })
      if (!moved) return
      this.#begin(moved)
    }
  }

  #begin({ job, event }: Moved): void {
    const { store, log } = this.#o
    const kind = this.kinds.get(job.kind)
    const running = new RunningJob({
      ...{ job, kind, store, feed: this.feed },
      input: kind.keepsInput ? job.input : this.#inMemory.get(job.id),
      now: () => this.#now(),
      onLost: (error) => log.error({ err: error, job: job.id }, 'news of a job could not be kept'),
    })
    this.#running.set(job.id, running)
    this.feed.tell(job.id, event)
    void this.#work(job, running)
  }

  async #work(job: Job, running: RunningJob): Promise<void> {
    const { log } = this.#o
    try {
      const ended = await running.work()
      // Meanwhile it may have been paused.
      const now = (await this.#o.store.find(job.id)) ?? job
      const change = await afterWork(ended, {
        job: now,
        kind: running.kind,
        now: this.#o.clock(),
        log,
      })
      await this.#move(job.id, {
        ...change,
        progress: running.progress,
        from: ['running', 'paused'],
      })
    } catch (error) {
      log.error({ err: error, job: job.id }, 'the outcome of a job could not be kept')
    } finally {
      this.#running.delete(job.id)
      running.end()
      this.wake()
    }
  }

  async #move(id: string, transition: Omit<Transition, 'at'>): Promise<Moved | undefined> {
    const moved = await this.#o.store.move(id, { ...transition, at: this.#now() })
    if (!moved) return undefined
    const { job, event } = moved
    if (job.endedAt !== null) {
      this.#inMemory.delete(id)
      this.#own.delete(id)
    }
    // Its own rows first: whoever hears of the end finds them in order.
    await this.kinds.find(job.kind)?.onRest?.(job)
    this.feed.tell(id, event)
    this.#moves.emit(id)
    if (job.endedAt !== null) this.feed.forget(id)
    return moved
  }

  #live(job: Job): Job {
    const progress = this.#running.get(job.id)?.progress
    return progress ? { ...job, progress } : job
  }

  #now(): string {
    return this.#o.clock().toISOString()
  }
}
