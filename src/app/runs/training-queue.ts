// The durable queue of trainings: one run at a time, every change of state in the registry and in the run's feed before
// anyone is told, and after whatever ended the last process each run is where its last checkpoint left it.
import { rm } from 'node:fs/promises'
import { AppError, isAppError, messageOf } from '../../errors.ts'
import { parseVersion } from '../../package/ids.ts'
import { MAX_LIMIT } from '../../registry/cursor.ts'
import type { Actor, RegistryContext } from '../../registry/home/registry-context.ts'
import { listDatasets } from '../../registry/runs/datasets.ts'
import {
  addRuns,
  changeRun,
  ENDED,
  findVersionOfRun,
  getRun,
  listRuns,
  type Run,
  type RunChange,
  type RunFilter,
  runsInState,
} from '../../registry/runs/runs.ts'
import { proveVersion } from '../../registry/versions/add-version.ts'
import { getVersion, type Version } from '../../registry/versions/versions.ts'
import { workFolder } from '../../training/train-once.ts'
import { ActiveRun } from './active-run.ts'
import { RunFeed } from './run-feed.ts'
import { interruptedWords, smallerBatch, wrongState } from './run-outcome.ts'
import { newRuns, type RunRequest, trainRequestOf } from './run-request.ts'
import { type RunSet, summariseSet } from './run-set.ts'
import { TrainingSupervisor } from './supervisor.ts'

export interface QueueOptions {
  readonly context: RegistryContext
  readonly datasetsDir: string
  readonly threads: number
}

/** How long a request to pause is waited for before it is answered that the run will. */
const PAUSE_WAIT_MS = 3000

export class TrainingQueue {
  readonly feed: RunFeed
  readonly #options: QueueOptions
  readonly #supervisor: TrainingSupervisor
  #current: ActiveRun | undefined
  #working: Promise<void> = Promise.resolve()
  #isRunning = false
  /** Registered just before the last process ended, and not proved since. */
  readonly #unproved: { readonly version: Version; readonly actor: Actor }[] = []

  constructor(options: QueueOptions) {
    const { context } = options
    this.#options = options
    this.feed = new RunFeed(context.db)
    this.#supervisor = new TrainingSupervisor({
      context,
      onMessage: (message) => this.#current?.hear(message),
    })
  }

  /** Says of each run what the end of the last process made of it. After the registry has recovered. */
  async settle(): Promise<void> {
    const { db } = this.#options.context
    for (const run of await runsInState(db, ['preparing', 'running', 'paused'])) {
      const version = await findVersionOfRun(db, run.id)
      if (version) {
        const actor = { by: run.by, via: actorVia(run) }
        this.#unproved.push({ version: await getVersion(db, parseVersion(version)), actor })
        await this.#finish(run.id, version)
      } else if (run.attempts > 0) {
        const reason = interruptedWords(run, 'Server stopped during training')
        await this.#change(run.id, { state: 'interrupted', reason })
      } else if (run.state !== 'paused') await this.#change(run.id, { state: 'queued' })
    }
  }

  /** Goes on with what waits. */
  async start(): Promise<void> {
    this.#isRunning = true
    this.#next()
    for (const one of this.#unproved.splice(0)) await proveVersion(this.#options.context, one)
  }

  /** Interrupts what runs; its checkpoint stays. Safe to call twice. */
  async stop(): Promise<void> {
    this.#isRunning = false
    await this.#supervisor.stop()
    await this.#working
  }

  /** Queued, in the order of the lists. @throws AppError as `newRuns` */
  async add(wishes: RunRequest, actor: Actor): Promise<Run[]> {
    const { context, datasetsDir } = this.#options
    const rows = await newRuns({ ...context, datasetsDir }, { wishes, actor })
    await addRuns(context.db, rows)
    for (const { id } of rows) await this.#tellState(id)
    this.#next()
    return Promise.all(rows.map(({ id }) => this.get(id)))
  }

  /** As it is now. @throws AppError `unknown-run` */
  async get(id: string): Promise<Run> {
    return this.#live(await getRun(this.#options.context.db, id))
  }

  /** Newest first. @throws AppError `invalid` */
  async list(filter: RunFilter) {
    const page = await listRuns(this.#options.context.db, filter)
    return { ...page, items: page.items.map((run) => this.#live(run)) }
  }

  /** Runs that were asked for together, with an estimate. @throws AppError `unknown-run` */
  async set(id: string): Promise<RunSet> {
    const { db } = this.#options.context
    const { items } = await this.list({ set: id, limit: MAX_LIMIT })
    if (items.length === 0) throw new AppError('unknown-run', 'No such run group.')
    const finished = await listRuns(db, { state: 'finished', limit: 100 })
    const measured = { datasets: await listDatasets(db), finished: finished.items }
    return summariseSet(id, items.toReversed(), measured)
  }

  /** After the running batch; what waits is held back. @throws AppError `unknown-run`, `conflict` */
  async pause(id: string): Promise<Run> {
    const run = await this.get(id)
    if (run.state === 'queued') await this.#change(id, { state: 'paused', reason: 'On hold.' })
    else if (this.#current?.id === id && ['preparing', 'running'].includes(run.state)) {
      if (run.progress.phase === 'evaluating' || run.progress.phase === 'writing') {
        throw new AppError('conflict', 'The run is being evaluated and will finish shortly.')
      }
      this.#supervisor.pause()
      await this.#current.untilPaused(PAUSE_WAIT_MS)
    } else throw wrongState(run, 'paused')
    return this.get(id)
  }

  /** Paused: at once. Interrupted: from its last checkpoint, when its turn comes. @throws AppError `unknown-run`, `conflict` */
  async resume(id: string): Promise<Run> {
    const run = await this.get(id)
    if (run.state === 'paused' && this.#current?.id === id) {
      this.#supervisor.resume()
      await this.#current.untilGoing(PAUSE_WAIT_MS)
    } else if (run.state === 'paused' || run.state === 'interrupted') {
      await this.#change(id, { state: 'queued', reason: null, endedAt: null })
      this.#next()
    } else throw wrongState(run, 'resumed')
    return this.get(id)
  }

  /** Ends after the running batch; the best epoch becomes a version. @throws AppError `unknown-run`, `conflict` */
  async stopAndKeepBest(id: string): Promise<Run> {
    const run = await this.get(id)
    if (this.#current?.id !== id || ENDED.includes(run.state)) throw wrongState(run, 'stopped')
    if (run.progress.history.length === 0) {
      throw new AppError(
        'conflict',
        'The run has no finished epoch yet; wait for the first, or cancel it.',
      )
    }
    const reason = 'Stopping: the best epoch becomes a version.'
    await changeRun(this.#options.context.db, id, { reason })
    this.#supervisor.stopAndKeepBest()
    return this.get(id)
  }

  /** Ends now; nothing is kept. @throws AppError `unknown-run`, `conflict` */
  async cancel(id: string): Promise<Run> {
    const run = await this.get(id)
    if (ENDED.includes(run.state)) throw wrongState(run, 'cancelled')
    if (this.#current?.id === id) {
      this.#current.isCancelled = true
      this.#supervisor.cancel()
      await this.#current.ended
    } else {
      await this.#end(id, { state: 'cancelled', reason: 'Cancelled by user.' })
      await this.#forget(id)
    }
    return this.get(id)
  }

  /** The progress of the run under way is newer than its row. */
  #live(run: Run): Run {
    return this.#current?.id === run.id ? { ...run, progress: this.#current.progress } : run
  }

  /** Begins with the oldest that waits, unless one is under way. */
  #next(): void {
    this.#working = this.#working.then(async () => {
      if (!this.#isRunning || this.#current) return
      const [run] = await runsInState(this.#options.context.db, ['queued'])
      // Not waited for here, or nothing else could be chained while it runs.
      if (run) void this.#begin(run)
    })
  }

  async #begin(run: Run): Promise<void> {
    const { context } = this.#options
    const current = new ActiveRun({ run, context, feed: this.feed })
    this.#current = current
    const work = this.#work(run, current).catch((error: unknown) => {
      context.log.error({ err: error, run: run.id }, 'the outcome of a run could not be kept')
    })
    this.#working = this.#working.then(() => work)
    await work
    this.#current = undefined
    current.end()
    this.#next()
  }

  async #work(run: Run, current: ActiveRun): Promise<void> {
    const { context } = this.#options
    try {
      const startedAt = run.startedAt ?? context.clock().toISOString()
      await this.#change(run.id, { state: 'preparing', reason: null, offer: null, startedAt })
      const { request, checks } = await trainRequestOf({ ...this.#options, ...context }, run)
      await current.say(`Checked before start. ${checks.join(' ')}`)
      await changeRun(context.db, run.id, { attempts: run.attempts + 1 })
      if (current.isCancelled) throw new AppError('conflict', 'The run was cancelled.')
      const { version, activation } = await this.#supervisor.train(request, {
        by: run.by,
        via: actorVia(run),
      })
      await current.settled()
      await changeRun(context.db, run.id, { progress: current.progress })
      if (activation) {
        await current.say(`${version.id} is active for ${run.condition} (policy follow).`)
      }
      await this.#finish(run.id, version.id)
    } catch (error) {
      await current.settled()
      await changeRun(context.db, run.id, { progress: current.progress })
      await this.#failed(current, error)
    }
  }

  async #failed({ id, isCancelled }: ActiveRun, error: unknown): Promise<void> {
    const run = await this.get(id)
    const outcome = this.#supervisor.status
    const isThis = outcome?.run === run.id
    if (!isThis && !this.#isRunning) {
      // The server ends before the run had begun.
      await this.#change(run.id, { state: 'queued' })
      return
    }
    if (isThis && outcome.state === 'interrupted') {
      const reason = interruptedWords(run, 'The server was stopped')
      await this.#change(run.id, { state: 'interrupted', reason })
      return
    }
    const wasCancelled = isCancelled || (isThis && outcome.state === 'cancelled')
    const state = wasCancelled ? 'cancelled' : 'failed'
    const reason = wasCancelled ? 'Cancelled by user.' : messageOf(error)
    const starved = isAppError(error) && error.extra.starved === true
    await this.#end(run.id, { state, reason, offer: starved ? smallerBatch(run) : null })
    await this.#forget(run.id)
  }

  async #finish(id: string, version: string): Promise<void> {
    await this.#end(id, { state: 'finished', version, reason: null })
    await this.#forget(id)
  }

  #end(id: string, change: RunChange): Promise<void> {
    return this.#change(id, { ...change, endedAt: this.#options.context.clock().toISOString() })
  }

  /** Its checkpoint is of no use any more. */
  async #forget(id: string): Promise<void> {
    await rm(workFolder(this.#options.context.store, id), { recursive: true, force: true })
  }

  async #change(id: string, change: RunChange): Promise<void> {
    await changeRun(this.#options.context.db, id, change)
    await this.#tellState(id)
  }

  async #tellState(id: string): Promise<void> {
    const { db, clock } = this.#options.context
    const { state, reason, version, offer } = await getRun(db, id)
    const data = { state, reason, version, offer }
    await this.feed.keep(id, { type: 'state', data, at: clock().toISOString() })
  }
}

function actorVia(run: Run): Actor['via'] {
  return run.via as Actor['via']
}
