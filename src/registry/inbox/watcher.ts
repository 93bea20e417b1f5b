// Watches the model store: edits of active.json, the inbox, and packages whose files change. An event only says where
// to look; what counts is what is then found, and a scan on a timer finds what no event told (network mounts).
import { stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { type FSWatcher, watch } from 'chokidar'
import { formatVersion, type VersionRef } from '../../package/ids.ts'
import { applyPointerEdit, applyPointerEdits } from '../activation/pointer-edits.ts'
import { listConditions } from '../conditions/conditions.ts'
import type { RegistryContext } from '../home/registry-context.ts'
import { packageDir } from '../home/store.ts'
import { isStoreThere } from '../home/store-marker.ts'
import { setWarning } from '../home/warnings.ts'
import { adoptPackages } from '../versions/adopt-packages.ts'
import { listActive, presentVersions, verifyOne } from '../versions/verify-all.ts'
import { findVersion, type Version } from '../versions/versions.ts'
import { Inbox, type InboxItem, type InboxOptions } from './inbox.ts'
import { isIgnored, type Work, workFor } from './watched-path.ts'

export interface WatcherOptions extends InboxOptions {
  /** Milliseconds between scans that need no event. */
  readonly rescanMs?: number
}

/** A burst of events about one thing is one look at it. */
const SETTLE_MS = 100
/** How long an active.json that is no JSON may still be being written. */
const HALF_WRITTEN_MS = 1000
const AGAIN_MS = 500

export class Watcher {
  readonly #ctx: RegistryContext
  readonly #inbox: Inbox
  readonly #rescanMs: number
  #events: FSWatcher | undefined
  #stopped = false
  readonly #timers = new Map<string, NodeJS.Timeout>()
  readonly #running = new Map<string, Promise<void>>()
  /** Sizes and times of the active packages' files when they were last hashed. */
  readonly #stamps = new Map<string, string>()
  #reason = 'not started'

  constructor(ctx: RegistryContext, options: WatcherOptions = {}) {
    this.#ctx = ctx
    this.#inbox = new Inbox(ctx, options)
    this.#rescanMs = options.rescanMs ?? 5000
  }

  get inbox(): readonly InboxItem[] {
    return this.#inbox.items
  }

  /** For the status page. */
  get reason(): string {
    return this.#reason
  }

  /** Resolves once edits made while nothing ran are applied and events are listened to. Run `recover` first. */
  async start(): Promise<void> {
    await applyPointerEdits(this.#ctx)
    if (this.#stopped) return
    const root = this.#ctx.store.modelsDir
    const inStore = (path: string): string => relative(root, path).split(sep).join('/')
    const events = watch(root, { ignoreInitial: true, ignored: (path) => isIgnored(inStore(path)) })
    this.#events = events
    events.on('all', (_event, path) => this.#look(workFor(inStore(path))))
    events.on('error', (error) => {
      this.#reason = 'file events are not reliable here; the store is scanned every few seconds'
      this.#ctx.log.warn({ err: error }, 'watcher')
    })
    await new Promise<void>((resolve) => events.once('ready', () => resolve()))
    this.#reason = 'watching the model store'
    this.#later('scan', { ms: 0, work: () => this.#rescan() })
  }

  /** Waits for work that has begun. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#reason = 'stopped'
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
    await this.#events?.close()
    await Promise.all(this.#running.values())
    await this.#inbox.whenIdle()
  }

  #look(work: Work | undefined): void {
    if (work?.kind === 'inbox') {
      this.#later('inbox', { ms: SETTLE_MS, work: () => this.#scanInbox() })
    } else if (work?.kind === 'pointer') {
      this.#checkPointer(work.condition, { final: false })
    } else if (work) {
      const { ref } = work
      const key = `package ${formatVersion(ref)}`
      this.#later(key, { ms: SETTLE_MS, work: () => this.#inspectPackage(ref) })
    }
  }

  #checkPointer(condition: string, { final }: { final: boolean }): void {
    const work = async (): Promise<void> => {
      const outcome = await applyPointerEdit(this.#ctx, { condition, final })
      if (outcome === 'unreadable') this.#checkPointer(condition, { final: true })
    }
    this.#later(`pointer ${condition}`, { ms: final ? HALF_WRITTEN_MS : SETTLE_MS, work })
  }

  async #scanInbox(): Promise<void> {
    const { again } = await this.#inbox.scan()
    if (again) this.#later('inbox', { ms: AGAIN_MS, work: () => this.#scanInbox() })
  }

  async #inspectPackage(ref: VersionRef): Promise<void> {
    // Files that vanish with their disk are not damage.
    if (!isStoreThere(this.#ctx.store)) return
    const version = await findVersion(this.#ctx.db, ref)
    if (!version) await adoptPackages(this.#ctx)
    else if (version.status !== 'deleted') await this.#verify(version)
  }

  async #verify(version: Version): Promise<void> {
    const { ok, detail } = await verifyOne(this.#ctx, version)
    if (!ok) this.#ctx.log.warn({ version: version.id, detail }, 'a package is damaged')
    else if (version.status === 'quarantined') {
      this.#ctx.log.info({ version: version.id }, 'a damaged package is intact again')
    }
  }

  async #rescan(): Promise<void> {
    this.#later('scan', { ms: this.#rescanMs, work: () => this.#rescan() })
    if (!this.#seesStore()) return
    for (const { id } of await listConditions(this.#ctx.db)) {
      this.#checkPointer(id, { final: false })
    }
    this.#later('inbox', { ms: 0, work: () => this.#scanInbox() })
    await adoptPackages(this.#ctx)
    await this.#checkActive()
    await this.#checkQuarantined()
  }

  /** While the disk with the store is gone nothing is looked at: what answers does so from private copies. */
  #seesStore(): boolean {
    const { db, store, log } = this.#ctx
    const isThere = isStoreThere(store)
    const sentence =
      'The model store (ROENTGEN_MODELS) is gone, as when its disk is no longer mounted. What is active goes on answering; everything is looked at again by itself once the store is back.'
    if (setWarning(db, 'store', isThere ? null : sentence)) log.warn({ isThere }, 'model store')
    return isThere
  }

  /** One that was damaged or missing is hashed again when its files are not as they were: its disk may be back. */
  async #checkQuarantined(): Promise<void> {
    for (const version of await presentVersions(this.#ctx.db)) {
      if (version.status !== 'quarantined') continue
      const stamp = await this.#stampOf(version)
      const before = this.#stamps.get(`quarantined ${version.id}`)
      this.#stamps.set(`quarantined ${version.id}`, stamp)
      if (before !== stamp && !stamp.includes('undefined')) await this.#verify(version)
    }
  }

  /** Hashes an active package again when sizes or times of its files are not as they were. */
  async #checkActive(): Promise<void> {
    for (const { version } of await listActive(this.#ctx.db)) {
      const stamp = await this.#stampOf(version)
      const before = this.#stamps.get(version.id)
      this.#stamps.set(version.id, stamp)
      if (before !== undefined && before !== stamp) await this.#verify(version)
    }
  }

  async #stampOf(version: Version): Promise<string> {
    const dir = packageDir(this.#ctx.store, version)
    const stamps = []
    for (const { path } of [...version.files, { path: 'manifest.json' }]) {
      const found = await stat(join(dir, path)).catch(() => undefined)
      stamps.push(`${found?.size} ${found?.mtimeMs} ${found?.ctimeMs}`)
    }
    return stamps.join('\n')
  }

  /** Runs `work` after `ms`; the same key waits once, never runs beside itself, and a failure ends nothing. */
  #later(key: string, { ms, work }: { ms: number; work: () => Promise<void> }): void {
    if (this.#stopped || this.#timers.has(key)) return
    const timer = setTimeout(() => {
      this.#timers.delete(key)
      const before = this.#running.get(key) ?? Promise.resolve()
      const mine = before.then(async () => {
        if (this.#stopped) return
        await work().catch((error) => this.#ctx.log.error({ err: error, key }, 'watcher'))
      })
      this.#running.set(key, mine)
      void mine.then(() => this.#running.get(key) === mine && this.#running.delete(key))
    }, ms)
    this.#timers.set(key, timer)
  }
}
