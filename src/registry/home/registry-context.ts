// What the actions of the registry are given: rows, files, a clock, a log, and the gate that the server injects.
import type { GateStep } from '../../package/gate-step.ts'
import type { VersionRef } from '../../package/ids.ts'
import type { Precision } from '../../package/schema.ts'
import type { Db } from '../schema/database.ts'
import type { Store } from './store.ts'

/** The part of a pino logger that is used here. */
export interface RegistryLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface RegistryPlace {
  readonly db: Db
  readonly store: Store
}

export type Clock = () => Date

export interface RegistryContext extends RegistryPlace {
  readonly gate: Gate
  readonly clock: Clock
  readonly log: RegistryLog
}

export type Via = 'page' | 'api' | 'cli' | 'file' | 'policy'

/** Who does something, and from where. */
export interface Actor {
  readonly by: string
  readonly via: Via
}

/** What the gate is asked to make ready. */
export interface GateSource extends VersionRef {
  /** `condition/name@n` */
  readonly id: string
  /** Digest of manifest.json. */
  readonly sha256: string
  /** The package folder in the store; read once, into a private verified copy. */
  readonly dir: string
}

/** Runs a version beside the active one and proves it: verified private copy, fresh host, golden images. */
export interface Gate {
  /**
   * The caller has just verified the package: what is loaded is a private copy that is hashed again as it is made.
   * `isBackground`: it will only look on while nobody waits.
   * `reuseWarm`: a host of that very version that is still loaded may be taken (rollback).
   * `precision`: which of its graphs; `auto`, for a version that has both, takes the faster one. float32 when absent.
   * @throws AppError `hash-mismatch`, `load-failed` or `golden-mismatch`; its `extra.steps`, when there, are the
   * GateSteps up to and including the one that failed
   */
  prepare(
    source: GateSource,
    options: { reuseWarm: boolean; isBackground?: boolean; precision?: Precision | 'auto' },
  ): Promise<PreparedHost>
  /** The challenger of the condition is let go; without one nothing happens. */
  endChallenger(condition: string): Promise<void>
}

export interface PreparedHost {
  /** The steps that it passed: `load`, `golden`. */
  readonly steps: readonly GateStep[]
  /** Of the graph that passed. */
  readonly precision: Precision
  /** Resolves once new requests are answered by it; the old host drains by itself. */
  switchTo(activationId: string): Promise<void>
  /** It stands beside the active version from now on. */
  challenge(): Promise<void>
  /** Ends it; it never answered. */
  discard(): Promise<void>
}
