// A training as a child process: forked, put at the lowest priority, listened to, ended. Its crash or memory is its own.
import { type ChildProcess, fork } from 'node:child_process'
import { constants, setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { AppError, ERROR_CODES, type ErrorCode } from '../errors.ts'
import type { TrainingCommand, TrainingJob, TrainingMessage, TrainingSummary } from './job.ts'

const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url))
/** So much of what the process said last is kept as the reason of a failure. */
const KEPT_BYTES = 8 * 1024
const TERMINATE_AFTER_MS = 20_000

export interface TrainingProcessOptions {
  readonly onMessage?: (message: TrainingMessage) => void
  /** Everything that it prints. */
  readonly onOutput?: (text: string) => void
}

export class TrainingProcess {
  readonly #child: ChildProcess
  readonly #options: TrainingProcessOptions
  /** The finished training. @throws AppError with the reason in one sentence */
  readonly result: Promise<TrainingSummary>
  #lastWords = ''
  #isEnding = false
  #timer: NodeJS.Timeout | undefined

  constructor(job: TrainingJob, options: TrainingProcessOptions = {}) {
    this.#options = options
    this.#child = fork(WORKER, [], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: [] })
    if (this.#child.pid !== undefined) lowerPriority(this.#child.pid)
    this.#child.stdout?.on('data', (data: Buffer) => this.#hear(data))
    this.#child.stderr?.on('data', (data: Buffer) => this.#hear(data))
    this.result = this.#listen()
    this.#tell({ type: 'start', job })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** The last 8 KiB that the process printed. */
  get lastWords(): string {
    return this.#lastWords
  }

  /** Waits after the running batch, or file that is prepared, until `goOn`. */
  pause(): void {
    this.#tell({ type: 'pause' })
  }

  goOn(): void {
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

  #hear(data: Buffer): void {
    const text = data.toString()
    this.#lastWords = (this.#lastWords + text).slice(-KEPT_BYTES)
    this.#options.onOutput?.(text)
  }

  #listen(): Promise<TrainingSummary> {
    const { promise, resolve, reject } = Promise.withResolvers<TrainingSummary>()
    let failure: AppError | undefined
    let summary: TrainingSummary | undefined
    this.#child.on('message', (message: TrainingMessage) => {
      if (message.type === 'finished') summary = message.summary
      if (message.type === 'failed') failure = new AppError(codeOf(message.code), message.message)
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

  #died(code: number | null, signal: NodeJS.Signals | null): AppError {
    const cause = new Error(`exit status ${code}, signal ${signal}\n${this.#lastWords}`)
    const starved = !this.#isEnding && isMemoryDeath(signal, this.#lastWords)
    const message = starved
      ? 'The training process was killed, most likely for want of memory: choose a smaller batch or image size.'
      : 'The training process ended unexpectedly; its log has its last words.'
    return new AppError('internal', message, { cause, extra: { starved } })
  }
}

/** The system kills what takes too much memory (SIGKILL); V8 and native code give up with these words. */
function isMemoryDeath(signal: NodeJS.Signals | null, lastWords: string): boolean {
  return (
    signal === 'SIGKILL' || /heap out of memory|bad_alloc|Cannot allocate memory/i.test(lastWords)
  )
}

function codeOf(code: string): ErrorCode {
  return Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'internal'
}

/** Serving goes first on the same cores. Not allowed everywhere, and never a reason to fail. */
function lowerPriority(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW)
  } catch {
    // It trains at normal priority then.
  }
}
