// The run that is under way: its progress in memory, written to the registry at each epoch, and told to those who look on.
import { setTimeout as after } from 'node:timers/promises'
import type { RegistryContext } from '../../registry/home/registry-context.ts'
import { changeRun, type Run, type RunProgress } from '../../registry/runs/runs.ts'
import type { TrainingMessage } from '../../training/job.ts'
import { logLine } from '../../training/log-line.ts'
import type { RunFeed } from './run-feed.ts'
import { progressed } from './run-progress.ts'

export interface UnderWayOptions {
  readonly run: Run
  readonly context: Pick<RegistryContext, 'db' | 'clock' | 'log'>
  readonly feed: RunFeed
}

/** Batches of a small network take milliseconds; nobody can read them all. */
const BATCH_EVERY_MS = 250

export class ActiveRun {
  readonly id: string
  /** Fulfilled when the run has ended, whichever way. */
  readonly ended: Promise<void>
  readonly end: () => void
  readonly #options: UnderWayOptions
  #progress: RunProgress
  #phaseFrom = performance.now()
  #told = 0
  /** What is to be written, in order. */
  #writing: Promise<void> = Promise.resolve()
  #isPaused = false
  /** Before it had a process that could be told. */
  isCancelled = false
  #waking: (() => void)[] = []

  constructor(options: UnderWayOptions) {
    this.#options = options
    this.id = options.run.id
    this.#progress = { ...options.run.progress, phase: null, etaSeconds: null, batch: 0 }
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ended = promise
    this.end = () => {
      resolve()
      this.#wake()
    }
  }

  get progress(): RunProgress {
    return this.#progress
  }

  /** Of the training process. */
  hear(message: TrainingMessage): void {
    const before = this.#progress
    this.#progress = progressed(before, message)
    if (message.type === 'phase') this.#enter(before, message)
    if (message.type === 'finished') this.#endPhase(before.phase)
    if (message.type === 'paused') this.#pause(message.paused)
    if (message.type === 'thermal') this.#state(this.#busy(), message.sentence)
    if (message.type === 'batch') this.#pass(message)
    if (message.type === 'epoch') {
      const { record, best } = message
      this.#keep('epoch', { ...record, best, notes: this.#progress.notes })
      this.#write({ progress: this.#progress })
    }
    if (message.type === 'resumed') {
      const same =
        message.differs.length === 0
          ? 'bit-exact'
          : `not bit-exact; changed: ${message.differs.join(', ')}`
      const within = message.batches > 0 ? ` and ${message.batches} batches of the next` : ''
      this.#keep('log', { text: `resumed after epoch ${message.epoch}${within}, ${same}` })
    }
    const line = logLine(message)
    if (line !== undefined) this.#keep('log', { text: line })
  }

  /** A line of its log. */
  say(text: string): Promise<void> {
    this.#keep('log', { text })
    return this.#writing
  }

  /** Fulfilled when all that was heard is written. */
  settled(): Promise<void> {
    return this.#writing
  }

  untilPaused(ms: number): Promise<void> {
    return this.#until(() => this.#isPaused, ms)
  }

  untilGoing(ms: number): Promise<void> {
    return this.#until(() => !this.#isPaused, ms)
  }

  async #until(isSo: () => boolean, ms: number): Promise<void> {
    const late = new AbortController()
    const timer = after(ms, undefined, { signal: late.signal }).catch(() => {})
    const change = new Promise<void>((resolve) => this.#waking.push(resolve))
    if (!isSo()) await Promise.race([change, timer, this.ended])
    late.abort()
    await this.#writing
  }

  #wake(): void {
    for (const wake of this.#waking.splice(0)) wake()
  }

  #enter(before: RunProgress, { phase }: Extract<TrainingMessage, { type: 'phase' }>): void {
    this.#endPhase(before.phase)
    const state = phase === 'preparing' ? 'preparing' : 'running'
    this.#state(state, null)
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
    this.#state(paused ? 'paused' : this.#busy(), paused ? 'Paused by user.' : null)
    this.#wake()
  }

  #busy(): Run['state'] {
    return this.#progress.phase === 'preparing' ? 'preparing' : 'running'
  }

  #state(state: Run['state'], reason: string | null): void {
    this.#write({ state, reason, progress: this.#progress })
    const { phase } = this.#progress
    this.#keep('state', { state, reason, phase, version: null, offer: null })
  }

  #pass(message: Extract<TrainingMessage, { type: 'batch' }>): void {
    const now = performance.now()
    if (now - this.#told < BATCH_EVERY_MS && message.batch < message.batches) return
    this.#told = now
    const { type: _, ...figures } = message
    const { memoryBytes, cpuSeconds, use } = this.#progress
    this.#then(async () => {
      this.#options.feed.pass(this.id, { ...figures, memoryBytes, cpuSeconds, use })
    })
  }

  #keep(type: 'state' | 'epoch' | 'log', data: unknown): void {
    const at = this.#options.context.clock().toISOString()
    this.#then(() => this.#options.feed.keep(this.id, { type, data, at }))
  }

  #write(change: Parameters<typeof changeRun>[2]): void {
    this.#then(() => changeRun(this.#options.context.db, this.id, change))
  }

  #then(work: () => Promise<void>): void {
    const { log } = this.#options.context
    this.#writing = this.#writing.then(work).catch((error: unknown) => {
      log.error({ err: error, run: this.id }, 'what a run said could not be kept')
    })
  }
}
