// What a kind of job declares: what it survives, how long it may take, what it does. The queue knows nothing else of it.
import type { Actor } from '../../registry/home/registry-context.ts'
import type { Job, JobState } from '../../registry/jobs/job-store.ts'

/**
 * What becomes of a job whose process ended, or was stopped, while it ran: `continue` goes on where it was, `again`
 * begins anew, `resume` goes on from its last checkpoint, `wait` is interrupted until somebody resumes it, `end` is over because what it worked on is gone.
 */
export type AfterRestart = 'continue' | 'again' | 'resume' | 'wait' | 'end'

export interface JobKind<Input = unknown> {
  readonly name: string
  /** For people: `Evaluation`. */
  readonly title: string
  /** What its progress counts, in the plural. */
  readonly unit: string
  readonly afterRestart: AfterRestart
  readonly isCancellable: boolean
  /** Jobs of one lane share its width; see `LANES` of the queue. */
  readonly lane: string
  /** How many of the lane run at the same time. */
  readonly width: number
  /**
   * So often it is begun when Roentgen is killed in its midst; then it fails, or with `resume` is interrupted, as it may be
   * what kills.
   */
  readonly maxAttempts: number
  /** Milliseconds until the next attempt after one that threw `TryLater`; undefined: given up. */
  readonly retryWaitMs?: (attempt: number) => number | undefined
  /** From its begin; null where a person watches it and can cancel, or its process has a limit of its own. */
  readonly timeLimitMs: number | null
  /** Without any progress; null as above. */
  readonly stallLimitMs: number | null
  /** How long it is listed after its end; null: as long as what it belongs to. */
  readonly keepMs: number | null
  /** false: its input never leaves memory, so that `afterRestart` is `end`. */
  readonly keepsInput: boolean
  /** Path of the page that shows it. */
  readonly page?: (job: Job) => string | undefined
  /** @throws TryLater to be tried again; anything else is its failure */
  run(run: JobRun<Input>): Promise<JobOutcome | undefined>
  /** After every change to a state in which it does not run, whoever caused it: puts rows of its own in order. */
  onRest?(job: Job): Promise<void>
  /** Of one whose process is gone: how it ended all the same, where that is known; else `afterRestart` decides. */
  recover?(job: Job): Promise<JobOutcome | undefined>
  /** Words for an interruption, where the plain ones do not do. */
  interruptedWords?(job: Job, why: string): Promise<string>
}

/** Why a job was told to end. */
export type EndCause = 'cancelled' | 'stopping' | 'stalled' | 'too long'

/** The reason of an aborted signal. */
export class JobEnd extends Error {
  readonly why: EndCause

  constructor(why: EndCause) {
    super(`the job was told to end: ${why}`)
    this.name = 'JobEnd'
    this.why = why
  }
}

/** A job ended well; `reason` where that is not plain. */
export interface JobOutcome {
  readonly reason?: string | null
  /** More about the end, for its event. */
  readonly detail?: object
}

/** What the work of a job is given. */
export interface JobRun<Input> extends Actor {
  readonly id: string
  readonly input: Input
  readonly attempt: number
  /** Aborted with a `JobEnd` when it is cancelled, takes too long, stands still, or the server ends. Work that heeds it throws. */
  readonly signal: AbortSignal
  /** Also tells the watchdog that it lives. */
  progress(done: number, total: number): void
  /** Tells the watchdog that it lives; `sleep` lets the watchdog rest until the next sign of life. */
  alive(): void
  sleep(): void
  /** A line of its log. */
  log(text: string): Promise<void>
  /** Kept, and sent to whoever follows. */
  event(type: string, data: unknown): Promise<void>
  /** Sent to whoever follows at this moment. */
  pass(type: string, data: unknown): void
  /** While it runs: paused, or running again. */
  mark(state: Extract<JobState, 'running' | 'paused'>, o: MarkOptions): Promise<void>
}

export interface MarkOptions {
  readonly reason: string | null
  readonly detail?: object
}

/** Thrown by work that time may heal. */
export class TryLater extends Error {
  constructor(reason: string) {
    super(reason)
    this.name = 'TryLater'
  }
}

/** Thrown by work that was broken off and can be resumed: at once and by itself, or when somebody says so. */
export class Interrupted extends Error {
  readonly resumesNow: boolean

  constructor(reason: string, o: { readonly resumesNow: boolean; readonly cause: unknown }) {
    super(reason, { cause: o.cause })
    this.name = 'Interrupted'
    this.resumesNow = o.resumesNow
  }
}

/** Common limits. */
export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS
/** How long jobs are listed that leave nothing else behind. */
export const KEEP_MS = 30 * DAY_MS
