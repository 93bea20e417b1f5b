// The batches that pages sent: read one after the other while somebody watches or not, kept in memory for a while. Names of
// files may be names of people, so that nothing of a batch but its predictions is written anywhere.
import { randomUUID } from 'node:crypto'
import { AppError } from '../../errors.ts'
import { getCondition } from '../../registry/conditions/conditions.ts'
import { type CsvEntry, predictionCsv } from '../diagnosis/prediction-csv.ts'
import type { Shadow } from '../diagnosis/shadow.ts'
import type { Uses } from '../services.ts'
import type { Batch } from './batch-item.ts'
import { predictItem } from './predict-item.ts'

/** Finished ones that are still shown. */
const KEPT = 20

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
  /** What was read so far, in order. */
  readonly rows: readonly BatchRow[]
  readonly isDone: boolean
  /** Whole when `isDone`. */
  readonly csv: string
}

interface Kept extends BatchUnderWay {
  readonly rows: BatchRow[]
  isDone: boolean
  csv: string
  /** Told at each image and at the end. */
  wake: PromiseWithResolvers<void>
}

export class BatchJobs {
  readonly #services: Uses<
    | 'config'
    | 'db'
    | 'imaging'
    | 'leaving'
    | 'log'
    | 'makeReady'
    | 'metrics'
    | 'runtime'
    | 'store'
    | 'tasks'
  > & { readonly shadow: Shadow }
  readonly #batches = new Map<string, Kept>()

  constructor(
    services: Uses<
      | 'config'
      | 'db'
      | 'imaging'
      | 'leaving'
      | 'log'
      | 'makeReady'
      | 'metrics'
      | 'runtime'
      | 'store'
      | 'tasks'
    > & { readonly shadow: Shadow },
  ) {
    this.#services = services
  }

  /** Reads on its own from now on, and closes the batch whatever happens. */
  async start(batch: Batch): Promise<BatchUnderWay> {
    const { db, tasks } = this.#services
    const { classes } = await getCondition(db, batch.request.condition).catch(async (error) => {
      await batch.close()
      throw error
    })
    const { header, line } = predictionCsv(classes.map(({ label }) => label))
    const kept: Kept = {
      id: `bt_${randomUUID()}`,
      condition: batch.request.condition,
      total: batch.items.length,
      rows: [],
      isDone: false,
      csv: header,
      wake: Promise.withResolvers<void>(),
    }
    this.#batches.set(kept.id, kept)
    this.#forgetOld()
    tasks.run('a batch', () => this.#read(batch, { kept, line }))
    return kept
  }

  /** @throws AppError `not-found` */
  get(id: string): BatchUnderWay {
    const kept = this.#batches.get(id)
    if (kept) return kept
    throw new AppError(
      'not-found',
      'This batch is no longer shown; what it read is on the predictions page.',
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

  async #read(
    batch: Batch,
    { kept, line }: { kept: Kept; line: (entry: CsvEntry) => string },
  ): Promise<void> {
    const { leaving } = this.#services
    try {
      for (const item of batch.items) {
        if (leaving.aborted) break
        const result = await predictItem(this.#services, {
          request: batch.request,
          item,
          signal: leaving,
        })
        const entry = { n: kept.rows.length + 1, file: item.name, result }
        kept.rows.push(rowOf(entry))
        kept.csv += line(entry)
        tell(kept)
      }
    } finally {
      kept.isDone = true
      tell(kept)
      // What cannot be removed now is removed with the staging folder's other leftovers.
      await batch.close().catch(() => {})
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
