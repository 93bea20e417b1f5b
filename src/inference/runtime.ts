// Which loaded version answers for which condition: load beside, verify, switch, drain, keep warm.
// The life of one version is served-version.ts; what exists and what should answer is the registry's.
import { availableParallelism } from 'node:os'
import { AppError, isAppError } from '../errors.ts'
import { parseVersion } from '../package/ids.ts'
import { verifyPackage } from '../package/verify-package.ts'
import { Challengers } from './challengers.ts'
import type { PreparedVersion } from './gate/gate.ts'
import { prepareCandidate } from './gate/prepare-candidate.ts'
import { isSameGraph, type ServingSource } from './host/serving-copy.ts'
import type { Lease } from './lease.ts'
import { Leases } from './leases.ts'
import { LoadedVersions } from './loaded-versions.ts'
import type { PrepareOptions, RuntimeOptions } from './runtime-options.ts'
import { isRefusal, superseded } from './runtime-refusals.ts'
import {
  type ConditionStatus,
  conditionStatus,
  type HostStatus,
  hostStatus,
} from './runtime-status.ts'
import type { Role, ServedVersion } from './served-version.ts'

interface Active {
  readonly served: ServedVersion
  readonly activationId: string
  /** Orders switches: a lower ticket that arrives later is refused. */
  readonly ticket: number
}

/** The ticket of what was restored, below that of any activation. */
const RESTORED = 0
const REQUESTED = { activationId: null, role: 'requested' } as const

export class ModelRuntime {
  readonly #options: RuntimeOptions
  readonly #versions: LoadedVersions
  readonly #leases: Leases
  readonly #active = new Map<string, Active>()
  /** Versions that stand beside the active ones. */
  readonly challengers: Challengers
  #tickets = 0
  #stopped = false

  constructor(options: RuntimeOptions) {
    this.#options = options
    const cores = options.cores ?? availableParallelism()
    const concurrency = Math.max(1, Math.floor(cores / options.threads))
    this.#versions = new LoadedVersions(options, concurrency)
    this.#leases = new Leases(options.queueLength + concurrency, this.#versions.queue)
    this.challengers = new Challengers({
      create: (source, isBackground) => this.#create(source, 'challenger', isBackground),
      retire: (served) => this.#versions.retire(served),
      hold: (served) => this.#leases.take(served, { activationId: null, role: 'challenger' }),
    })
  }

  async start(): Promise<void> {
    await this.#versions.start()
  }

  /** Ends every host; requests in flight fail with `unavailable`. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#versions.stop()
    this.#active.clear()
  }

  /**
   * The evidence gate, except for metrics: package against its manifest, private copy, fresh host, golden images.
   * A damaged package is refused even when an intact private copy is there. `reuseWarm` (a rollback): only the serving
   * set of the package is verified, and the host of the version is used if it is still warm. With `precision: 'auto'`,
   * for a version that has both, float32 and int8 are loaded and the faster one is kept.
   * @throws AppError `hash-mismatch`, `load-failed`, `golden-mismatch`, each with `extra.steps`
   */
  async prepare(source: ServingSource, options: PrepareOptions = {}): Promise<PreparedVersion> {
    this.#checkRunning()
    const ticket = ++this.#tickets
    const { served, steps, discard } = await prepareCandidate(source, {
      ...options,
      versions: this.#versions,
      create: (one) => this.#create(one, 'candidate', options.isBackground),
      keepsWarm: (one) => this.#keepsWarm(one),
      imaging: this.#options.imaging,
    })
    return {
      steps,
      precision: served.precision,
      switchTo: async (activationId) => this.#switch({ served, activationId, ticket }),
      challenge: () => this.challengers.add(served),
      discard,
    }
  }

  /**
   * The version that was active before this process began: it is the active one from now on and loads; requests wait
   * for it. It is loaded from its intact private copy even when its package is damaged, which is then reported. An
   * activation, begun before or after, has precedence.
   * @throws AppError `conflict` when another version was activated meanwhile; why it cannot be loaded: then it stays
   * the active one, and loading is tried again
   */
  async restore(
    source: ServingSource,
    activationId: string,
  ): Promise<{ readonly damaged: boolean; readonly reason: string }> {
    this.#checkRunning()
    const current = this.#active.get(parseVersion(source.id).condition)
    if (current && !isSameGraph(current.served.source, source)) throw superseded()
    const served = current?.served ?? this.#create(source, 'active')
    if (!current) this.#switch({ served, activationId, ticket: RESTORED })
    await served.start()
    await this.#inspect(served)
    return { damaged: served.damage !== null, reason: served.damage ?? served.reason }
  }

  /** Nothing answers for the condition any more. */
  async clear(condition: string): Promise<void> {
    const active = this.#active.get(condition)
    this.#active.delete(condition)
    if (active) await this.#versions.retire(active.served)
  }

  /**
   * A hold on the condition's active version, for one request: release it whatever happens.
   * @throws AppError `no-active-version`, `busy`, `loading` after 10 s, `unavailable` when it cannot be loaded
   */
  async lease(condition: string): Promise<Lease> {
    this.#checkRunning()
    const active = this.#active.get(condition)
    if (!active) {
      const message = `No active version for "${condition}"; activate one first.`
      throw new AppError('no-active-version', message)
    }
    return this.#leases.take(active.served, active).catch((error) => {
      throw isRefusal(error)
        ? new AppError('unavailable', `The active version is not available: ${error.message}`, {
            cause: error,
            retryAfterSeconds: 10,
          })
        : error
    })
  }

  /**
   * A hold on a version by name, loaded now when it is not. A damaged package is refused. Unless the source names a precision,
   * the active version answers in that of its activation, any other in float32.
   * @throws AppError `hash-mismatch`, `load-failed`, `busy`, `loading`
   */
  async leaseVersion(source: ServingSource): Promise<Lease> {
    this.#checkRunning()
    const active = this.#active.get(parseVersion(source.id).condition)
    const asked = { precision: active?.served.precision, ...source }
    if (active && isSameGraph(active.served.source, asked)) {
      return this.#leases.take(active.served, active)
    }
    const loaded = this.#versions.find(source, ['requested', 'previous'])
    if (loaded) return this.#leases.take(loaded, REQUESTED)
    this.#leases.refuseWhenFull()
    const served = this.#create(source, 'requested')
    return this.#leases.take(served, REQUESTED).catch((error) => {
      // Still loading is no failure: the next request finds it. Anything else is tried from the start.
      const loading = isAppError(error) && error.code === 'loading'
      if (!loading && served.role === 'requested') void this.#versions.retire(served)
      throw error
    })
  }

  /** A package that is registered nowhere, for one use; its host ends with it. @throws AppError as `leaseVersion` */
  async runTrial<T>(source: ServingSource, use: (lease: Lease) => Promise<T>): Promise<T> {
    this.#checkRunning()
    const served = this.#create(source, 'candidate')
    try {
      const lease = await this.#leases.take(served, REQUESTED)
      return await use(lease).finally(() => lease.release())
    } finally {
      await this.#versions.retire(served)
    }
  }

  conditions(): ConditionStatus[] {
    return [...this.#active.values()].map(({ served, activationId }) =>
      conditionStatus(served, activationId),
    )
  }

  /** True when every active version can answer. */
  isReady(): boolean {
    return this.conditions().every((one) => one.state === 'ready')
  }

  status(): HostStatus[] {
    return this.#versions.all.map(hostStatus)
  }

  /** Inferences that run and that wait. */
  queue(): { readonly running: number; readonly waiting: number; readonly limit: number } {
    const { running, waiting } = this.#versions.queue
    return { running, waiting, limit: this.#options.queueLength }
  }

  /** Removes the private copies of versions that are neither loaded nor in `keep`; returns their digests. */
  pruneCopies(keep: readonly string[]): Promise<string[]> {
    return this.#versions.prune(keep)
  }

  /** Looks again whether the package of the condition's active version is what its manifest says. */
  async recheck(condition: string): Promise<void> {
    const active = this.#active.get(condition)
    if (active) await this.#inspect(active.served)
  }

  #create(source: ServingSource, role: Role, isBackground = false): ServedVersion {
    const served: ServedVersion = this.#versions.create(source, {
      role,
      isBackground,
      onRestart: () => void this.#inspect(served),
      openCopy: async () => {
        // Asked for by name, a damaged package is refused; one that was let through the gate goes on from its copy.
        if (served.role === 'requested' || served.role === 'challenger') {
          await verifyPackage(source.dir, { expectedSha256: source.sha256, only: 'serving' })
        }
        return this.#versions.openCopy(source)
      },
    })
    return served
  }

  #switch(next: Active): void {
    const { served, ticket } = next
    const { condition } = parseVersion(served.source.id)
    const current = this.#active.get(condition)
    if (this.#stopped || served.role === 'retired' || (current && current.ticket > ticket)) {
      if (served !== current?.served) void this.#versions.retire(served)
      throw superseded()
    }
    served.role = 'active'
    this.#active.set(condition, next)
    void served.keepAlive()
    void this.challengers.end(condition, { sha256: served.source.sha256 })
    for (const other of this.#versions.all) {
      const { id, sha256 } = other.source
      if (other === served || parseVersion(id).condition !== condition) continue
      const replaced = other === current?.served
      const isSameOnDemand = other.role === 'requested' && sha256 === served.source.sha256
      const keep = replaced && this.#keepsWarm(other) && !isSameGraph(other.source, served.source)
      if (keep) {
        other.role = 'previous'
        other.lastUsedAt = Date.now()
      } else if (replaced || other.role === 'previous' || isSameOnDemand) {
        void this.#versions.retire(other)
      }
    }
  }

  #keepsWarm(served: ServedVersion): boolean {
    return served.isReady && this.#options.warmMs > 0
  }

  async #inspect(served: ServedVersion): Promise<void> {
    const { id, dir, sha256 } = served.source
    const before = served.damage
    served.damage = await verifyPackage(dir, { expectedSha256: sha256 }).then(
      () => null,
      (error) => (isAppError(error) ? error.message : 'The package on disk cannot be read.'),
    )
    if (served.role !== 'active' || served.damage === before) return
    const damaged = served.damage !== null
    const reason = served.damage ?? 'The package on disk matches its manifest again.'
    this.#options.log.warn({ version: id, damaged }, reason)
    this.#options.onDamage?.({ id, sha256, damaged, reason })
  }

  #checkRunning(): void {
    if (!this.#stopped) return
    throw new AppError('unavailable', 'Roentgen is shutting down.', { retryAfterSeconds: 5 })
  }
}
