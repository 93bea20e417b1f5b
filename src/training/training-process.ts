// A training as a child process: put at the lowest priority, listened to, ended. Its crash or memory is its own.
import type { ChildProcess } from 'node:child_process'
import { AppError, ERROR_CODES, type ErrorCode, isAppError } from '../errors.ts'
import { memoryDeath, memoryKills, overLimit } from '../processes/memory-death.ts'
import { startChild } from '../processes/start-child.ts'
import type { TextTail } from '../processes/text-tail.ts'
import type { TrainingCommand, TrainingJob, TrainingMessage, TrainingSummary } from './job.ts'

const WORKER = new URL('./worker.ts', import.meta.url)
const TERMINATE_AFTER_MS = 20_000

export interface TrainingProcessOptions {
  readonly onMessage?: (message: TrainingMessage) => void
  /** Everything that it prints. */
  readonly onOutput?: (text: string) => void
  /** It is ended when it takes more; no limit by default. */
  readonly memoryLimitBytes?: number
}

/** It ended without a word of its own, or was ended: its last checkpoint is good, and it can be resumed. */
export function wasInterrupted(error: unknown): boolean {
  return isAppError(error) && error.extra.interrupted === true
}

/** Memory was the reason. */
export function wasStarved(error: unknown): boolean {
  return isAppError(error) && error.extra.starved === true
}

export class TrainingProcess {
  readonly #child: ChildProcess
  readonly #options: TrainingProcessOptions
  /** The finished training. @throws AppError with the reason in one sentence */
  readonly result: Promise<TrainingSummary>
  readonly #lastOutput: TextTail
  #isEnding = false
  /** Why it was ended by us. */
  #overLimit: string | undefined
  readonly #killsBefore = memoryKills()
  #timer: NodeJS.Timeout | undefined

  constructor(job: TrainingJob, options: TrainingProcessOptions = {}) {
    this.#options = options
    const { process: child, lastOutput } = startChild({
      module: WORKER,
      lowPriority: true,
      messages: 'json',
      output: 'all',
      ...(options.onOutput && { onOutput: options.onOutput }),
    })
    this.#child = child
    this.#lastOutput = lastOutput
    this.result = this.#listen()
    this.#tell({ type: 'start', job })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** The last 8 KiB that the process printed. */
  get exitReason(): string {
    return this.#lastOutput.text()
  }

  /** Waits after the running batch, or file that is prepared, until `resume`. */
  pause(): void {
    this.#tell({ type: 'pause' })
  }

  resume(): void {
    this.#tell({ type: 'go on' })
  }

  /** Ends at once, as by an accident: its last checkpoint is what remains. */
  kill(): void {
    this.#isEnding = true
    this.#child.kill('SIGKILL')
  }

  /** Ends after the running batch and keeps the best so far. */
  stopAndKeepBest(): void {
    this.#tell({ type: 'stop' })
  }

  /** Ends without a package; by force when it does not listen. Twice is safe. */
  cancel(): void {
    this.#tell({ type: 'cancel' })
    this.#timer ??= setTimeout(() => this.kill(), TERMINATE_AFTER_MS).unref()
  }

  #tell(command: TrainingCommand): void {
    if (this.#child.connected) this.#child.send(command, () => {})
  }

  #listen(): Promise<TrainingSummary> {
    const { promise, resolve, reject } = Promise.withResolvers<TrainingSummary>()
    let failure: AppError | undefined
    let summary: TrainingSummary | undefined
    this.#child.on('message', (message: TrainingMessage) => {
      if (message.type === 'finished') summary = message.summary
      if (message.type === 'failed') failure = this.#failed(message)
      if (message.type === 'resources') this.#checkMemory(message.memoryBytes)
      this.#options.onMessage?.(message)
    })
    this.#child.on('error', (error) => {
      failure ??= new AppError('internal', 'The training process could not be started.', {
        cause: error,
      })
      if (this.#child.pid === undefined) reject(failure)
    })
    this.#child.on('close', (code, signal) => {
      clearTimeout(this.#timer)
      if (summary && !failure) resolve(summary)
      else reject(failure ?? this.#died(code, signal))
    })
    return promise
  }

  #failed({ code, message }: Extract<TrainingMessage, { type: 'failed' }>): AppError {
    const death = memoryDeath({ signal: null, exitReason: message, ...this.#kills() })
    if (!death) return new AppError(codeOf(code), message)
    const extra = { starved: true, interrupted: true }
    return new AppError('internal', death, { cause: new Error(message), extra })
  }

  #checkMemory(usedBytes: number): void {
    const { memoryLimitBytes = 0 } = this.#options
    if (memoryLimitBytes === 0 || usedBytes <= memoryLimitBytes) return
    this.#overLimit ??= overLimit(usedBytes, memoryLimitBytes)
    this.kill()
  }

  #died(code: number | null, signal: NodeJS.Signals | null): AppError {
    const { exitReason } = this
    const cause = new Error(`exit status ${code}, signal ${signal}\n${exitReason}`)
    const death =
      this.#overLimit ??
      (this.#isEnding ? undefined : memoryDeath({ signal, exitReason, ...this.#kills() }))
    const killed = signal === null ? 'ended unexpectedly' : `was ended by ${signal}`
    const message = death ?? `The training process ${killed}; see its log.`
    const extra = { starved: death !== undefined, interrupted: true }
    return new AppError('internal', message, { cause, extra })
  }

  #kills() {
    return { killsBefore: this.#killsBefore, killsAfter: memoryKills() }
  }
}

function codeOf(code: string): ErrorCode {
  return Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'internal'
}
