// One model host: starts the child process of host.ts, loads one graph, runs it, and knows why it ended.
// Never restarts itself; that is served-version.ts.
import type { ChildProcess } from 'node:child_process'
import { AppError } from '../../errors.ts'
import { TextTail } from '../../processes/text-tail.ts'
import { forkHost } from './fork-host.ts'
import type { FromHost, HostError, LoadRequest, ToHost } from './host-messages.ts'
import type { Patch, RawOutput, RawScores } from './raw-output.ts'

export interface ModelHostOptions {
  /** `condition/name@n`, for sentences. */
  readonly id: string
  readonly load: Omit<LoadRequest, 'kind'>
  readonly loadTimeoutMs: number
  readonly inferTimeoutMs: number
  /** See fork-host.ts. */
  readonly compileCacheDir: string
  readonly copyDir: string
  readonly maxDataBytes?: number
  /** Called once, when a host that had started is gone without having been stopped. */
  readonly onCrash?: (reason: string) => void
}

export type HostState = 'starting' | 'ready' | 'ended' | 'failed'

interface Pending {
  readonly resolve: (message: FromHost) => void
  readonly reject: (error: AppError) => void
  readonly timer: NodeJS.Timeout
}

const STDERR_BYTES = 8192
/** Key of the load request among the pending ones; runs count from 1. */
const LOAD_ID = 0

export class ModelHost {
  readonly #options: ModelHostOptions
  readonly #pending = new Map<number, Pending>()
  readonly #stderr = new TextTail(STDERR_BYTES)
  #child: ChildProcess | undefined
  #exited: Promise<void> = Promise.resolve()
  #state: HostState = 'starting'
  #reason = 'The process is starting.'
  #rssBytes = 0
  #nextId = 1

  constructor(options: ModelHostOptions) {
    this.#options = options
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
    const { compileCacheDir, copyDir, maxDataBytes } = this.#options
    const child = forkHost({ compileCacheDir, copyDir, ...(maxDataBytes && { maxDataBytes }) })
    this.#child = child
    child.stderr?.on('data', (chunk: Buffer) => this.#stderr.push(chunk))
    child.on('message', (message: FromHost) => this.#receive(message))
    this.#exited = new Promise((resolve) => {
      // `close` comes after the last of stderr, so that the reason is complete.
      child.once('close', (code, signal) => {
        this.#end(`The host process ended (${signal ?? `exit code ${code}`}).`)
        resolve()
      })
      child.once('error', (error) => {
        this.#end(`The host process could not be started: ${error.message}`)
        if (child.pid === undefined) resolve()
      })
    })
    const { load, loadTimeoutMs } = this.#options
    const answer = await this.#ask({ kind: 'load', ...load }, loadTimeoutMs)
    if (answer.kind !== 'loaded') throw this.#fail('The host answered out of turn.')
    this.#state = 'ready'
    this.#reason = 'It is loaded and answers.'
    this.#rssBytes = answer.rssBytes
  }

  /** @throws AppError `unavailable` when the host ends or hangs meanwhile, `internal` when the graph cannot run */
  async infer(
    tensor: Float32Array,
    { explain }: { readonly explain: boolean },
  ): Promise<RawOutput> {
    const request = { kind: 'infer', id: this.#nextId++, tensor, explain } as const
    const answer = await this.#ask(request, this.#options.inferTimeoutMs)
    if (answer.kind !== 'output') throw this.#fail('The host answered out of turn.')
    this.#rssBytes = answer.rssBytes
    return answer.raw
  }

  /** One row of scores for each patch hidden. Errors as `infer`. */
  async inferMasked(
    tensor: Float32Array,
    o: { readonly patches: readonly Patch[]; readonly fill: readonly number[] },
  ): Promise<RawScores[]> {
    const request = { kind: 'masked', id: this.#nextId++, tensor, ...o } as const
    const timeoutMs = this.#options.inferTimeoutMs * Math.max(1, o.patches.length / 4)
    const answer = await this.#ask(request, timeoutMs)
    if (answer.kind !== 'rows') throw this.#fail('The host answered out of turn.')
    this.#rssBytes = answer.rssBytes
    return [...answer.rows]
  }

  /** Ends the process; what is in flight fails with `unavailable`. Safe to call twice. */
  async stop(reason = 'It is no longer needed.'): Promise<void> {
    if (!this.#hasEnded) {
      this.#state = 'ended'
      this.#reason = reason
      this.#rejectAll()
    }
    this.#child?.kill('SIGKILL')
    await this.#exited
  }

  #ask(message: ToHost, timeoutMs: number): Promise<FromHost> {
    if (this.#hasEnded || !this.#child) return Promise.reject(this.#gone())
    const child = this.#child
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#fail(`The host did not answer within ${Math.round(timeoutMs / 1000)} s.`)
      }, timeoutMs)
      this.#pending.set('id' in message ? message.id : LOAD_ID, { resolve, reject, timer })
      // A failed send means that the process is going: its end rejects all that is pending.
      child.send(message, () => {})
    })
  }

  #receive(message: FromHost): void {
    if (message.kind === 'hello') return
    const id = 'id' in message ? message.id : LOAD_ID
    const pending = this.#pending.get(id)
    if (!pending) return
    clearTimeout(pending.timer)
    this.#pending.delete(id)
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
    return this.#gone()
  }

  #end(what: string): void {
    if (this.#hasEnded) return
    const wasReady = this.#state === 'ready'
    const said = this.#stderr.lastLine()
    this.#state = 'failed'
    this.#reason = said === '' ? what : `${what} It last said: ${said}`
    this.#rejectAll()
    if (wasReady) this.#options.onCrash?.(this.#reason)
  }

  #rejectAll(): void {
    for (const [id, { reject, timer }] of this.#pending) {
      clearTimeout(timer)
      reject(id === LOAD_ID ? this.#notLoaded() : this.#gone())
    }
    this.#pending.clear()
  }

  #notLoaded(): AppError {
    const message = `${this.#options.id} could not be loaded: its process ended while loading.`
    return new AppError('load-failed', message, { cause: this.#cause() })
  }

  #gone(): AppError {
    const message = `The process of ${this.#options.id} ended before it had answered; please try again.`
    return new AppError('unavailable', message, { cause: this.#cause(), retryAfterSeconds: 1 })
  }

  #cause(): Error {
    return new Error(`${this.#reason}\n${this.#stderr.text()}`.trim())
  }
}

function asAppError({ code, message, cause }: HostError): AppError {
  return new AppError(code, message, { cause: new Error(cause) })
}
