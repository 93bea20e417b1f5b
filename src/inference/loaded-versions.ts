// All versions that have a host or are getting one: made here, ended here when idle, over budget or replaced.
// What each of them is for is told by its role, which runtime.ts sets.
import { join } from 'node:path'
import { chooseToEnd } from './host/host-budget.ts'
import { primeCompileCache } from './host/host-process.ts'
import {
  clearTemporaryCopies,
  ensureCopy,
  isSameGraph,
  pruneCopies,
  type ServingCopy,
  type ServingSource,
} from './host/serving-copy.ts'
import { InferenceQueue } from './inference-queue.ts'
import type { RuntimeOptions } from './runtime-options.ts'
import { type Role, ServedVersion, type ServedVersionOptions } from './served-version.ts'

const DEFAULT_IDLE_MS = 600_000
const MIN_SWEEP_MS = 10
const MAX_SWEEP_MS = 15_000

export class LoadedVersions {
  readonly queue: InferenceQueue
  readonly #options: RuntimeOptions
  readonly #idleMs: number
  readonly #servingDir: string
  readonly #compileCacheDir: string
  readonly #all = new Set<ServedVersion>()
  readonly #retiring = new Set<Promise<void>>()
  /** Copies that are being checked or made: one at a time for each digest. */
  readonly #copying = new Map<string, Promise<ServingCopy>>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: RuntimeOptions, concurrency: number) {
    this.#options = options
    this.#idleMs = options.idleMs ?? DEFAULT_IDLE_MS
    this.#servingDir = join(options.dataDir, 'serving')
    this.#compileCacheDir = join(this.#servingDir, 'compiled')
    this.queue = new InferenceQueue({ concurrency, limit: options.queueLength })
  }

  async start(): Promise<void> {
    await clearTemporaryCopies(this.#servingDir)
    await primeCompileCache(this.#compileCacheDir)
    const shortest = Math.min(this.#options.warmMs, this.#idleMs) / 2
    const everyMs = Math.max(MIN_SWEEP_MS, Math.min(MAX_SWEEP_MS, shortest))
    this.#timer ??= setInterval(() => this.#sweep(), everyMs).unref()
  }

  /** Ends every host. Safe to call twice. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#timer = undefined
    await Promise.all([...this.#all].map((served) => served.stop()))
    this.#all.clear()
    await Promise.all(this.#retiring)
  }

  get all(): readonly ServedVersion[] {
    return [...this.#all]
  }

  /** Nothing is loaded yet; `openCopy` says where it will be loaded from. */
  create(
    source: ServingSource,
    o: Pick<ServedVersionOptions, 'openCopy' | 'onRestart'> & {
      readonly role: Role
      readonly isBackground?: boolean
    },
  ): ServedVersion {
    const { log, threads, loadWaitMs, loadTimeoutMs, inferTimeoutMs } = this.#options
    const served = new ServedVersion(
      {
        source,
        openCopy: o.openCopy,
        queue: this.queue,
        settings: {
          threads,
          loadTimeoutMs: loadTimeoutMs ?? 120_000,
          inferTimeoutMs: inferTimeoutMs ?? 60_000,
          memoryBudgetBytes: this.#options.hostMemoryBytes,
          compileCacheDir: this.#compileCacheDir,
          isBackground: o.isBackground ?? false,
        },
        loadWaitMs: loadWaitMs ?? 10_000,
        log,
        onReady: () => this.#keepBudget(),
        onRestart: o.onRestart,
      },
      o.role,
    )
    this.#all.add(served)
    return served
  }

  /** Whatever is loaded of a version, in the precision of the source, with one of these roles. */
  find(source: ServingSource, roles: readonly Role[]): ServedVersion | undefined {
    return this.all.find((one) => isSameGraph(one.source, source) && roles.includes(one.role))
  }

  openCopy(source: ServingSource): Promise<ServingCopy> {
    const { sha256 } = source
    const running = this.#copying.get(sha256)
    if (running) return running
    const copying = ensureCopy(this.#servingDir, source).finally(() => this.#copying.delete(sha256))
    this.#copying.set(sha256, copying)
    return copying
  }

  /** Takes no new requests; its host ends with the last that it has. Resolves when it is gone. */
  retire(served: ServedVersion): Promise<void> {
    served.role = 'retired'
    const leaving = served
      .whenDrained()
      .then(() => served.stop())
      .then(() => {
        this.#all.delete(served)
        this.#retiring.delete(leaving)
        this.#options.log.info({ version: served.source.id }, 'model host ended')
      })
    this.#retiring.add(leaving)
    return leaving
  }

  /** Removes private copies that are neither in `keep` nor loaded; returns their digests. */
  prune(keep: readonly string[]): Promise<string[]> {
    const loaded = this.all.map((one) => one.source.sha256)
    return pruneCopies(this.#servingDir, new Set([...keep, ...loaded, ...this.#copying.keys()]))
  }

  #sweep(): void {
    const now = Date.now()
    const limits: Partial<Record<Role, number>> = {
      previous: this.#options.warmMs,
      requested: this.#idleMs,
    }
    for (const served of this.#all) {
      const limit = limits[served.role]
      const idleMs = served.leases > 0 ? 0 : now - served.lastUsedAt
      if (limit !== undefined && idleMs > limit) void this.retire(served)
    }
    this.#keepBudget()
  }

  #keepBudget(): void {
    for (const served of chooseToEnd(this.all, this.#options.hostMemoryBytes)) {
      void this.retire(served)
    }
  }
}
