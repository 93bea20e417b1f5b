// Events of runs as they happen, for whoever looks on: what was kept is sent first, then what comes, none twice and none lost.
import { EventEmitter } from 'node:events'
import { addRunEvent, listRunEvents, type RunEvent } from '../../registry/runs/run-events.ts'
import type { Db } from '../../registry/schema/database.ts'

export interface FeedEvent {
  /** `<seq>` of a kept event; `<seq>.<n>` of a batch, which is only shown while it happens. */
  readonly id: string
  readonly type: RunEvent['type'] | 'batch'
  readonly data: unknown
}

export interface FollowOptions {
  readonly run: string
  /** The id of the last event that was seen; from the start without. */
  readonly lastId?: string | undefined
  readonly signal: AbortSignal
}

export class RunFeed {
  readonly #db: Db
  readonly #emitter = new EventEmitter()
  #passing = 0
  readonly #lastSeq = new Map<string, number>()

  constructor(db: Db) {
    this.#db = db
    // One listener for each page that is open.
    this.#emitter.setMaxListeners(0)
  }

  /** Keeps it and tells it. */
  async keep(run: string, event: Pick<RunEvent, 'type' | 'data' | 'at'>): Promise<void> {
    const { seq, type, data } = await addRunEvent(this.#db, { run, ...event })
    this.#lastSeq.set(run, seq)
    this.#tell(run, { id: String(seq), type, data })
  }

  /** Tells it to whoever looks on at this moment. */
  pass(run: string, data: unknown): void {
    this.#passing += 1
    const id = `${this.#lastSeq.get(run) ?? 0}.${this.#passing}`
    this.#tell(run, { id, type: 'batch', data })
  }

  /** Kept events behind `lastId`, then whatever comes, until the signal. */
  async *follow({ run, lastId, signal }: FollowOptions): AsyncGenerator<FeedEvent> {
    const waiting: FeedEvent[] = []
    let wake = (): void => {}
    const listen = (event: FeedEvent): void => {
      waiting.push(event)
      wake()
    }
    const stop = (): void => wake()
    this.#emitter.on(run, listen)
    signal.addEventListener('abort', stop)
    try {
      let after = Number.parseInt(lastId ?? '0', 10) || 0
      for (const { seq, type, data } of await listRunEvents(this.#db, { run, after })) {
        if (signal.aborted) return
        after = seq
        yield { id: String(seq), type, data }
      }
      while (!signal.aborted) {
        const event = waiting.shift()
        if (!event) {
          await new Promise<void>((resolve) => {
            wake = resolve
            if (waiting.length > 0 || signal.aborted) resolve()
          })
        } else if (event.type === 'batch' || Number(event.id) > after) yield event
      }
    } finally {
      this.#emitter.off(run, listen)
      signal.removeEventListener('abort', stop)
    }
  }

  #tell(run: string, event: FeedEvent): void {
    this.#emitter.emit(run, event)
  }
}
