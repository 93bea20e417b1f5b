// Images that came from an archive and what became of each: one row an image for ever, so that none is read twice. State,
// attempts and times are those of the image's job.

import { type Selectable, sql } from 'kysely'
import type { Db } from '../schema/database.ts'
import type { ArchiveJobTable } from '../schema/schema-archive.ts'
import type { JobTable } from '../schema/schema-jobs.ts'

export interface ArchiveResult {
  readonly condition: string
  /** Id of the prediction. */
  readonly prediction: string
  /** Stored beside the image. */
  readonly delivered: boolean
}

export type ArchiveState = 'waiting' | 'done' | 'skipped' | 'failed'

export interface ArchiveJob {
  readonly key: string
  readonly source: ArchiveJobTable['source']
  readonly state: ArchiveState
  readonly detail: string | null
  readonly results: readonly ArchiveResult[]
  readonly attempts: number
  readonly receivedAt: string
  readonly endedAt: string | null
}

/** Of the job of an image: one each. */
export function archiveJobId(key: string): string {
  return `ar_${key}`
}

/** Listed as soon as its job is there; a second time nothing happens. */
export async function addArchiveImage(
  db: Db,
  { key, source }: Pick<ArchiveJob, 'key' | 'source'>,
): Promise<void> {
  await db
    .insertInto('archive_jobs')
    .values({ key, source, results: '[]', skipped: 0 })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute()
}

export async function findArchiveJob(db: Db, key: string): Promise<ArchiveJob | undefined> {
  const row = await query(db).where('archive_jobs.key', '=', key).executeTakeFirst()
  return row && fromRow(row)
}

/** Keys of all that wait. */
export async function waitingImages(db: Db): Promise<ReadonlySet<string>> {
  const rows = await query(db).where('jobs.ended_at', 'is', null).execute()
  return new Set(rows.map(({ key }) => key))
}

export async function updateArchiveJob(
  db: Db,
  key: string,
  o: { readonly results?: readonly ArchiveResult[]; readonly skipped?: boolean },
): Promise<void> {
  const values = {
    ...(o.results && { results: JSON.stringify(o.results) }),
    ...(o.skipped !== undefined && { skipped: Number(o.skipped) }),
  }
  await db.updateTable('archive_jobs').where('key', '=', key).set(values).execute()
}

/** Newest first. */
export async function listArchiveJobs(db: Db, limit: number): Promise<ArchiveJob[]> {
  const rows = await query(db).orderBy('archive_jobs.seq', 'desc').limit(limit).execute()
  return rows.map(fromRow)
}

export async function countArchiveJobs(db: Db): Promise<Readonly<Record<ArchiveState, number>>> {
  const counts = { waiting: 0, done: 0, skipped: 0, failed: 0 }
  const rows = await db
    .selectFrom('archive_jobs')
    .innerJoin('jobs', (join) => join.on('jobs.id', '=', jobId))
    .select((eb) => ['jobs.state', 'skipped', eb.fn.countAll<number>().as('count')])
    .groupBy(['jobs.state', 'skipped'])
    .execute()
  for (const { state, skipped, count } of rows) counts[stateOf({ state, skipped })] += Number(count)
  return counts
}

const jobId = sql<string>`'ar_' || archive_jobs.key`

function query(db: Db) {
  return db
    .selectFrom('archive_jobs')
    .innerJoin('jobs', (join) => join.on('jobs.id', '=', jobId))
    .selectAll('archive_jobs')
    .select(['jobs.state', 'jobs.reason', 'jobs.attempt', 'jobs.created_at', 'jobs.ended_at'])
}

type Row = Selectable<ArchiveJobTable> &
  Pick<Selectable<JobTable>, 'state' | 'reason' | 'attempt' | 'created_at' | 'ended_at'>

function stateOf({ state, skipped }: Pick<Row, 'state' | 'skipped'>): ArchiveState {
  if (state === 'finished') return skipped === 1 ? 'skipped' : 'done'
  return state === 'failed' || state === 'cancelled' ? 'failed' : 'waiting'
}

function fromRow(row: Row): ArchiveJob {
  return {
    key: row.key,
    source: row.source,
    state: stateOf(row),
    detail: row.reason,
    results: JSON.parse(row.results) as ArchiveResult[],
    // Those that are over.
    attempts: row.state === 'running' ? row.attempt - 1 : row.attempt,
    receivedAt: row.created_at,
    endedAt: row.ended_at,
  }
}
