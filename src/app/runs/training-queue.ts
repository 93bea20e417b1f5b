// Training runs as jobs: one at a time, each in a process of its own. After the server has ended a run is resumed from its last
// checkpoint; after its own process was killed too, once, and then when somebody says so.
import { rm } from 'node:fs/promises'
import { links } from '../../../views/shared/links.ts'
import { AppError, messageOf } from '../../errors.ts'
import { parseVersion } from '../../package/ids.ts'
import { MAX_LIMIT } from '../../registry/cursor.ts'
import type { Actor, RegistryContext } from '../../registry/home/registry-context.ts'
import type { Job } from '../../registry/jobs/job-store.ts'
import { listDatasets } from '../../registry/runs/datasets.ts'
import {
  addRuns,
  changeRun,
  ENDED,
  findVersionOfRun,
  getRun,
  listRuns,
  type Run,
  type RunFilter,
  runState,
} from '../../registry/runs/runs.ts'
import { proveVersion } from '../../registry/versions/add-version.ts'
import { getVersion, type Version } from '../../registry/versions/versions.ts'
import { workFolder } from '../../training/train-once.ts'
import { wasInterrupted, wasStarved } from '../../training/training-process.ts'
import type { FollowOptions } from '../jobs/job-feed.ts'
import { Interrupted, type JobKind, type JobOutcome, type JobRun } from '../jobs/job-kind.ts'
import type { JobQueue } from '../jobs/job-queue.ts'
import { ActiveRun } from './active-run.ts'
import { type RunEvent, runEvent } from './run-feed.ts'
import { interruptedWords, smallerBatch, wrongState } from './run-outcome.ts'
import { newRuns, type RunRequest, trainRequestOf } from './run-request.ts'
import { type RunSet, summariseSet } from './run-set.ts'

export interface QueueOptions {
  readonly context: RegistryContext
  readonly jobs: JobQueue
  readonly datasetsDir: string
  readonly threads: number
  readonly options?: TrainingOptions | undefined
}

export interface TrainingOptions {
  /** Without a batch, an epoch or a phase for so long, a training is ended; half an hour by default. */
  readonly stallLimitMs?: number
}

const KIND = 'training'
/** How long a request to pause is waited for before it is answered that the run will. */
const PAUSE_WAIT_MS = 3000
/** Of a run, those that somebody asked for included; from then on a kill of the server leaves it interrupted. */
const MAX_STARTS = 10
/** An evaluation, or a batch of a large network on a slow machine, may say nothing for many minutes. */
const STALL_MS = 30 * 60_000

export class TrainingQueue {
  readonly #options: QueueOptions
  #active: ActiveRun | undefined
  /** Their process was killed, and they were resumed without anyone asking. */
  readonly #retried = new Set<string>()
  /** Registered just before the last process ended, and not proved any more. */
  readonly #unproved: { readonly version: Version; readonly actor: Actor }[] = []

  constructor(options: QueueOptions) {
    this.#options = options
    options.jobs.kinds.add(this.#kind())
  }

  /** Proves what the last process registered and could not prove any more. After the active versions are loaded. */
  async start(): Promise<void> {
    for (const one of this.#unproved.splice(0)) await proveVersion(this.#options.context, one)
  }

  /** Queued, in the order of the lists. @throws AppError as `newRuns` */
  async add(wishes: RunRequest, actor: Actor): Promise<Run[]> {
    const { context, datasetsDir, jobs } = this.#options
    const rows = await newRuns({ ...context, datasetsDir }, { wishes, actor })
    await addRuns(context.db, rows)
    const subjectOf = (id: string) => ({ type: 'condition', id }) as const
    await jobs.addAll(
      KIND,
      rows.map(({ id, condition }) => ({ id, input: {}, subject: subjectOf(condition), actor })),
    )
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

  /** Its events behind the last that was seen, then those that come, until the signal. */
  async *follow({
    run,
    ...o
  }: Omit<FollowOptions, 'job'> & { run: string }): AsyncGenerator<RunEvent> {
    for await (const event of this.#options.jobs.feed.follow({ ...o, job: run })) {
      // What it left is written before the event that tells of its end.
      const shown = runEvent(event, await getRun(this.#options.context.db, run))
      if (shown) yield shown
    }
  }

  /** After the running batch; what waits is held back. @throws AppError `unknown-run`, `conflict` */
  async pause(id: string): Promise<Run> {
    const run = await this.get(id)
    if (this.#active?.id === id && ['preparing', 'running'].includes(run.state)) {
      if (run.progress.phase === 'evaluating' || run.progress.phase === 'writing') {
        throw new AppError('conflict', 'The run is being evaluated and will finish shortly.')
      }
      await this.#active.pause(PAUSE_WAIT_MS)
      return this.get(id)
    }
    const held = { state: 'paused', reason: 'On hold.', from: ['queued'] } as const
    if (!(await this.#options.jobs.change(id, held))) throw wrongState(run, 'paused')
    return this.get(id)
  }

  /** Paused: at once. Interrupted: from its last checkpoint, when its turn comes. @throws AppError `unknown-run`, `conflict` */
  async resume(id: string): Promise<Run> {
    const run = await this.get(id)
    if (this.#active?.id === id && run.state === 'paused') {
      await this.#active.resume(PAUSE_WAIT_MS)
      return this.get(id)
    }
    const queued = { state: 'queued', reason: null, from: ['paused', 'interrupted'] } as const
    if (!(await this.#options.jobs.change(id, queued))) throw wrongState(run, 'resumed')
    return this.get(id)
  }

  /** Ends after the running batch; the best epoch becomes a version. @throws AppError `unknown-run`, `conflict` */
  async stopAndKeepBest(id: string): Promise<Run> {
    const run = await this.get(id)
    if (this.#active?.id !== id || ENDED.includes(run.state)) throw wrongState(run, 'stopped')
    if (run.progress.history.length === 0) {
      throw new AppError(
        'conflict',
        'The run has no finished epoch yet; wait for the first, or cancel it.',
      )
    }
    const reason = 'Stopping: the best epoch becomes a version.'
    await this.#options.jobs.explain(id, reason)
    this.#active.stopAndKeepBest()
    return this.get(id)
  }

  /** Ends now; nothing is kept. @throws AppError `unknown-run`, `conflict` */
  async cancel(id: string): Promise<Run> {
    const run = await this.get(id)
    if (ENDED.includes(run.state)) throw wrongState(run, 'cancelled')
    await this.#options.jobs.cancel(id)
    return this.get(id)
  }

  /** The progress of the run under way is newer than its row. */
  #live(run: Run): Run {
    const progress = this.#active?.id === run.id ? this.#active.progress : undefined
    if (!progress) return run
    const isBusy = run.state === 'preparing' || run.state === 'running'
    return { ...run, progress, state: isBusy ? runState('running', progress) : run.state }
  }

  #kind(): JobKind {
    const { context, options = {} } = this.#options
    return {
      name: KIND,
      title: 'Training',
      unit: 'epochs',
      afterRestart: 'resume',
      isCancellable: true,
      lane: KIND,
      width: 1,
      maxAttempts: MAX_STARTS,
      // Some take weeks; whether it still trains is what counts.
      timeLimitMs: null,
      get stallLimitMs() {
        return options.stallLimitMs ?? STALL_MS
      },
      keepMs: null,
      keepsInput: true,
      page: ({ id }) => links.run(id),
      run: (job) => this.#train(job),
      recover: (job) => this.#recover(job),
      interruptedWords: async ({ id }, why) => interruptedWords(await this.get(id), why),
      onRest: async ({ id, endedAt }) => {
        // Its checkpoint is of no use any more.
        if (endedAt !== null) {
          this.#retried.delete(id)
          await rm(workFolder(context.store, id), { recursive: true, force: true })
        }
      },
    }
  }

  async #train(job: JobRun<unknown>): Promise<undefined> {
    const { context } = this.#options
    const run = await getRun(context.db, job.id)
    const active = new ActiveRun({ run, job, context })
    this.#active = active
    try {
      await changeRun(context.db, run.id, { offer: null, progress: active.progress })
      const { request, checks } = await trainRequestOf({ ...this.#options, ...context }, run)
      await active.say(`Checked before start. ${checks.join(' ')}`)
      job.signal.throwIfAborted()
      const { version, activation } = await active.train(request)
      if (activation) {
        await active.say(`${version.id} is active for ${run.condition} (policy follow).`)
      }
      await changeRun(context.db, run.id, { version: version.id })
    } catch (error) {
      const isStarved = wasStarved(error)
      if (isStarved) await changeRun(context.db, run.id, { offer: smallerBatch(run) })
      if (!wasInterrupted(error) || job.signal.aborted) throw error
      // The second kill in a row has a reason that time does not heal.
      const resumesNow = !isStarved && !this.#retried.delete(run.id)
      if (resumesNow) this.#retried.add(run.id)
      throw new Interrupted(messageOf(error), { resumesNow, cause: error })
    } finally {
      await active.end()
      this.#active = undefined
    }
  }

  /** It left its version before the process ended, and only that was not written down. */
  async #recover({ id, by, via }: Job): Promise<JobOutcome | undefined> {
    const { db } = this.#options.context
    const left = await findVersionOfRun(db, id)
    if (!left) return undefined
    const version = await getVersion(db, parseVersion(left))
    this.#unproved.push({ version, actor: { by, via } })
    await changeRun(db, id, { version: left })
    return {}
  }
}
