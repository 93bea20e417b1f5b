// One version that can answer: its host now, the next one when that dies, and the requests that hold it.
// Which version answers for a condition, and when one is let go, is runtime.ts.
import { setTimeout as delay } from 'node:timers/promises'
import { AppError, isAppError, messageOf } from '../errors.ts'
import type { Precision } from '../package/schema.ts'
import { BackOff } from './host/back-off.ts'
import { Excesses } from './host/excesses.ts'
import { isExcess } from './host/host-errors.ts'
import type { HostFault, ModelHost } from './host/model-host.ts'
import type { RawOutput, RawScores } from './host/raw-output.ts'
import type { ServingCopy, ServingSource } from './host/serving-copy.ts'
import { type HostSettings, type StartedHost, startHost } from './host/start-host.ts'
import { hostForRequest } from './host-for-request.ts'
import type { InferenceQueue, TurnOptions } from './inference-queue.ts'
import type { InferOptions, MaskedOptions } from './lease.ts'
import type { RuntimeLog } from './runtime-log.ts'

export interface ServedVersionOptions {
  readonly source: ServingSource
  readonly openCopy: (source: ServingSource) => Promise<ServingCopy>
  readonly queue: InferenceQueue
  readonly settings: HostSettings
  /** How long a request waits for a host that is being loaded. */
  readonly loadWaitMs: number
  readonly log: RuntimeLog
  /** A host has been loaded, the first or a later one. */
  readonly onReady: () => void
  /** A host was started in place of one that had ended. */
  readonly onRestart: () => void
}

/**
 * `candidate`: on its way through the gate; `challenger`: beside the active one; `previous`: kept warm for a rollback; `requested`: asked for by name;
 * `retired`: takes no new requests and ends with its last one.
 */
export type Role = 'candidate' | 'active' | 'challenger' | 'previous' | 'requested' | 'retired'
export type ServedState = 'starting' | 'ready' | 'draining' | 'ended' | 'failed'

/** Tries of one request at most, those that never began on a host included. */
const MAX_TRIES = 10

export class ServedVersion {
  readonly source: ServingSource
  role: Role
  /** Why the package on disk is called damaged; null while it is not. */
  damage: string | null = null
  lastUsedAt = Date.now()
  readonly #options: ServedVersionOptions
  readonly #stopping = new AbortController()
  readonly #backOff = new BackOff()
  #started: StartedHost | undefined
  #starting: Promise<ModelHost> | undefined
  readonly #excesses = new Excesses()
  #lastFailure: string | undefined
  #starts = 0
  #leases = 0
  #drained: (() => void)[] = []

  constructor(options: ServedVersionOptions, role: Role) {
    this.#options = options
    this.source = options.source
    this.role = role
  }

  /** Of the graph that it has loaded or loads. */
  get precision(): Precision {
    return this.source.precision ?? 'float32'
  }

  get leases(): number {
    return this.#leases
  }

  get pid(): number | null {
    return this.isReady ? (this.#started?.host.pid ?? null) : null
  }

  get rssBytes(): number {
    return this.#started?.host.rssBytes ?? 0
  }

  get restarts(): number {
    return Math.max(0, this.#starts - 1)
  }

  get isReady(): boolean {
    return this.#started?.host.state === 'ready'
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted
  }

  /** It took too much twice: it is not run any more. */
  get #isSetAside(): boolean {
    return this.#excesses.isTooMany
  }

  get state(): ServedState {
    if (this.#isStopped) return 'ended'
    const leaving = this.role === 'previous' || this.role === 'retired'
    if (this.isReady) return leaving && this.#leases > 0 ? 'draining' : 'ready'
    return this.#isSetAside || this.#backOff.failures > 1 ? 'failed' : 'starting'
  }

  get reason(): string {
    switch (this.state) {
      case 'ended':
        return 'No longer needed.'
      case 'draining':
        return 'Finishing requests in progress.'
      case 'ready':
        return this.damage ?? 'Loaded.'
      default:
        return this.#lastFailure ?? 'Loading.'
    }
  }

  /** What it was loaded from, also while its host is being started again. @throws AppError `unavailable` before that */
  get loaded(): Pick<StartedHost, 'copy' | 'config'> {
    if (this.#started) return this.#started
    throw new AppError('unavailable', `${this.source.id} is not loaded.`)
  }

  /** Loads it; a second call joins the first. @throws AppError `hash-mismatch`, `load-failed`, `unavailable` */
  async start(): Promise<void> {
    await this.#ready()
  }

  /** Loads it however often it takes, with growing pauses, while it answers or challenges. */
  async keepAlive(): Promise<void> {
    const isWanted = () => this.role === 'active' || this.role === 'challenger'
    while (isWanted() && !this.#isStopped && !this.#isSetAside) {
      // A failure is logged and its pause kept in #restart.
      const host = await this.#ready().catch(() => undefined)
      if (host) return
    }
  }

  /** Waits until it was loaded once. @throws AppError `loading` after the wait; why not, when loading failed */
  async whenLoaded(): Promise<void> {
    if (!this.#started || this.#isSetAside) await this.#readyInTime()
  }

  /** Counts a request in; the function that is returned counts it out, once. */
  acquire(): () => void {
    this.#leases += 1
    this.lastUsedAt = Date.now()
    let held = true
    return () => {
      if (!held) return
      held = false
      this.#leases -= 1
      this.lastUsedAt = Date.now()
      if (this.#leases > 0) return
      for (const resolve of this.#drained.splice(0)) resolve()
    }
  }

  /** Resolves when no request holds it. */
  async whenDrained(): Promise<void> {
    while (this.#leases > 0) await new Promise<void>((resolve) => this.#drained.push(resolve))
  }

  infer(tensor: Float32Array, { explain = false, signal }: InferOptions = {}): Promise<RawOutput> {
    return this.#onHost((host) => host.infer(tensor, { explain, signal }), { signal })
  }

  /** As `infer`, before any waiting request: for the checks of a version that is to answer. */
  inferUrgently(tensor: Float32Array): Promise<RawOutput> {
    return this.#onHost((host) => host.infer(tensor, { explain: false }), { urgent: true })
  }

  /** As `infer`, while no request runs or waits: for a challenger in shadow. */
  inferInBackground(tensor: Float32Array, signal?: AbortSignal): Promise<RawOutput> {
    const turn = { background: true, signal }
    return this.#onHost((host) => host.infer(tensor, { explain: false }), turn)
  }

  inferMasked(tensor: Float32Array, o: MaskedOptions): Promise<RawScores[]> {
    return this.#onHost((host) => host.inferMasked(tensor, o), { signal: o.signal })
  }

  /** Ends its host at once. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#starting?.catch(() => undefined)
    await this.#started?.host.stop()
  }

  /** A request whose host dies under it is tried once more on the next host; one that had not begun is not counted. */
  async #onHost<T>(run: (host: ModelHost) => Promise<T>, turn: TurnOptions): Promise<T> {
    let lost = 0
    for (let tries = 1; ; tries++) {
      const host = await hostForRequest(() => this.#readyInTime(), {
        id: this.source.id,
        isByName: this.role === 'requested',
        isStopped: () => this.#isStopped,
      })
      let began = false
      const task = () => {
        began = host.state === 'ready'
        return run(host)
      }
      try {
        const { queue } = this.#options
        const answer = turn.background
          ? await queue.runWhenIdle(task, turn)
          : await queue.run(task, { ...turn, key: this, urgent: turn.urgent ?? tries > 1 })
        this.#backOff.succeeded()
        return answer
      } catch (error) {
        if (turn.signal?.aborted || isExcess(error)) throw error
        if (began) lost += 1
        const mayRetry = host.state !== 'ready' && !this.#isStopped
        if (!mayRetry || lost > 1 || tries === MAX_TRIES) throw error
      }
    }
  }

  async #readyInTime(): Promise<ModelHost> {
    const timer = new AbortController()
    const { loadWaitMs } = this.#options
    const tooLate = delay(loadWaitMs, undefined, { signal: timer.signal }).then(() => {
      const message = `${this.source.id} is still being loaded; try again in a moment.`
      throw new AppError('loading', message, { retryAfterSeconds: 5 })
    })
    try {
      return await Promise.race([this.#ready(), tooLate])
    } finally {
      tooLate.catch(() => {})
      timer.abort()
    }
  }

  #ready(): Promise<ModelHost> {
    if (this.#started?.host.state === 'ready') return Promise.resolve(this.#started.host)
    if (this.#isSetAside) return Promise.reject(this.#setAside())
    this.#starting ??= this.#restart().finally(() => {
      this.#starting = undefined
    })
    return this.#starting
  }

  async #restart(): Promise<ModelHost> {
    const { log, source } = this.#options
    const { signal } = this.#stopping
    try {
      await delay(this.#backOff.waitMs, undefined, { signal })
      const onCrash = (reason: string, fault: HostFault) => this.#crashed(reason, fault)
      this.#started = await startHost({ ...this.#options, signal, onCrash })
      const { host } = this.#started
      this.#lastFailure = undefined
      this.#starts += 1
      log.info({ version: source.id, pid: host.pid, rssBytes: host.rssBytes }, 'model host ready')
      this.#options.onReady()
      if (this.#starts > 1) this.#options.onRestart()
      return host
    } catch (error) {
      if (this.#isStopped) throw new AppError('unavailable', `${source.id} is no longer loaded.`)
      this.#fail(messageOf(error))
      log.warn({ version: source.id, err: error }, 'model host could not be started')
      if (isAppError(error)) throw error
      throw new AppError('load-failed', `${source.id} could not be loaded.`, { cause: error })
    }
  }

  #crashed(reason: string, fault: HostFault): void {
    // While starting, #restart tells of it.
    if (this.#isStopped || this.#starting) return
    const { log } = this.#options
    if (fault === 'excess') this.#excesses.add()
    this.#fail(this.#isSetAside ? this.#setAside().message : reason)
    const version = this.source.id
    if (this.#isSetAside)
      log.error({ version, reason }, 'version set aside: it took too much twice')
    else log.warn({ version, reason }, 'model host ended unexpectedly')
    void this.keepAlive()
  }

  #setAside(): AppError {
    const message =
      `${this.source.id} is set aside: twice within an hour it took too long or too much memory. ` +
      'Roll back, or activate another version; activating it again gives it another chance.'
    return new AppError('unavailable', message, { retryAfterSeconds: 60 })
  }

  #fail(reason: string): void {
    this.#lastFailure = reason
    this.#backOff.failed()
  }
}
