// Two versions on many images as a job: begun by a form, one image after the other while the server does other things,
// kept line by line, so that a restart goes on behind the last one. How they are predicted is paired-predictions.ts.
import { randomUUID } from 'node:crypto'
import { links } from '../../../views/shared/links.ts'
import { AppError } from '../../errors.ts'
import { type Condition, getCondition } from '../../registry/conditions/conditions.ts'
import type { Actor } from '../../registry/home/registry-context.ts'
import {
  addPairedEntry,
  getPairedJob,
  insertPairedJob,
  listPairedEntries,
  type PairedEntry,
  setPairedSummary,
} from '../../registry/paired/paired-jobs.ts'
import { newestPrediction, pastPredictions } from '../../registry/predictions/past-predictions.ts'
import { versionOfCondition } from '../../registry/versions/aliases.ts'
import { getVersion, type Version } from '../../registry/versions/versions.ts'
import { summarisePairs } from '../../statistics/paired-summary.ts'
import { DAY_MS, type JobKind } from '../jobs/job-kind.ts'
import type { Uses } from '../services.ts'
import { imageSet, type WantedSplit } from './paired-images.ts'
import { type PairedLine, predictFolder, repredict } from './paired-predictions.ts'

export interface PairedRequest {
  readonly condition: string
  readonly a: string
  readonly b: string
  /** Left out: the newest predictions of `a` are repeated with `b`. */
  readonly folder?: string | undefined
  readonly split?: WantedSplit | undefined
  readonly limit?: number | undefined
}

/** Of `reread`: so many of the newest, none that came after the job. */
interface PairedInput {
  readonly limit?: number
  readonly upTo?: number
}

const KIND = 'comparison'
const DEFAULT_REREAD = 1000
const STALL_MS = 30 * 60_000
const MAX_LINES = 1_000_000

type PairedServices = Uses<
  'clock' | 'config' | 'db' | 'imaging' | 'jobs' | 'leaving' | 'log' | 'runtime' | 'store'
>

export class PairedJobs {
  readonly #services: PairedServices

  constructor(services: PairedServices) {
    this.#services = services
    services.jobs.kinds.add(pairedKind(services))
  }

  /** Returns its id at once. @throws AppError `unknown-version`, `unknown-dataset`, `conflict`, `invalid` */
  async begin(request: PairedRequest, actor: Actor): Promise<string> {
    const { db, jobs } = this.#services
    const condition = await getCondition(db, request.condition)
    const a = await usable(this.#services, { condition, text: request.a })
    const b = await usable(this.#services, { condition, text: request.b })
    if (a.id === b.id) throw new AppError('conflict', 'Choose two different versions.')
    const id = `ab_${randomUUID()}`
    const versions = { id, condition: condition.id, a: a.id, b: b.id }
    const subject = { type: 'condition', id: condition.id } as const
    if (request.folder !== undefined) {
      const wanted = { condition, folder: request.folder, split: request.split }
      const { folder, split, images } = await imageSet(this.#services, wanted)
      await insertPairedJob(db, { ...versions, kind: 'folder', folder, split })
      await jobs.add(KIND, { id, input: {}, subject, actor, total: images.length })
      return id
    }
    const { limit = DEFAULT_REREAD } = request
    const input: PairedInput = { limit, upTo: await newestPrediction(db) }
    const { length: total } = await pastPredictions(db, { version: a.id, limit, upTo: input.upTo })
    if (total === 0) throw new AppError('conflict', `No prediction of ${a.id} is stored any more.`)
    await insertPairedJob(db, { ...versions, kind: 'reread', folder: null, split: null })
    await jobs.add(KIND, { id, input, subject, actor, total })
    return id
  }

  /** What was done so far stays. @throws AppError `not-found`, `conflict` when it has ended */
  async stop(id: string): Promise<void> {
    await getPairedJob(this.#services.db, id)
    await this.#services.jobs.cancel(id)
  }
}

function pairedKind(services: PairedServices): JobKind<PairedInput> {
  return {
    name: KIND,
    title: 'Comparison on many images',
    unit: 'images',
    afterRestart: 'continue',
    isCancellable: true,
    lane: KIND,
    width: 1,
    maxAttempts: 10,
    timeLimitMs: 14 * DAY_MS,
    stallLimitMs: STALL_MS,
    // Listed with the other comparisons until somebody deletes it.
    keepMs: null,
    keepsInput: true,
    page: ({ id }) => links.abJob(id),
    async run({ id, input, signal, progress }) {
      const { db } = services
      const { condition: name } = await getPairedJob(db, id)
      const condition = await getCondition(db, name)
      const read = await listPairedEntries(db, { job: id, limit: MAX_LINES })
      const known = new Set(read.map(({ image }) => image))
      const { lines, count } = await linesLeft(services, { id, input, condition, known, signal })
      const [before, total] = [read.length, read.length + count]
      progress(before, total)
      const entries: PairedEntry[] = [...read]
      for await (const line of lines) {
        signal.throwIfAborted()
        if ('summary' in line) continue
        const entry = line as PairedEntry
        entries.push(entry)
        await addPairedEntry(db, { job: id, n: entries.length, entry })
        progress(entries.length, total)
      }
      signal.throwIfAborted()
      await setPairedSummary(db, { job: id, summary: summaryOf(entries, condition) })
      return undefined
    },
  }
}

/** Of all lines, also of those from before a restart. */
function summaryOf(entries: readonly PairedEntry[], { classes }: Condition) {
  const pairs = entries.filter((one) => 'agree' in one)
  const labels = classes.map(({ label }) => label)
  return { ...summarisePairs(pairs, labels), failed: entries.length - pairs.length }
}

/** Of images that have no line yet. */
async function linesLeft(
  services: PairedServices,
  o: {
    readonly id: string
    readonly input: PairedInput
    readonly condition: Condition
    readonly known: ReadonlySet<string>
    readonly signal: AbortSignal
  },
): Promise<{ readonly lines: AsyncGenerator<PairedLine>; readonly count: number }> {
  const { input, condition, known, signal } = o
  const job = await getPairedJob(services.db, o.id)
  const a = await usable(services, { condition, text: job.a })
  const b = await usable(services, { condition, text: job.b })
  if (job.folder !== null) {
    const split = (job.split ?? undefined) as WantedSplit | undefined
    const set = await imageSet(services, { condition, folder: job.folder, split })
    const images = set.images.filter(({ file }) => !known.has(file))
    const lines = predictFolder(services, { condition, signal, a, b, dir: set.dir, images })
    return { lines, count: images.length }
  }
  const { limit = DEFAULT_REREAD, upTo } = input
  const past = await pastPredictions(services.db, { version: job.a, limit, upTo })
  const predictions = past.filter(({ prediction }) => !known.has(prediction.id))
  const lines = repredict(services, { condition, signal, version: b, predictions })
  return { lines, count: predictions.length }
}

async function usable(
  { db }: Uses<'db'>,
  { condition, text }: { condition: Condition; text: string },
): Promise<Version> {
  const wanted = { condition: condition.id, text }
  const version = await getVersion(db, await versionOfCondition(db, wanted))
  if (version.status !== 'deleted' && version.status !== 'quarantined') return version
  throw new AppError('conflict', `${version.id} is ${version.status} and cannot be used.`)
}
