// Two versions on many images as a job of its own: begun by a form, one image after the other while the server does other
// things, kept line by line, stopped at any time. One job runs at a time; others wait.
import { AppError, isAppError } from '../../errors.ts'
import { type Condition, getCondition } from '../../registry/conditions/conditions.ts'
import { exclusive } from '../../registry/home/exclusive.ts'
import type { Actor } from '../../registry/home/registry-context.ts'
import {
  addPairedEntry,
  endPairedJob,
  getPairedJob,
  insertPairedJob,
  type NewPairedJob,
  type PairedEntry,
  type PairedJob,
} from '../../registry/paired/paired-jobs.ts'
import { pastPredictions } from '../../registry/predictions/past-predictions.ts'
import { versionOfCondition } from '../../registry/versions/aliases.ts'
import { getVersion, type Version } from '../../registry/versions/versions.ts'
import type { Uses } from '../services.ts'
import { imageSet, type WantedSplit } from './paired-images.ts'
import { type PairedLine, predictFolder, repredict } from './paired-predictions.ts'

export interface PairedRequest {
  readonly condition: string
  readonly a: string
  readonly b: string
  /** Left out: the newest predictions of `a` are read again by `b`. */
  readonly folder?: string | undefined
  readonly split?: WantedSplit | undefined
  readonly limit?: number | undefined
}

const DEFAULT_REREAD = 1000

export class PairedJobs {
  readonly #services: Uses<
    'clock' | 'config' | 'db' | 'imaging' | 'leaving' | 'log' | 'runtime' | 'store' | 'tasks'
  >
  readonly #stopping = new Map<string, AbortController>()

  constructor(
    services: Uses<
      'clock' | 'config' | 'db' | 'imaging' | 'leaving' | 'log' | 'runtime' | 'store' | 'tasks'
    >,
  ) {
    this.#services = services
  }

  /** Returns its id at once. @throws AppError `unknown-version`, `unknown-dataset`, `conflict`, `invalid` */
  async begin(request: PairedRequest, actor: Actor): Promise<string> {
    const { db, clock, tasks, leaving } = this.#services
    const condition = await getCondition(db, request.condition)
    const [a, b] = [
      await this.#usable(condition, request.a),
      await this.#usable(condition, request.b),
    ]
    if (a.id === b.id) throw new AppError('conflict', 'Choose two different versions.')
    const ending = new AbortController()
    const signal = AbortSignal.any([ending.signal, leaving])
    const { job, lines } =
      request.folder === undefined
        ? await this.#rereading({ condition, a, b, signal, limit: request.limit ?? DEFAULT_REREAD })
        : await this.#folder(
            { condition, a, b, signal },
            { folder: request.folder, split: request.split },
          )
    const id = await insertPairedJob(db, { job, actor, clock })
    this.#stopping.set(id, ending)
    const work = () => this.#run(id, { lines, signal })
    tasks.run('a comparison on many images', () => exclusive(db, { key: ' paired', work }))
    return id
  }

  /** What was read so far stays. @throws AppError `not-found`, `conflict` when it has ended */
  async stop(id: string): Promise<void> {
    const { state } = await getPairedJob(this.#services.db, id)
    if (state !== 'running') throw new AppError('conflict', 'It has ended already.')
    this.#stopping.get(id)?.abort()
    await this.#end(id, { state: 'ended', reason: 'Stopped by hand.' })
  }

  async #run(
    id: string,
    { lines, signal }: { lines: AsyncGenerator<PairedLine>; signal: AbortSignal },
  ): Promise<void> {
    const { db, log } = this.#services
    try {
      let n = 0
      for await (const line of lines) {
        if (signal.aborted) break
        if ('summary' in line) {
          const summary = line.summary as NonNullable<PairedJob['summary']>
          await this.#end(id, { state: 'finished', reason: null, summary })
        } else {
          n += 1
          await addPairedEntry(db, { job: id, n, entry: line as PairedEntry })
        }
      }
      await this.#end(id, { state: 'ended', reason: 'Roentgen was stopped while it ran.' })
    } catch (error) {
      log.error({ err: error, job: id }, 'a comparison on many images failed')
      const reason = isAppError(error)
        ? error.message
        : 'It failed for a reason that is in the log.'
      await this.#end(id, { state: 'failed', reason })
    } finally {
      this.#stopping.delete(id)
    }
  }

  async #end(
    id: string,
    end: {
      state: 'finished' | 'failed' | 'ended'
      reason: string | null
      summary?: NonNullable<PairedJob['summary']>
    },
  ): Promise<void> {
    const { db, clock } = this.#services
    await endPairedJob(db, id, { summary: null, ...end, clock })
  }

  async #folder(
    o: { condition: Condition; a: Version; b: Version; signal: AbortSignal },
    wanted: { folder: string; split: WantedSplit | undefined },
  ) {
    const { condition, a, b } = o
    const { folder, split, images, dir } = await imageSet(this.#services, { condition, ...wanted })
    const job: NewPairedJob = {
      kind: 'folder',
      condition: condition.id,
      a: a.id,
      b: b.id,
      folder,
      split,
      total: images.length,
    }
    return { job, lines: predictFolder(this.#services, { ...o, dir, images }) }
  }

  async #rereading(o: {
    condition: Condition
    a: Version
    b: Version
    signal: AbortSignal
    limit: number
  }) {
    const { condition, a, b, signal, limit } = o
    const predictions = await pastPredictions(this.#services.db, { version: a.id, limit })
    if (predictions.length === 0) {
      throw new AppError('conflict', `No prediction of ${a.id} is kept any more.`)
    }
    const rest = { condition: condition.id, a: a.id, b: b.id, folder: null, split: null }
    const job: NewPairedJob = { kind: 'reread', ...rest, total: predictions.length }
    return { job, lines: repredict(this.#services, { condition, signal, version: b, predictions }) }
  }

  async #usable(condition: Condition, text: string): Promise<Version> {
    const { db } = this.#services
    const version = await getVersion(
      db,
      await versionOfCondition(db, { condition: condition.id, text }),
    )
    if (version.status !== 'deleted' && version.status !== 'quarantined') return version
    throw new AppError('conflict', `${version.id} is ${version.status} and cannot read images.`)
  }
}
