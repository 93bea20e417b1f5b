// What a runtime is built with. Types only.
import type { ImagingPool } from '../imaging/imaging-pool.ts'
import type { Precision } from '../package/schema.ts'
import type { RuntimeLog } from './runtime-log.ts'

export interface RuntimeOptions {
  /** Private copies go to `serving/` below it. */
  readonly dataDir: string
  /** Threads of one inference. */
  readonly threads: number
  /** Requests that may wait beside those that run; one more is answered `busy`. */
  readonly queueLength: number
  readonly hostMemoryBytes: number
  /** How long the previous version stays loaded after a switch. */
  readonly warmMs: number
  readonly imaging: Pick<ImagingPool, 'read'>
  readonly log: RuntimeLog
  /** How long a version that was asked for by name stays loaded unused. Default 10 min. */
  readonly idleMs?: number
  /** Default: all of this machine. */
  readonly cores?: number
  readonly loadWaitMs?: number
  readonly loadTimeoutMs?: number
  readonly inferTimeoutMs?: number
  /** The package of the active version was found to differ from its manifest, or to be whole again. */
  readonly onDamage?: (event: Damage) => void
}

export interface Damage {
  readonly id: string
  readonly sha256: string
  readonly damaged: boolean
  readonly reason: string
}

export interface PrepareOptions {
  readonly reuseWarm?: boolean
  /** `auto`: of a version that has both, the one that is measurably faster here. float32 when absent. */
  readonly precision?: Precision | 'auto'
  /** It is only to look on: its host gets the lowest priority. */
  readonly isBackground?: boolean
  /** The caller has hashed the package just now; the private copy is proved all the same. */
  readonly isVerified?: boolean
}
