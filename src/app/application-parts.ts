// What a home is opened with and put together from. Types only.
import type { Config } from '../config.ts'
import type { HomeLock } from '../registry/home/home-lock.ts'
import type { Registry } from '../registry/home/open-registry.ts'
import type { Store } from '../registry/home/store.ts'
import type { ArchiveOptions } from './dicom/archive/archive.ts'
import type { Log } from './log.ts'
import type { TrainingOptions } from './runs/training-queue.ts'

export interface ApplicationOptions {
  /** false: a visit of the command line, which watches no files and forgets nothing by the clock. */
  readonly isServer: boolean
  readonly log?: Log
  readonly archive?: ArchiveOptions
  readonly training?: TrainingOptions
}

export interface ApplicationParts {
  readonly config: Config
  readonly options: ApplicationOptions
  readonly lock: HomeLock
  readonly store: Store
  readonly registry: Registry
}
