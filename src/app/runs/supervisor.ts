// One training at a time beside the server: starts the process, knows how far it is, adds the finished package.
// Which training comes next is queue.ts; what becomes of the package is addVersion.
import { AppError, messageOf } from '../../errors.ts'
import type { Actor, RegistryContext } from '../../registry/home/registry-context.ts'
import { type AddedVersion, addVersion } from '../../registry/versions/add-version.ts'
import type { EpochRecord, TrainingMessage, TrainingPhase } from '../../training/job.ts'
import { type TrainRequest, trainOnce } from '../../training/train-once.ts'
import type { TrainingProcess } from '../../training/training-process.ts'

export interface SupervisorOptions {
  readonly context: RegistryContext
  readonly onMessage?: (message: TrainingMessage) => void
}

/** A training as it is now, or the last one. */
export interface TrainingStatus {
  /** Id of the run, where its request has one. */
  readonly run: string | undefined
  readonly condition: string
  readonly architecture: string
  readonly state: 'preparing' | 'running' | 'finished' | 'cancelled' | 'interrupted' | 'failed'
  readonly phase: TrainingPhase | null
  /** Why it failed or was cancelled. */
  readonly reason: string | null
  readonly epochs: readonly EpochRecord[]
  readonly etaSeconds: number | null
  readonly startedAt: string
  readonly endedAt: string | null
  /** `condition/name@n` of the version that it left. */
  readonly version: string | null
}

type Wish = 'go on' | 'cancel' | 'interrupt'

export class TrainingSupervisor {
  readonly #options: SupervisorOptions
  #process: TrainingProcess | undefined
  #running: Promise<unknown> | undefined
  #status: TrainingStatus | undefined
  #wish: Wish = 'go on'
  #isHeld = false
  #stopped = false

  constructor(options: SupervisorOptions) {
    this.#options = options
  }

  /** The running training, or the last one. */
  get status(): TrainingStatus | undefined {
    return this.#status
  }

  /**
   * Trains and adds the version. @throws AppError `conflict` while another training runs, or the reason of its failure
   */
  async train(request: TrainRequest, actor: Actor): Promise<AddedVersion> {
    if (this.#stopped) throw new AppError('unavailable', 'The server is stopping.')
    if (this.#running) {
      throw new AppError(
        'conflict',
        'Another training is running; start this one when it has finished.',
      )
    }
    const work = this.#run(request, actor)
    this.#running = work
    try {
      return await work
    } finally {
      this.#running = undefined
      this.#process = undefined
    }
  }

  /** Waits after the running batch; the message `paused` says when it does. */
  pause(): void {
    this.#isHeld = true
    this.#process?.pause()
  }

  resume(): void {
    this.#isHeld = false
    this.#process?.resume()
  }

  /** Ends after the running batch; the best epoch so far becomes a version. */
  stopAndKeepBest(): void {
    this.#process?.stopAndKeepBest()
  }

  /** Ends it at once; nothing is kept. */
  cancel(): void {
    this.#end('cancel')
  }

  /** Ends it at once; its last checkpoint is kept, to go on from. */
  interrupt(): void {
    this.#end('interrupt')
  }

  /** Interrupts what runs and waits for its process to end. Twice is safe. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.interrupt()
    await this.#running?.catch(() => {})
  }

  #end(wish: Wish): void {
    if (this.#wish === 'go on') this.#wish = wish
    this.#process?.kill()
  }

  async #run(request: TrainRequest, actor: Actor): Promise<AddedVersion> {
    const { context } = this.#options
    const { clock, log } = context
    this.#wish = 'go on'
    this.#isHeld = false
    this.#status = {
      run: request.id,
      condition: request.condition.id,
      architecture: request.architecture,
      state: 'preparing',
      phase: null,
      reason: null,
      epochs: [],
      etaSeconds: null,
      startedAt: clock().toISOString(),
      endedAt: null,
      version: null,
    }
    try {
      const summary = await trainOnce(request, {
        store: context.store,
        onMessage: (message) => this.#note(message),
        onProcess: (process) => {
          this.#process = process
          if (this.#wish !== 'go on') process.kill()
          else if (this.#isHeld) process.pause()
        },
        keepsWork: () => this.#wish === 'interrupt',
      })
      const fromDir = summary.packageDir
      const added = await addVersion(context, { fromDir, actor })
      const { version } = added
      this.#update({ state: 'finished', version: version.id, endedAt: clock().toISOString() })
      log.info({ version: version.id }, 'training finished')
      return added
    } catch (error) {
      const state = ENDINGS[this.#wish]
      this.#update({ state, reason: messageOf(error), endedAt: clock().toISOString() })
      if (state === 'failed') log.warn({ err: error, run: request.id }, 'training failed')
      throw error
    }
  }

  #note(message: TrainingMessage): void {
    if (message.type === 'phase') {
      const state = message.phase === 'preparing' ? 'preparing' : 'running'
      this.#update({ phase: message.phase, state })
    }
    if (message.type === 'epoch') {
      const epochs = [...(this.#status?.epochs ?? []), message.record]
      this.#update({ epochs, etaSeconds: message.etaSeconds })
    }
    if (message.type === 'batch') this.#update({ etaSeconds: message.etaSeconds })
    this.#options.onMessage?.(message)
  }

  #update(changes: Partial<TrainingStatus>): void {
    if (this.#status) this.#status = { ...this.#status, ...changes }
  }
}

const ENDINGS: Readonly<Record<Wish, TrainingStatus['state']>> = {
  'go on': 'failed',
  cancel: 'cancelled',
  interrupt: 'interrupted',
}
