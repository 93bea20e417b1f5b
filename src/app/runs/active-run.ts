// The run that is under way: its process is begun, paused and ended here, the finished package becomes a version, and what
// the process says becomes progress, events and signs of life for the watchdog of its job.
import { setTimeout as after } from 'node:timers/promises'
import type { RegistryContext } from '../../registry/home/registry-context.ts'
import type { RunProgress } from '../../registry/runs/run-record.ts'
import { changeRun, type Run } from '../../registry/runs/runs.ts'
import { type AddedVersion, addVersion } from '../../registry/versions/add-version.ts'
import type { TrainingMessage } from '../../training/job.ts'
import { logLine } from '../../training/log-line.ts'
import { type TrainRequest, trainOnce } from '../../training/train-once.ts'
import { type TrainingProcess, wasInterrupted } from '../../training/training-process.ts'
import { JobEnd, type JobRun } from '../jobs/job-kind.ts'
import { progressed } from './run-progress.ts'

export interface ActiveRunOptions {
  readonly run: Run
  readonly job: JobRun<unknown>
  readonly context: RegistryContext
}

/** Batches of a small network take milliseconds; nobody can read them all. */
const BATCH_EVERY_MS = 250

export class ActiveRun {
  readonly id: string
  readonly #options: ActiveRunOptions
  #progress: RunProgress
  #process: TrainingProcess | undefined
  #phaseFrom = performance.now()
  #told = 0
  /** What is to be written, in order. */
  #writing: Promise<void> = Promise.resolve()
  #isHeld = false
  #isPaused = false
  #waking: (() => void)[] = []
  readonly #ended = Promise.withResolvers<void>()

  constructor(options: ActiveRunOptions) {
    this.#options = options
    this.id = options.run.id
    this.#progress = { ...options.run.progress, phase: null, etaSeconds: null, batch: 0 }
  }

  get progress(): RunProgress {
    return this.#progress
  }

  /** Trains and adds the version. @throws AppError the reason of its failure; also when the job is told to end */
  async train(request: TrainRequest): Promise<AddedVersion> {
    const { context, job } = this.#options
    const { signal, by, via } = job
    const kill = (): void => this.#process?.kill()
    signal.addEventListener('abort', kill)
    try {
      const { packageDir: fromDir } = await trainOnce(request, {
        store: context.store,
        onMessage: (message) => this.#receive(message),
        onProcess: (process) => {
          this.#process = process
          if (signal.aborted) process.kill()
          else if (this.#isHeld) process.pause()
        },
        // A checkpoint to resume from, unless nobody wants it any more.
        keepsWork: (error) =>
          signal.reason instanceof JobEnd
            ? signal.reason.why !== 'cancelled'
            : wasInterrupted(error),
      })
      const added = await addVersion(context, { fromDir, actor: { by, via } })
      context.log.info({ version: added.version.id }, 'training finished')
      return added
    } finally {
      signal.removeEventListener('abort', kill)
      this.#process = undefined
    }
  }

  /** Waits after the running batch; fulfilled when it does, or after a while. */
  async pause(waitMs: number): Promise<void> {
    this.#isHeld = true
    this.#process?.pause()
    await this.#until(() => this.#isPaused, waitMs)
  }

  async resume(waitMs: number): Promise<void> {
    this.#isHeld = false
    this.#process?.resume()
    await this.#until(() => !this.#isPaused, waitMs)
  }

  /** Ends after the running batch; the best epoch so far becomes a version. */
  stopAndKeepBest(): void {
    this.#process?.stopAndKeepBest()
  }

  /** A line of its log. */
  say(text: string): Promise<void> {
    return this.#then(() => this.#options.job.log(text))
  }

  /** All that was heard is written; nobody waits for it any more. */
  async end(): Promise<void> {
    this.#write()
    await this.#writing
    this.#ended.resolve()
    this.#wake()
  }

  /** Of the training process. */
  #receive(message: TrainingMessage): void {
    const { job } = this.#options
    const before = this.#progress
    this.#progress = progressed(before, message)
    this.#feedWatchdog(message)
    if (message.type === 'phase') this.#enter(before)
    if (message.type === 'finished') this.#endPhase(before.phase)
    if (message.type === 'paused') this.#pause(message.paused)
    if (message.type === 'thermal') this.#state(message.sentence)
    if (message.type === 'batch') this.#pass(message)
    if (message.type === 'epoch') {
      const { record, best } = message
      const data = { ...record, best, notes: this.#progress.notes }
      void this.#then(() => job.event('epoch', data))
      this.#write()
    }
    if (message.type === 'resumed') {
      const same =
        message.differs.length === 0
          ? 'bit-exact'
          : `not bit-exact; changed: ${message.differs.join(', ')}`
      const within = message.batches > 0 ? ` and ${message.batches} batches of the next` : ''
      void this.say(`resumed after epoch ${message.epoch}${within}, ${same}`)
    }
    const line = logLine(message)
    if (line !== undefined) void this.say(line)
  }

  /** That the process still uses memory is no sign that it trains. */
  #feedWatchdog(message: TrainingMessage): void {
    const { job } = this.#options
    if (message.type === 'resources') return
    const rests =
      (message.type === 'paused' && message.paused) ||
      (message.type === 'thermal' && message.sentence !== null)
    if (rests || this.#isPaused) job.sleep()
    else if (message.type === 'epoch') job.progress(message.record.epoch, message.epochs)
    else job.alive()
  }

  async #until(isSo: () => boolean, ms: number): Promise<void> {
    const late = new AbortController()
    const timer = after(ms, undefined, { signal: late.signal }).catch(() => {})
    const change = new Promise<void>((resolve) => this.#waking.push(resolve))
    if (!isSo()) await Promise.race([change, timer, this.#ended.promise])
    late.abort()
    await this.#writing
  }

  #wake(): void {
    for (const wake of this.#waking.splice(0)) wake()
  }

  #enter(before: RunProgress): void {
    this.#endPhase(before.phase)
    this.#state(null)
  }

  #endPhase(phase: RunProgress['phase']): void {
    const now = performance.now()
    if (phase !== null) {
      const { phases: before } = this.#progress
      const seconds = (before[phase] ?? 0) + (now - this.#phaseFrom) / 1000
      const phases = { ...before, [phase]: Number(seconds.toFixed(2)) }
      this.#progress = { ...this.#progress, phases }
    }
    this.#phaseFrom = now
  }

  #pause(paused: boolean): void {
    this.#isPaused = paused
    this.#state(paused ? 'Paused by user.' : null)
    this.#wake()
  }

  #state(reason: string | null): void {
    const { phase } = this.#progress
    const busy = phase === 'preparing' ? 'preparing' : 'running'
    const state = this.#isPaused ? 'paused' : 'running'
    const detail = { state: this.#isPaused ? 'paused' : busy, phase }
    this.#write()
    void this.#then(() => this.#options.job.mark(state, { reason, detail }))
  }

  #pass(message: Extract<TrainingMessage, { type: 'batch' }>): void {
    const now = performance.now()
    if (now - this.#told < BATCH_EVERY_MS && message.batch < message.batches) return
    this.#told = now
    const { type: _, ...figures } = message
    const { memoryBytes, cpuSeconds, use } = this.#progress
    void this.#then(async () => {
      this.#options.job.pass('batch', { ...figures, memoryBytes, cpuSeconds, use })
    })
  }

  #write(): void {
    const { db } = this.#options.context
    const progress = this.#progress
    void this.#then(() => changeRun(db, this.id, { progress }))
  }

  #then(work: () => Promise<void>): Promise<void> {
    const { log } = this.#options.context
    const done = this.#writing.then(work).catch((error: unknown) => {
      log.error({ err: error, run: this.id }, 'what a run said could not be kept')
    })
    this.#writing = done
    return done
  }
}
