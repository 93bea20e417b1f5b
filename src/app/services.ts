// What use cases and routes may be given, by name. A function says which of it it uses - `services: Uses<'db' | 'runtime'>` -
// and gets no more; Application puts all of it together. Types only, and of nothing that itself takes services.
import type { Config } from '../config.ts'
import type { AppError } from '../errors.ts'
import type { ImagingPool } from '../imaging/imaging-pool.ts'
import type { ModelRuntime } from '../inference/runtime.ts'
import type { Backup } from '../registry/home/backup.ts'
import type { Clock, Gate } from '../registry/home/registry-context.ts'
import type { Store } from '../registry/home/store.ts'
import type { InboxItem } from '../registry/inbox/inbox.ts'
import type { Db } from '../registry/schema/database.ts'
import type { BackgroundTasks } from './background-tasks.ts'
import type { JobQueue } from './jobs/job-queue.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

export interface Services {
  readonly config: Config
  readonly log: Log
  readonly clock: Clock
  /** The registry's rows. */
  readonly db: Db
  /** Packages and kept images on the disk. */
  readonly store: Store
  /** What the registry asks to prove a version: the runtime's hosts. */
  readonly gate: Gate
  readonly imaging: ImagingPool
  readonly runtime: ModelRuntime
  readonly metrics: Metrics
  /** Work that goes on after the answer, survives what its kind says, and is shown to people. */
  readonly jobs: JobQueue
  /** Small work that goes on after the answer and that nobody needs to see. */
  readonly tasks: BackgroundTasks
  /** Aborted when the server is about to end: streams end then, so that nobody waits for them. */
  readonly leaving: AbortSignal
  /** Fulfilled when the registry is the truth again after whatever ended the last process. Never rejects. */
  readonly recovered: Promise<void>
  /** Why the registry could not be recovered, if so: nothing can be done with this home then. */
  readonly failure: AppError | undefined
  /** True when the registry is open and every active version can answer. */
  readonly isReady: boolean
  /** Sentences that say what is not ready. */
  readonly reasons: readonly string[]
  /** What was dropped into models/inbox and is not a version yet. */
  readonly inbox: readonly InboxItem[]
  /** @throws AppError `loading` when it takes longer than ten seconds */
  waitUntilRecovered(): Promise<void>
  /** Loads the active version of a condition where that is still to be done. @throws AppError `loading` */
  makeReady(condition: string): Promise<void>
  /** Everything that the home holds, as one zip. */
  backup(): Promise<Backup>
}

export type Uses<Name extends keyof Services> = Pick<Services, Name>
