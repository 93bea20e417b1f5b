// Training runs as rows: what was asked for, the epochs of each, and what it left. State, attempts, times and events are those
// of the job with the same id; doing the work is src/app/runs.
import { type Selectable, sql } from 'kysely'
import { AppError } from '../../errors.ts'
import { checkLimit, decodeCursor, type Page, SequenceCursor, sequencePage } from '../cursor.ts'
import type { Actor } from '../home/registry-context.ts'
import type { JobState } from '../jobs/job-store.ts'
import type { Db, RunTable } from '../schema/database.ts'
import type { JobTable } from '../schema/schema-jobs.ts'
import type { RunState } from '../schema/states.ts'
import { NO_PROGRESS, type RunProgress } from './run-record.ts'

/** States that nothing follows. */
export const ENDED: readonly RunState[] = ['cancelled', 'failed', 'finished']

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

/** All of them or none. Listed as soon as their jobs are there. */
export async function addRuns(db: Db, runs: readonly NewRun[]): Promise<void> {
  await db
    .insertInto('runs')
    .values(
      runs.map(({ id, condition, dataset, architecture, preset, lineage, ...run }) => {
        const { name, hyperparameters, initFrom, tags } = run
        return {
          ...{ id, condition, dataset, architecture, preset },
          settings: JSON.stringify({ name, hyperparameters, initFrom, tags } satisfies RunSettings),
          offer: null,
          progress: JSON.stringify(NO_PROGRESS),
          version: null,
          lineage: JSON.stringify(lineage),
        }
      }),
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
  if (filter.state) chosen = chosen.where(isIn([filter.state]))
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
  const rows = await query(db).where(isIn(states)).orderBy('runs.seq').execute()
  return rows.map(fromRow)
}

export interface RunChange {
  readonly offer?: Run['offer']
  readonly progress?: RunProgress
  readonly version?: string
}

export async function changeRun(db: Db, id: string, change: RunChange): Promise<void> {
  const { offer, progress, version } = change
  await db
    .updateTable('runs')
    .where('id', '=', id)
    .set({
      ...(version !== undefined && { version }),
      ...(offer !== undefined && { offer: offer && JSON.stringify(offer) }),
      ...(progress && { progress: JSON.stringify(progress) }),
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
    .innerJoin('jobs', 'jobs.id', 'runs.id')
    .innerJoin('datasets', 'datasets.id', 'runs.dataset')
    .selectAll('runs')
    .select(['jobs.state', 'jobs.reason', 'jobs.attempt', 'jobs.by', 'jobs.via'])
    .select(['jobs.created_at', 'jobs.started_at', 'jobs.ended_at'])
    .select('datasets.name as dataset_name')
}

const IS_PREPARING = sql<boolean>`coalesce(json_extract(runs.progress, '$.phase'), 'preparing') = 'preparing'`

function isIn(states: readonly RunState[]) {
  const conditions = states.map((state) => {
    if (state === 'preparing') return sql<boolean>`(jobs.state = 'running' and ${IS_PREPARING})`
    if (state === 'running') return sql<boolean>`(jobs.state = 'running' and not ${IS_PREPARING})`
    return sql<boolean>`jobs.state = ${state}`
  })
  return sql<boolean>`(${sql.join(conditions, sql` or `)})`
}

/** As a run's page has it. */
export function runState(state: JobState, { phase }: Pick<RunProgress, 'phase'>): RunState {
  return state === 'running' && (phase ?? 'preparing') === 'preparing' ? 'preparing' : state
}

type Row = Selectable<RunTable> & { readonly dataset_name: string } & Pick<
    Selectable<JobTable>,
    'state' | 'reason' | 'attempt' | 'by' | 'via' | 'created_at' | 'started_at' | 'ended_at'
  >

function fromRow(row: Row): Run {
  const progress = JSON.parse(row.progress) as RunProgress
  return {
    id: row.id,
    condition: row.condition,
    dataset: row.dataset,
    datasetName: row.dataset_name,
    architecture: row.architecture,
    preset: row.preset,
    ...(JSON.parse(row.settings) as RunSettings),
    state: runState(row.state, progress),
    reason: row.reason,
    offer: row.offer === null ? null : (JSON.parse(row.offer) as Run['offer']),
    progress,
    version: row.version,
    lineage: JSON.parse(row.lineage) as Run['lineage'],
    attempts: row.attempt,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    by: row.by,
    via: row.via,
  }
}
