// Events of jobs as they happen, for whoever follows: what was kept is sent first, then what comes, none twice and none lost.
// Progress is too much to keep: it passes by, and whoever comes later is given the present one.
import { EventEmitter } from 'node:events'
import type { JobEvent, JobStore } from '../../registry/jobs/job-store.ts'

export interface FeedEvent {
  /** `<seq>` of a kept event; `<seq>.<n>` of one that only passed. */
  readonly id: string
  readonly type: string
  readonly data: unknown
  readonly isKept: boolean
}

export interface FollowOptions {
  readonly job: string
  /** The id of the last event that was seen; from the start without. */
  readonly lastId?: string | undefined
  readonly signal: AbortSignal
}

/** The number of the last kept event in an id that a client sends back; 0 where it is none. */
function seqOf(lastId: string | undefined): number {
  const seq = Number.parseInt(lastId ?? '', 10)
  return Number.isSafeInteger(seq) && seq > 0 ? seq : 0
}

export class JobFeed {
  readonly #store: Pick<JobStore, 'events' | 'addEvent'>
  readonly #emitter = new EventEmitter()
  readonly #lastSeq = new Map<string, number>()
  #passed = 0

  constructor(store: Pick<JobStore, 'events' | 'addEvent'>) {
    this.#store = store
    // One listener for each page that is open.
    this.#emitter.setMaxListeners(0)
  }

  /** Keeps it and tells it. */
  async keep(job: string, event: Omit<JobEvent, 'seq'>): Promise<void> {
    this.tell(job, await this.#store.addEvent({ job, ...event }))
  }

  /** Tells one that is kept already. */
  tell(job: string, { seq, type, data }: JobEvent): void {
    this.#lastSeq.set(job, seq)
    this.#emitter.emit(job, { id: String(seq), type, data, isKept: true } satisfies FeedEvent)
  }

  /** Tells it to whoever follows at this moment. */
  pass(job: string, { type, data }: Pick<JobEvent, 'type' | 'data'>): void {
    this.#passed += 1
    const id = `${this.#lastSeq.get(job) ?? 0}.${this.#passed}`
    this.#emitter.emit(job, { id, type, data, isKept: false } satisfies FeedEvent)
  }

  /** The job has ended: nothing passes any more. */
  forget(job: string): void {
    this.#lastSeq.delete(job)
  }

  /** Kept events behind `lastId`; all of them when no such event was ever given out. */
  async unseen({ job, lastId }: Omit<FollowOptions, 'signal'>): Promise<JobEvent[]> {
    const kept = await this.#store.events({ job, after: 0 })
    const seen = seqOf(lastId)
    return seen > kept.length ? kept : kept.slice(seen)
  }

  /** Kept events behind `lastId`, then whatever comes, until the signal. */
  async *follow({ job, lastId, signal }: FollowOptions): AsyncGenerator<FeedEvent> {
    const waiting: FeedEvent[] = []
    let wake = (): void => {}
    const listen = (event: FeedEvent): void => {
      waiting.push(event)
      wake()
    }
    const stop = (): void => wake()
    this.#emitter.on(job, listen)
    signal.addEventListener('abort', stop)
    try {
      let after = 0
      for (const { seq, type, data } of await this.unseen({ job, lastId })) {
        if (signal.aborted) return
        after = seq
        yield { id: String(seq), type, data, isKept: true }
      }
      while (!signal.aborted) {
        const event = waiting.shift()
        if (!event) {
          await new Promise<void>((resolve) => {
            wake = resolve
            if (waiting.length > 0 || signal.aborted) resolve()
          })
        } else if (!event.isKept || Number(event.id) > after) yield event
      }
    } finally {
      this.#emitter.off(job, listen)
      signal.removeEventListener('abort', stop)
    }
  }
}
