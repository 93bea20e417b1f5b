// Works off what waits, one image at a time: the queue of the models is for people first. What fails for now is tried again
// after a growing pause, also after a restart.
import { setTimeout as delay } from 'node:timers/promises'
import {
  type ArchiveJob,
  dueArchiveJob,
  updateArchiveJob,
} from '../../../registry/archive/archive-jobs.ts'
import type { Shadow } from '../../diagnosis/shadow.ts'
import type { Uses } from '../../services.ts'
import { type Deliver, processJob } from './process-job.ts'
import type { Spool } from './spool.ts'

export interface RunnerOptions {
  readonly spool: Spool
  readonly deliver: Deliver
  readonly signal: AbortSignal
  /** Pause after the first failure; doubled with each. */
  readonly retryMs: number
}

const MAX_ATTEMPTS = 40
const LONGEST_PAUSE_MS = 3_600_000
/** Without news, so often is looked for jobs whose time has come. */
const LOOK_MS = 1000

export class JobRunner {
  readonly #services: Uses<
    'clock' | 'config' | 'db' | 'imaging' | 'log' | 'makeReady' | 'metrics' | 'runtime' | 'store'
  > & { readonly shadow: Shadow }
  readonly #options: RunnerOptions
  #news = Promise.withResolvers<void>()

  constructor(
    services: Uses<
      'clock' | 'config' | 'db' | 'imaging' | 'log' | 'makeReady' | 'metrics' | 'runtime' | 'store'
    > & { readonly shadow: Shadow },
    options: RunnerOptions,
  ) {
    this.#services = services
    this.#options = options
  }

  /** There may be something to do. */
  wake(): void {
    this.#news.resolve()
  }

  /** Until the signal; never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#options
    while (!signal.aborted) {
      try {
        const job = await dueArchiveJob(this.#services.db, this.#services.clock)
        if (job) await this.#work(job)
        else await this.#rest()
      } catch (error) {
        if (signal.aborted) return
        this.#services.log.error(
          { err: error },
          'the work on images from an archive was interrupted',
        )
        await this.#rest()
      }
    }
  }

  async #rest(): Promise<void> {
    const { signal } = this.#options
    await Promise.race([this.#news.promise, delay(LOOK_MS, undefined, { signal }).catch(() => {})])
    this.#news = Promise.withResolvers<void>()
  }

  async #work(job: ArchiveJob): Promise<void> {
    const { db, clock } = this.#services
    const { spool, signal, retryMs } = this.#options
    const outcome = await processJob(this.#services, { job, ...this.#options })
    // What is cut short by the end of the server is no failure: it is done again at the next start.
    if (signal.aborted && outcome.state !== 'done') return
    const attempts = job.attempts + 1
    if (outcome.state === 'later' && attempts < MAX_ATTEMPTS) {
      const pause = Math.min(LONGEST_PAUSE_MS, retryMs * 2 ** Math.min(attempts - 1, 20))
      const dueAt = new Date(clock().getTime() + pause).toISOString()
      await updateArchiveJob(db, job.key, { attempts, dueAt, detail: outcome.detail })
      return
    }
    const state = outcome.state === 'later' ? 'failed' : outcome.state
    const endedAt = clock().toISOString()
    await updateArchiveJob(db, job.key, { attempts, state, detail: outcome.detail, endedAt })
    await spool.remove(job.key)
    this.#services.metrics.count('roentgen_archive_images_total', 'Images from an archive.', {
      source: job.source,
      state,
    })
  }
}
