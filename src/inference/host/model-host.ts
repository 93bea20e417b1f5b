// One model host: starts the child process of host.ts, loads one graph, runs it within its limits, and knows why it ended.
// Never restarts itself; that is served-version.ts.
import type { ChildProcess } from 'node:child_process'
import type { AppError } from '../../errors.ts'
import { wasKilled } from '../../processes/killed.ts'
import type { TextTail } from '../../processes/text-tail.ts'
import type { MaskedWork } from '../lease.ts'
import { asAppError, excess, gone, notLoaded } from './host-errors.ts'
import type { FromHost, LoadRequest, ToHost } from './host-messages.ts'
import { startHostProcess } from './host-process.ts'
import type { Patch, RawOutput, RawScores } from './raw-output.ts'
import { LOOK_EVERY_MS, residentBytes, tookTooMuch } from './resident-memory.ts'
import { firstMemoryLimit, memoryLimit, type RunLimits, runLimits } from './run-limits.ts'

export interface ModelHostOptions {
  /** `condition/name@n`, for sentences. */
  readonly id: string
  readonly load: Omit<LoadRequest, 'kind'>
  readonly loadTimeoutMs: number
  /** Of the first run, and of any later one at most. */
  readonly inferTimeoutMs: number
  /** Of all hosts together. */
  readonly memoryBudgetBytes: number
  /** See host-process.ts. */
  readonly compileCacheDir: string
  readonly copyDir: string
  /** Called once, when a host that had started is gone without having been stopped. */
  readonly onCrash?: (reason: string, fault: HostFault) => void
}

/** Why a host is gone: by itself, ended because its model took too much, or because nobody waited for a long run any more. */
export type HostFault = 'ended' | 'excess' | 'abandoned'

export type HostState = 'starting' | 'ready' | 'ended' | 'failed'

interface Pending {
  readonly resolve: (message: FromHost) => void
  readonly reject: (error: AppError) => void
  readonly timer: NodeJS.Timeout
  readonly letGo: () => void
}

interface Patience {
  readonly timeoutMs: number
  /** Aborted: the run may take so long and no longer. */
  readonly signal?: AbortSignal | undefined
  readonly abandonedMs?: number
}

/** Key of the load request among the pending ones; runs count from 1. */
const LOAD_ID = 0
/** What Node and ONNX Runtime reserve for themselves, threads included, beside what a model may take. */
const RESERVED_BYTES = 2 ** 30

export class ModelHost {
  readonly #options: ModelHostOptions
  readonly #pending = new Map<number, Pending>()
  #stderr: TextTail | undefined
  #child: ChildProcess | undefined
  #exited: Promise<void> = Promise.resolve()
  #state: HostState = 'starting'
  #reason = 'Starting.'
  #rssBytes = 0
  #nextId = 1
  #firstRunMs: number | undefined
  #memoryLimit: number
  #watch: NodeJS.Timeout | undefined
  #fault: HostFault = 'ended'
  /** It ended by a signal that neither it nor this class gave; written here only. */
  wasKilled = false

  constructor(options: ModelHostOptions) {
    this.#options = options
    this.#memoryLimit = firstMemoryLimit(options.memoryBudgetBytes)
  }

  get limits(): RunLimits {
    return runLimits(this.#firstRunMs, this.#options.inferTimeoutMs)
  }

  /** After the first run: later ones are held to what it took. */
  learnLimits(firstRunMs: number): void {
    this.#firstRunMs = firstRunMs
    this.#memoryLimit = memoryLimit(this.#rssBytes, this.#options.memoryBudgetBytes)
  }

  get state(): HostState {
    return this.#state
  }

  /** Why it is in its state, as a sentence. */
  get reason(): string {
    return this.#reason
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Resident memory as the host last said it; 0 before it has loaded and after its end. */
  get rssBytes(): number {
    return this.#hasEnded ? 0 : this.#rssBytes
  }

  get inFlight(): number {
    return this.#pending.size
  }

  get #hasEnded(): boolean {
    return this.#state === 'ended' || this.#state === 'failed'
  }

  /** Starts the process and loads the graph. @throws AppError `hash-mismatch`, `load-failed` */
  async start(): Promise<void> {
    const { compileCacheDir, copyDir } = this.#options
    const maxDataBytes = this.#memoryLimit + RESERVED_BYTES
    const { process: child, lastOutput } = startHostProcess({
      compileCacheDir,
      copyDir,
      maxDataBytes,
    })
    this.#child = child
    this.#stderr = lastOutput
    child.on('message', (message: FromHost) => this.#receive(message))
    this.#exited = new Promise((resolve) => {
      // `close` comes after the last of stderr, so that the reason is complete.
      child.once('close', (code, signal) => {
        this.wasKilled = !this.#hasEnded && wasKilled(signal)
        this.#end(`The host process ended (${signal ?? `exit code ${code}`}).`)
        resolve()
      })
      child.once('error', (error) => {
        this.#end(`The host process could not be started: ${error.message}`)
        if (child.pid === undefined) resolve()
      })
    })
    const { load, loadTimeoutMs } = this.#options
    const answer = await this.#ask({ kind: 'load', ...load }, { timeoutMs: loadTimeoutMs })
    if (answer.kind !== 'loaded') throw this.#fail('The host sent an unexpected response.')
    this.#state = 'ready'
    this.#reason = 'Loaded.'
    this.#rssBytes = answer.rssBytes
  }

  /** @throws AppError `unavailable` when the host ends or hangs meanwhile, `internal` when the graph cannot run */
  async infer(
    tensor: Float32Array,
    { explain, signal }: { readonly explain: boolean; readonly signal?: AbortSignal | undefined },
  ): Promise<RawOutput> {
    const request = { kind: 'infer', id: this.#nextId++, tensor, explain } as const
    const { runMs: timeoutMs, abandonedMs } = this.limits
    const answer = await this.#ask(request, { timeoutMs, abandonedMs, signal })
    if (answer.kind !== 'output') throw this.#fail('The host sent an unexpected response.')
    this.#rssBytes = answer.rssBytes
    return answer.raw
  }

  /** One row of scores for each patch hidden. Errors as `infer`. */
  async inferMasked(
    tensor: Float32Array,
    o: {
      readonly patches: readonly Patch[]
      readonly fill: readonly number[]
      readonly work?: MaskedWork | undefined
      readonly signal?: AbortSignal | undefined
    },
  ): Promise<RawScores[]> {
    const { patches, fill, signal, work = { patches: patches.length, spentMs: 0 } } = o
    const request = { kind: 'masked', id: this.#nextId++, tensor, patches, fill } as const
    const timeoutMs = Math.max(1, this.limits.maskedMs(work.patches) - work.spentMs)
    const abandonedMs = Math.min(timeoutMs, this.limits.maskedMs(patches.length))
    const started = performance.now()
    const answer = await this.#ask(request, { timeoutMs, abandonedMs, signal })
    work.spentMs += performance.now() - started
    if (answer.kind !== 'rows') throw this.#fail('The host sent an unexpected response.')
    this.#rssBytes = answer.rssBytes
    return [...answer.rows]
  }

  /** Ends the process; what is in flight fails with `unavailable`. Safe to call twice. */
  async stop(reason = 'No longer needed.'): Promise<void> {
    if (!this.#hasEnded) {
      this.#state = 'ended'
      this.#reason = reason
      this.#rejectAll()
    }
    this.#child?.kill('SIGKILL')
    await this.#exited
  }

  #ask(
    message: ToHost,
    { timeoutMs, abandonedMs = timeoutMs, signal }: Patience,
  ): Promise<FromHost> {
    if (this.#hasEnded || !this.#child) return Promise.reject(gone(this.#options.id, this.#cause()))
    const child = this.#child
    const started = performance.now()
    const id = 'id' in message ? message.id : LOAD_ID
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#overran(id, timeoutMs), timeoutMs)
      const abandon = () => {
        const leftMs = Math.max(0, abandonedMs - (performance.now() - started))
        setTimeout(() => this.#abandon(id), leftMs).unref()
      }
      signal?.addEventListener('abort', abandon, { once: true })
      const letGo = () => signal?.removeEventListener('abort', abandon)
      this.#pending.set(id, { resolve, reject, timer, letGo })
      this.#watch ??= setInterval(() => void this.#checkMemory(), LOOK_EVERY_MS).unref()
      // A failed send means that the process is going: its end rejects all that is pending.
      child.send(message, () => {})
    })
  }

  #overran(id: number, timeoutMs: number): void {
    const seconds = Math.max(1, Math.round(timeoutMs / 1000))
    this.#exceeded(id, `did not finish within ${seconds} s`)
  }

  async #checkMemory(): Promise<void> {
    const pid = this.#child?.pid
    const bytes = pid === undefined ? undefined : await residentBytes(pid)
    if (bytes === undefined || bytes <= this.#memoryLimit || this.#hasEnded) return
    const [running = LOAD_ID] = this.#pending.keys()
    this.#exceeded(running, tookTooMuch(bytes, this.#memoryLimit))
  }

  /** The run that is to blame hears so; what else waits here goes to the next host. */
  #exceeded(id: number, what: string): void {
    const pending = this.#take(id)
    this.#fault = 'excess'
    this.#fail(`Its model ${what}, and was ended.`)
    const sentence = `${this.#options.id} ${what} and was ended.`
    pending?.reject(excess(id === LOAD_ID ? 'load-failed' : 'unavailable', sentence))
  }

  #abandon(id: number): void {
    const pending = this.#take(id)
    if (!pending) return
    this.#fault = 'abandoned'
    this.#fail('Nobody waited any more for a run that took long.')
    pending.reject(gone(this.#options.id, this.#cause()))
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    if (!pending) return undefined
    clearTimeout(pending.timer)
    pending.letGo()
    this.#pending.delete(id)
    if (this.#pending.size > 0) return pending
    clearInterval(this.#watch)
    this.#watch = undefined
    return pending
  }

  #receive(message: FromHost): void {
    if (message.kind === 'hello') return
    const id = 'id' in message ? message.id : LOAD_ID
    const pending = this.#take(id)
    if (!pending) return
    if (message.kind === 'run-failed') {
      pending.reject(asAppError(message.error))
    } else if (message.kind === 'load-failed') {
      this.#state = 'failed'
      this.#reason = message.error.message
      pending.reject(asAppError(message.error))
      this.#child?.kill('SIGKILL')
    } else {
      pending.resolve(message)
    }
  }

  /** A host that misbehaves is killed, not asked again. */
  #fail(reason: string): AppError {
    this.#end(reason)
    this.#child?.kill('SIGKILL')
    return gone(this.#options.id, this.#cause())
  }

  #end(what: string): void {
    if (this.#hasEnded) return
    const wasReady = this.#state === 'ready'
    const said = this.#stderr?.lastLine() ?? ''
    this.#state = 'failed'
    this.#reason = said === '' ? what : `${what} Last output: ${said}`
    this.#rejectAll()
    if (wasReady) this.#options.onCrash?.(this.#reason, this.#fault)
  }

  #rejectAll(): void {
    for (const id of [...this.#pending.keys()]) {
      const reason = id === LOAD_ID ? notLoaded : gone
      this.#take(id)?.reject(reason(this.#options.id, this.#cause()))
    }
  }

  #cause(): Error {
    return new Error(`${this.#reason}\n${this.#stderr?.text() ?? ''}`.trim())
  }
}
