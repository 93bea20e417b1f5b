// Training runs as rows: the durable queue, how far each one is, and what became of it. Events of a run: run-events.ts.
// Doing the work is the training room's.
import type { Selectable } from 'kysely'
import { AppError } from '../../errors.ts'
import { checkLimit, decodeCursor, type Page, SequenceCursor, sequencePage } from '../cursor.ts'
import type { Actor } from '../home/registry-context.ts'
import type { Db, RunTable } from '../schema/database.ts'
import type { RunState } from '../schema/states.ts'

/** States that nothing follows. */
export const ENDED: readonly RunState[] = ['cancelled', 'failed', 'finished']

export interface RunEpoch {
  /** From 1. */
  readonly epoch: number
  readonly trainLoss: number
  readonly trainAccuracy: number
  /** Precision, recall and AUC of training images: not in rows of older runs; null where undefined. */
  readonly trainPrecision?: number | null
  readonly trainRecall?: number | null
  readonly trainAuc?: number | null
  readonly valLoss: number
  readonly valAccuracy: number
  readonly valPrecision?: number | null
  readonly valRecall?: number | null
  readonly valAuc: number | null
  readonly learningRate: number
  readonly seconds: number
  readonly imagesPerSecond: number
}

/** What a training takes of the machine now, against what it may; and how warm that makes it. */
export interface RunUse {
  /** Processors that it keeps busy, and may. */
  readonly cpuCores: number
  readonly targetCores: number
  /** Sensors that answer; 0 where the machine shows none. */
  readonly sensors: number
  readonly cpuCelsius: number | null
  readonly gpuCelsius: number | null
  /** Thermal pauses so far, and seconds that were lost to them and to the duty cycle. */
  readonly breaks: number
  readonly lostSeconds: number
}

export interface RunProgress {
  readonly phase: 'preparing' | 'training' | 'evaluating' | 'writing' | null
  /** 0 before the first one. */
  readonly epoch: number
  /** 0 while unknown. */
  readonly epochs: number
  readonly batch: number
  readonly batches: number
  /** Images that are prepared, of so many. */
  readonly prepared: { readonly done: number; readonly total: number } | null
  readonly etaSeconds: number | null
  /** Of the last batch or epoch. */
  readonly metrics: {
    readonly loss: number
    readonly accuracy: number
    readonly valLoss: number | null
    readonly valAccuracy: number | null
    readonly valAuc: number | null
  } | null
  readonly learningRate: number | null
  readonly imagesPerSecond: number | null
  readonly memoryBytes: number | null
  readonly cpuSeconds: number | null
  /** Not in runs from before it was watched. */
  readonly use?: RunUse | undefined
  readonly bestEpoch: number | null
  readonly history: readonly RunEpoch[]
  /** Seconds of each phase that has ended. */
  readonly phases: Readonly<Record<string, number>>
  /** After an interruption; what differs from before, such as the number of threads: empty, it ends with the same bits. */
  readonly resumed?: { readonly exact: boolean; readonly differs: readonly string[] } | undefined
  /** What a person should know while it runs, such as overfitting. */
  readonly notes: readonly string[]
}

export const NO_PROGRESS: RunProgress = {
  phase: null,
  epoch: 0,
  epochs: 0,
  batch: 0,
  batches: 0,
  prepared: null,
  etaSeconds: null,
  metrics: null,
  learningRate: null,
  imagesPerSecond: null,
  memoryBytes: null,
  cpuSeconds: null,
  bestEpoch: null,
  history: [],
  phases: {},
  notes: [],
}

/** As it was asked for. */
export interface RunSettings {
  readonly name: string | null
  readonly hyperparameters: Readonly<Record<string, unknown>>
  /** A version id whose weights it starts from. */
  readonly initFrom: string | null
  readonly tags: readonly string[]
}

/** As given out by the API (CONTRACT section 2). */
export interface Run extends RunSettings {
  readonly id: string
  readonly condition: string
  /** Id of the dataset. */
  readonly dataset: string
  readonly datasetName: string
  readonly architecture: string
  readonly preset: string
  readonly state: RunState
  /** Why it is in this state, where that is not plain. */
  readonly reason: string | null
  /** Settings that would help, after it was killed for memory. */
  readonly offer: { readonly batchSize: number } | null
  readonly progress: RunProgress
  /** `condition/name@n` of the version that it left. */
  readonly version: string | null
  readonly lineage: Readonly<Record<string, string | number | null>>
  readonly attempts: number
  readonly createdAt: string
  readonly startedAt: string | null
  readonly endedAt: string | null
  readonly by: string
  readonly via: string
}

export interface NewRun extends RunSettings, Actor {
  readonly id: string
  readonly condition: string
  readonly dataset: string
  readonly architecture: string
  readonly preset: string
  readonly lineage: Run['lineage']
  readonly at: string
}

/** All of them or none, in this order at the end of the queue. */
export async function addRuns(db: Db, runs: readonly NewRun[]): Promise<void> {
  await db
    .insertInto('runs')
    .values(
      runs.map(({ name, hyperparameters, initFrom, tags, lineage, at, ...run }) => ({
        ...run,
        settings: JSON.stringify({ name, hyperparameters, initFrom, tags } satisfies RunSettings),
        state: 'queued' as const,
        reason: null,
        offer: null,
        progress: JSON.stringify(NO_PROGRESS),
        version: null,
        lineage: JSON.stringify(lineage),
        attempts: 0,
        created_at: at,
        started_at: null,
        ended_at: null,
      })),
    )
    .execute()
}

/** @throws AppError `unknown-run` */
export async function getRun(db: Db, id: string): Promise<Run> {
  const row = await query(db).where('runs.id', '=', id).executeTakeFirst()
  if (row) return fromRow(row)
  throw new AppError('unknown-run', 'There is no such training run.')
}

export interface RunFilter {
  readonly state?: RunState | undefined
  readonly condition?: string | undefined
  /** Runs that were asked for together. */
  readonly set?: string | undefined
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

/** Newest first. @throws AppError `invalid` */
export async function listRuns(db: Db, filter: RunFilter): Promise<Page<Run>> {
  const limit = checkLimit(filter.limit)
  let chosen = query(db).orderBy('runs.seq', 'desc')
  if (filter.state) chosen = chosen.where('runs.state', '=', filter.state)
  if (filter.condition) chosen = chosen.where('runs.condition', '=', filter.condition)
  if (filter.set) {
    const set = filter.set
    chosen = chosen.where((eb) =>
      eb(eb.fn<string>('json_extract', ['runs.lineage', eb.val('$.set')]), '=', set),
    )
  }
  if (filter.cursor) {
    chosen = chosen.where('runs.seq', '<', decodeCursor(filter.cursor, SequenceCursor).seq)
  }
  return sequencePage(await chosen.limit(limit + 1).execute(), { limit, toItem: fromRow })
}

/** Those in any of the states, oldest first: the order of the queue. */
export async function runsInState(db: Db, states: readonly RunState[]): Promise<Run[]> {
  const rows = await query(db).where('runs.state', 'in', states).orderBy('runs.seq').execute()
  return rows.map(fromRow)
}

export interface RunChange {
  readonly state?: RunState
  readonly reason?: string | null
  readonly offer?: Run['offer']
  readonly progress?: RunProgress
  readonly version?: string
  readonly attempts?: number
  readonly startedAt?: string
  readonly endedAt?: string | null
}

export async function changeRun(db: Db, id: string, change: RunChange): Promise<void> {
  const { offer, progress, startedAt, endedAt, ...plain } = change
  await db
    .updateTable('runs')
    .where('id', '=', id)
    .set({
      ...plain,
      ...(offer !== undefined && { offer: offer && JSON.stringify(offer) }),
      ...(progress && { progress: JSON.stringify(progress) }),
      ...(startedAt !== undefined && { started_at: startedAt }),
      ...(endedAt !== undefined && { ended_at: endedAt }),
    })
    .execute()
}

/** The version that a run left, by the lineage in its manifest; for a run whose end was not written down any more. */
export async function findVersionOfRun(db: Db, run: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('versions')
    .select(['condition', 'name', 'n'])
    .where((eb) =>
      eb(eb.fn<string>('json_extract', ['versions.manifest', eb.val('$.lineage.run')]), '=', run),
    )
    .executeTakeFirst()
  return row && `${row.condition}/${row.name}@${row.n}`
}

function query(db: Db) {
  return db
    .selectFrom('runs')
    .innerJoin('datasets', 'datasets.id', 'runs.dataset')
    .selectAll('runs')
    .select('datasets.name as dataset_name')
}

function fromRow(row: Selectable<RunTable> & { dataset_name: string }): Run {
  return {
    id: row.id,
    condition: row.condition,
    dataset: row.dataset,
    datasetName: row.dataset_name,
    architecture: row.architecture,
    preset: row.preset,
    ...(JSON.parse(row.settings) as RunSettings),
    state: row.state,
    reason: row.reason,
    offer: row.offer === null ? null : (JSON.parse(row.offer) as Run['offer']),
    progress: JSON.parse(row.progress) as RunProgress,
    version: row.version,
    lineage: JSON.parse(row.lineage) as Run['lineage'],
    attempts: row.attempts,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    by: row.by,
    via: row.via,
  }
}
