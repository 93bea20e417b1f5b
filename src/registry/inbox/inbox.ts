// models/inbox: what is dropped there is verified, registered and moved out; it becomes active under policy `follow` only.
// What is refused stays, with a `<name>.problem.txt` beside it, and is looked at again once it has changed.
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isAppError } from '../../errors.ts'
import { exists, writeFileDurably } from '../../package/durable-files.ts'
import type { RegistryContext } from '../home/registry-context.ts'
import { proveVersion, registerNew } from '../versions/add-version.ts'
import { type Registered, refusalOf } from '../versions/register-package.ts'
import type { Version } from '../versions/versions.ts'
import {
  foreignDetails,
  type InboxKind,
  type ItemOnDisk,
  isRefused,
  listItems,
  missingPart,
  PROBLEM_SUFFIX,
  zipHoldsPackage,
} from './inbox-item.ts'

export interface InboxItem {
  readonly name: string
  readonly kind: InboxKind
  /** `waiting`: still arriving. `needs-details`: a foreign model without its `<file>.json`. */
  readonly state: 'waiting' | 'needs-details' | 'refused'
  /** One sentence for a page. */
  readonly reason: string
}

export interface InboxOptions {
  /** A zip counts once it has not changed for so long. */
  readonly steadyMs?: number
  /** What is incomplete or wrong is refused once nothing in it has changed for so long; before, it may still arrive. */
  readonly quietMs?: number
  /** Makes a package folder of a foreign model and its details; without it they are refused. */
  readonly convert?: (file: string, details: unknown) => Promise<string>
  /** Packages are refused unless a key signed them that is trusted here. */
  readonly requiresTrust?: boolean | undefined
}

const ACTOR = { by: 'inbox', via: 'file' } as const

export class Inbox {
  readonly #ctx: RegistryContext
  readonly #steadyMs: number
  readonly #quietMs: number
  readonly #convert: InboxOptions['convert']
  readonly #requiresTrust: boolean | undefined
  /** Signatures of what was tried in vain, by name, so that nothing is hashed twice for the same bytes. */
  readonly #tried = new Map<string, { signature: string; reason: string }>()
  #items: readonly InboxItem[] = []
  #proving: Promise<void> = Promise.resolve()

  constructor(ctx: RegistryContext, options: InboxOptions = {}) {
    this.#ctx = ctx
    this.#steadyMs = options.steadyMs ?? 1000
    this.#quietMs = options.quietMs ?? 5000
    this.#convert = options.convert
    this.#requiresTrust = options.requiresTrust
  }

  /** As the last scan left it, for a page. */
  get items(): readonly InboxItem[] {
    return this.#items
  }

  /** Takes in what is whole. `again`: something still arrives, so scan once more soon. Not to be run twice at once. */
  async scan(): Promise<{ registered: readonly Registered[]; again: boolean }> {
    const registered: Registered[] = []
    const items: InboxItem[] = []
    for (const item of await listItems(this.#ctx.store.inboxDir)) {
      const result = await this.#handle(item)
      if ('version' in result) registered.push(result)
      else items.push(result)
    }
    this.#items = items
    await this.#forgetGone()
    for (const { version, created } of registered) {
      if (created) this.#prove(version)
    }
    // A folder without a manifest can lie here for days: its manifest makes an event.
    const again = items.some((item) => item.state === 'waiting' && item.kind !== 'folder')
    return { registered, again }
  }

  /** Resolves when what was taken in has been proved too. */
  whenIdle(): Promise<void> {
    return this.#proving
  }

  /** One after the other, behind the scan: what is dropped next is listed meanwhile. */
  #prove(version: Version): void {
    const work = () => proveVersion(this.#ctx, { version, actor: ACTOR })
    this.#proving = this.#proving.then(work).then(
      () => undefined,
      (error: unknown) => this.#ctx.log.error({ err: error }, 'a version from the inbox'),
    )
  }

  async #handle(item: ItemOnDisk): Promise<Registered | InboxItem> {
    const { name, kind } = item
    if (await isRefused(item)) {
      const reason = (await readFile(item.path + PROBLEM_SUFFIX, 'utf8')).split('\n')[0] ?? ''
      return { name, kind, state: 'refused', reason }
    }
    const idleMs = Date.now() - item.changedAt
    const waiting = (reason: string): InboxItem => ({ name, kind, state: 'waiting', reason })
    if (kind === 'folder') {
      return waiting('Waiting for manifest.json.')
    }
    if (kind !== 'package' && idleMs < this.#steadyMs) return waiting('Still being copied.')
    const tried = this.#tried.get(name)
    if (tried?.signature === item.signature) {
      return idleMs < this.#quietMs ? waiting(tried.reason) : this.#refuse(item, tried.reason)
    }
    try {
      return await this.#take(item)
    } catch (error) {
      if (!isAppError(error)) this.#ctx.log.error({ err: error, item: name }, 'inbox')
      const reason = refusalOf(error)
      this.#tried.set(name, { signature: item.signature, reason })
      return idleMs < this.#quietMs ? waiting(reason) : this.#refuse(item, reason)
    }
  }

  async #take(item: ItemOnDisk): Promise<Registered | InboxItem> {
    const { name, kind, path } = item
    if (kind === 'zip' && (await zipHoldsPackage(path))) {
      const arrived = { zipPath: path, actor: ACTOR, requiresTrust: this.#requiresTrust }
      return this.#taken(item, await registerNew(this.#ctx, arrived))
    }
    if (kind !== 'package') return this.#takeForeign(item)
    const missing = await missingPart(path)
    if (missing && Date.now() - item.changedAt < this.#quietMs) {
      return { name, kind, state: 'waiting', reason: `It is still being copied: ${missing}.` }
    }
    const requiresTrust = this.#requiresTrust
    const arrived = { fromDir: path, actor: ACTOR, requiresTrust }
    return this.#taken(item, await registerNew(this.#ctx, arrived))
  }

  async #takeForeign(item: ItemOnDisk): Promise<Registered | InboxItem> {
    const { name, path, kind } = item
    const details = await foreignDetails(item)
    if (details === undefined || !this.#convert) {
      const reason = `Put ${name}.json beside it, with condition, name, classes and preprocessing.`
      return { name, kind, state: 'needs-details', reason }
    }
    const fromDir = await this.#convert(path, details)
    try {
      const arrived = { fromDir, actor: ACTOR, isForeign: true }
      return await this.#taken(item, await registerNew(this.#ctx, arrived))
    } finally {
      await rm(fromDir, { recursive: true, force: true })
    }
  }

  async #taken(item: ItemOnDisk, result: Registered): Promise<Registered> {
    await rm(item.path, { recursive: true, force: true })
    await rm(`${item.path}.json`, { force: true })
    this.#ctx.log.info({ item: item.name, version: result.version.id }, 'taken from the inbox')
    return result
  }

  async #refuse(item: ItemOnDisk, reason: string): Promise<InboxItem> {
    const text = `${reason}\nIt will be checked again when it changes.\n`
    await writeFileDurably(item.path + PROBLEM_SUFFIX, text)
    this.#ctx.log.warn({ item: item.name, reason }, 'refused in the inbox')
    return { name: item.name, kind: item.kind, state: 'refused', reason }
  }

  /** The note of a thing that is no longer there helps nobody. */
  async #forgetGone(): Promise<void> {
    const { inboxDir } = this.#ctx.store
    for (const name of await readdir(inboxDir)) {
      if (!name.endsWith(PROBLEM_SUFFIX)) continue
      const item = join(inboxDir, name.slice(0, -PROBLEM_SUFFIX.length))
      if (!(await exists(item))) await rm(join(inboxDir, name), { force: true })
    }
    for (const name of this.#tried.keys()) {
      if (!(await exists(join(inboxDir, name)))) this.#tried.delete(name)
    }
  }
}
