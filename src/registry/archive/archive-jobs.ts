// Images that came from an archive and what became of each: one row an image for ever, so that none is read twice.

import type { Clock } from '../home/registry-context.ts'
import type { Db } from '../schema/database.ts'
import type { ArchiveJobTable } from '../schema/schema-archive.ts'

export interface ArchiveResult {
  readonly condition: string
  /** Id of the prediction. */
  readonly prediction: string
  /** Stored beside the image. */
  readonly delivered: boolean
}

export interface ArchiveJob {
  readonly key: string
  readonly source: ArchiveJobTable['source']
  readonly state: ArchiveJobTable['state']
  readonly detail: string | null
  readonly results: readonly ArchiveResult[]
  readonly attempts: number
  readonly dueAt: string
  readonly receivedAt: string
  readonly endedAt: string | null
}

/** False when the image is known already. */
export async function addArchiveJob(
  db: Db,
  { key, source, clock }: { key: string; source: ArchiveJob['source']; clock: Clock },
): Promise<boolean> {
  const now = clock().toISOString()
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('archive_jobs')
    .values({
      key,
      source,
      state: 'waiting',
      detail: null,
      results: '[]',
      attempts: 0,
      due_at: now,
      received_at: now,
      ended_at: null,
    })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .executeTakeFirst()
  return Number(numInsertedOrUpdatedRows ?? 0) > 0
}

export async function isKnownImage(db: Db, key: string): Promise<boolean> {
  return (await imageState(db, key)) !== undefined
}

/** Undefined for one that never came. */
export async function imageState(db: Db, key: string): Promise<ArchiveJob['state'] | undefined> {
  const row = await db
    .selectFrom('archive_jobs')
    .select('state')
    .where('key', '=', key)
    .executeTakeFirst()
  return row?.state
}

/** Keys of all that wait. */
export async function waitingImages(db: Db): Promise<ReadonlySet<string>> {
  const waiting = db.selectFrom('archive_jobs').select('key').where('state', '=', 'waiting')
  return new Set((await waiting.execute()).map(({ key }) => key))
}

/** The one that has waited longest past its time. */
export async function dueArchiveJob(db: Db, clock: Clock): Promise<ArchiveJob | undefined> {
  const row = await db
    .selectFrom('archive_jobs')
    .selectAll()
    .where('state', '=', 'waiting')
    .where('due_at', '<=', clock().toISOString())
    .orderBy('due_at')
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst()
  return row && fromRow(row)
}

export type ArchiveProgress = Partial<
  Pick<ArchiveJob, 'state' | 'detail' | 'results' | 'attempts'>
> & {
  readonly dueAt?: string
  readonly endedAt?: string
}

export async function updateArchiveJob(db: Db, key: string, o: ArchiveProgress): Promise<void> {
  await db
    .updateTable('archive_jobs')
    .where('key', '=', key)
    .set({
      ...(o.state && { state: o.state }),
      ...(o.detail !== undefined && { detail: o.detail }),
      ...(o.results && { results: JSON.stringify(o.results) }),
      ...(o.attempts !== undefined && { attempts: o.attempts }),
      ...(o.dueAt && { due_at: o.dueAt }),
      ...(o.endedAt && { ended_at: o.endedAt }),
    })
    .execute()
}

/** Newest first. */
export async function listArchiveJobs(db: Db, limit: number): Promise<ArchiveJob[]> {
  const rows = await db
    .selectFrom('archive_jobs')
    .selectAll()
    .orderBy('seq', 'desc')
    .limit(limit)
    .execute()
  return rows.map(fromRow)
}

export async function countArchiveJobs(
  db: Db,
): Promise<Readonly<Record<ArchiveJob['state'], number>>> {
  const counts = { waiting: 0, done: 0, skipped: 0, failed: 0 }
  const rows = await db
    .selectFrom('archive_jobs')
    .select((eb) => ['state', eb.fn.countAll<number>().as('count')])
    .groupBy('state')
    .execute()
  for (const { state, count } of rows) counts[state] = Number(count)
  return counts
}

function fromRow(row: Omit<ArchiveJobTable, 'seq'>): ArchiveJob {
  return {
    key: row.key,
    source: row.source,
    state: row.state,
    detail: row.detail,
    results: JSON.parse(row.results) as ArchiveResult[],
    attempts: row.attempts,
    dueAt: row.due_at,
    receivedAt: row.received_at,
    endedAt: row.ended_at,
  }
}
