// The batches that pages sent, as jobs. Names of files may be names of people, so that nothing of a batch but its predictions
// is written anywhere: its files and rows end with the process, and so does the job.
import { randomUUID } from 'node:crypto'
import { links } from '../../../views/shared/links.ts'
import { AppError } from '../../errors.ts'
import { getCondition } from '../../registry/conditions/conditions.ts'
import type { Actor } from '../../registry/home/registry-context.ts'
import { type CsvEntry, predictionCsv } from '../diagnosis/prediction-csv.ts'
import type { Shadow } from '../diagnosis/shadow.ts'
import { DAY_MS, type JobKind, type JobRun, KEEP_MS } from '../jobs/job-kind.ts'
import type { Uses } from '../services.ts'
import type { Batch } from './batch-item.ts'
import { predictItem } from './predict-item.ts'

/** What a page shows of one image: its result in short, or why there is none. */
export interface BatchRow {
  readonly n: number
  readonly file: string
  readonly result:
    | {
        readonly id: string
        readonly label: string
        readonly positive: boolean
        readonly confidence: number
        readonly warnings: readonly string[]
      }
    | { readonly title: string; readonly detail: string }
}

export interface BatchUnderWay {
  readonly id: string
  readonly condition: string
  readonly total: number
  /** What was predicted so far, in order. */
  readonly rows: readonly BatchRow[]
  readonly isDone: boolean
  /** Whole when `isDone`. */
  readonly csv: string
}

interface Kept extends BatchUnderWay {
  readonly batch: Batch
  readonly line: (entry: CsvEntry) => string
  readonly rows: BatchRow[]
  isDone: boolean
  csv: string
  /** Told at each image and at the end. */
  wake: PromiseWithResolvers<void>
}

type BatchServices = Uses<
  | 'config'
  | 'db'
  | 'imaging'
  | 'jobs'
  | 'leaving'
  | 'log'
  | 'makeReady'
  | 'metrics'
  | 'runtime'
  | 'store'
> & { readonly shadow: Shadow }

const KIND = 'batch'
/** Finished ones that are still shown. */
const KEPT = 20
const STALL_MS = 10 * 60_000

export class BatchJobs {
  readonly #services: BatchServices
  readonly #batches = new Map<string, Kept>()

  constructor(services: BatchServices) {
    this.#services = services
    services.jobs.kinds.add(this.#kind())
  }

  /** Goes on by itself from now on, and closes the batch whatever happens. */
  async start(batch: Batch, actor: Actor): Promise<BatchUnderWay> {
    const { db, jobs } = this.#services
    const { condition } = batch.request
    const id = `bt_${randomUUID()}`
    try {
      const { classes } = await getCondition(db, condition)
      const { header, line } = predictionCsv(classes.map(({ label }) => label))
      const kept: Kept = {
        ...{ id, condition, batch, line, total: batch.items.length },
        ...{ rows: [], isDone: false, csv: header, wake: Promise.withResolvers<void>() },
      }
      this.#batches.set(id, kept)
      this.#forgetOld()
      const subject = { type: 'condition', id: condition } as const
      await jobs.add(KIND, { id, input: kept, subject, actor, total: kept.total })
      return kept
    } catch (error) {
      this.#batches.delete(id)
      await batch.close()
      throw error
    }
  }

  /** @throws AppError `not-found` */
  get(id: string): BatchUnderWay {
    const kept = this.#batches.get(id)
    if (kept) return kept
    throw new AppError(
      'not-found',
      'This batch is no longer shown; its results are on the predictions page.',
    )
  }

  /** The rows as they come, those that are there at once; ends with the batch. */
  async *follow(id: string): AsyncGenerator<BatchRow> {
    this.get(id)
    for (let at = 0; ; ) {
      const kept = this.#batches.get(id)
      const row = kept?.rows[at]
      if (row) {
        at += 1
        yield row
      } else if (!kept || kept.isDone) return
      else await kept.wake.promise
    }
  }

  #kind(): JobKind<Kept> {
    return {
      name: KIND,
      title: 'Batch',
      unit: 'images',
      // Its files and their names are in no place that outlives the process.
      afterRestart: 'end',
      keepsInput: false,
      isCancellable: true,
      lane: KIND,
      // Somebody watches each of them.
      width: 4,
      maxAttempts: 1,
      timeLimitMs: 7 * DAY_MS,
      stallLimitMs: STALL_MS,
      keepMs: KEEP_MS,
      page: ({ id }) => (this.#batches.has(id) ? links.batch(id) : undefined),
      interruptedWords: async (_, why) =>
        `${why}. Names of files are not kept, so the rest cannot be done; the results so far are on the predictions page.`,
      run: (run) => this.#predict(run),
      onRest: async ({ id, endedAt }) => {
        const kept = this.#batches.get(id)
        if (!kept || endedAt === null) return
        kept.isDone = true
        tell(kept)
        // What cannot be removed now is removed with the staging folder's other leftovers.
        await kept.batch.close().catch(() => {})
      },
    }
  }

  async #predict({ input: kept, signal, progress }: JobRun<Kept>): Promise<undefined> {
    const { request, items } = kept.batch
    for (const item of items) {
      signal.throwIfAborted()
      const result = await predictItem(this.#services, { request, item, signal })
      signal.throwIfAborted()
      const entry = { n: kept.rows.length + 1, file: item.name, result }
      kept.rows.push(rowOf(entry))
      kept.csv += kept.line(entry)
      tell(kept)
      progress(kept.rows.length, kept.total)
    }
  }

  #forgetOld(): void {
    const done = [...this.#batches.values()].filter((one) => one.isDone)
    for (const { id } of done.slice(0, Math.max(0, this.#batches.size - KEPT))) {
      this.#batches.delete(id)
    }
  }
}

/** Whole predictions are kept in the registry; ten thousand of them would be too much here. */
function rowOf({ n, file = '', result }: CsvEntry): BatchRow {
  if (!('classes' in result)) {
    const { title, detail } = result
    return { n, file, result: { title, detail } }
  }
  const { id, decision, confidence, warnings } = result
  const { label, positive } = decision
  return { n, file, result: { id, label, positive, confidence, warnings } }
}

function tell(kept: Kept): void {
  const { resolve } = kept.wake
  kept.wake = Promise.withResolvers<void>()
  resolve()
}
