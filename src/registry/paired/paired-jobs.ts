// Two versions on many images, kept: what was asked for, a line for each image, and the summary. Numbers, labels and names
// of files; never pixels. State, progress and owner are those of the job with the same id; doing the work is src/app.
import type { Selectable } from 'kysely'
import { AppError } from '../../errors.ts'
import type { PairedPrediction, PairedSummary } from '../../statistics/paired-summary.ts'
import type { JobState } from '../jobs/job-store.ts'
import type { Db } from '../schema/database.ts'
import type { PairedJobTable } from '../schema/schema-governance.ts'
import type { JobTable } from '../schema/schema-jobs.ts'

export type PairedPair = PairedPrediction & { readonly agree: boolean }
/** A pair, or why an image could not be read. */
export type PairedEntry =
  | PairedPair
  | { readonly image: string; readonly problem: { readonly detail: string } }

export interface PairedJob {
  readonly id: string
  /** `folder`: images of the data root by both; `reread`: what `a` read before, by `b`. */
  readonly kind: 'folder' | 'reread'
  readonly condition: string
  readonly a: string
  readonly b: string
  readonly folder: string | null
  readonly split: string | null
  readonly state: JobState
  /** Why it is in this state, where that is not plain. */
  readonly reason: string | null
  readonly total: number
  readonly done: number
  readonly summary: (PairedSummary & { readonly failed: number }) | null
  readonly by: string
  readonly createdAt: string
  readonly endedAt: string | null
}

export type NewPairedJob = Pick<
  PairedJob,
  'id' | 'kind' | 'condition' | 'a' | 'b' | 'folder' | 'split'
>

/** Listed as soon as its job is there. */
export async function insertPairedJob(db: Db, job: NewPairedJob): Promise<void> {
  await db
    .insertInto('paired_jobs')
    .values({ ...job, summary: null })
    .execute()
}

export async function addPairedEntry(
  db: Db,
  { job, n, entry }: { job: string; n: number; entry: PairedEntry },
): Promise<void> {
  const isDifferent = 'agree' in entry && !entry.agree
  await db
    .insertInto('paired_lines')
    .values({
      job,
      n,
      image: entry.image,
      is_different: isDifferent ? 1 : 0,
      body: JSON.stringify(entry),
    })
    .execute()
}

export async function setPairedSummary(
  db: Db,
  { job, summary }: { job: string; summary: NonNullable<PairedJob['summary']> },
): Promise<void> {
  await db
    .updateTable('paired_jobs')
    .where('id', '=', job)
    .set({ summary: JSON.stringify(summary) })
    .execute()
}

/** @throws AppError `not-found` */
export async function getPairedJob(db: Db, id: string): Promise<PairedJob> {
  const row = await query(db).where('paired_jobs.id', '=', id).executeTakeFirst()
  if (row) return fromRow(row)
  throw new AppError('not-found', 'There is no such comparison; it may have been deleted.')
}

/** Newest first. */
export async function listPairedJobs(
  db: Db,
  { condition, limit }: { condition?: string | undefined; limit: number },
): Promise<PairedJob[]> {
  const rows = await query(db)
    .$if(condition !== undefined, (q) => q.where('paired_jobs.condition', '=', condition ?? ''))
    .orderBy('paired_jobs.seq', 'desc')
    .limit(limit)
    .execute()
  return rows.map(fromRow)
}

/** In the order of reading. */
export async function listPairedEntries(
  db: Db,
  o: { job: string; after?: number; limit: number; onlyDifferent?: boolean },
): Promise<(PairedEntry & { readonly n: number })[]> {
  const rows = await db
    .selectFrom('paired_lines')
    .select(['n', 'body'])
    .where('job', '=', o.job)
    .where('n', '>', o.after ?? 0)
    .$if(o.onlyDifferent === true, (q) => q.where('is_different', '=', 1))
    .orderBy('n')
    .limit(o.limit)
    .execute()
  return rows.map(({ n, body }) => ({ ...(JSON.parse(body) as PairedEntry), n }))
}

/** The lines and the job go with it. @throws AppError `not-found`; `conflict` while it runs or waits */
export async function deletePairedJob(db: Db, id: string): Promise<void> {
  const { endedAt } = await getPairedJob(db, id)
  if (endedAt === null) throw new AppError('conflict', 'It is still running; stop it first.')
  await db.transaction().execute(async (trx) => {
    await trx.deleteFrom('paired_jobs').where('id', '=', id).execute()
    await trx.deleteFrom('jobs').where('id', '=', id).execute()
  })
}

function query(db: Db) {
  return db
    .selectFrom('paired_jobs')
    .innerJoin('jobs', 'jobs.id', 'paired_jobs.id')
    .selectAll('paired_jobs')
    .select(['jobs.state', 'jobs.reason', 'jobs.total', 'jobs.by', 'jobs.created_at'])
    .select('jobs.ended_at')
    .select((eb) =>
      eb
        .selectFrom('paired_lines')
        .whereRef('paired_lines.job', '=', 'paired_jobs.id')
        .select((inner) => inner.fn.countAll<number>().as('count'))
        .as('lines'),
    )
}

type JobColumns = Pick<
  Selectable<JobTable>,
  'state' | 'reason' | 'total' | 'by' | 'created_at' | 'ended_at'
>

function fromRow(
  row: Selectable<PairedJobTable> & JobColumns & { lines: number | null },
): PairedJob {
  const { id, kind, condition, a, b, folder, split, state, reason, by } = row
  return {
    ...{ id, kind, condition, a, b, folder, split, state, reason, by },
    total: row.total ?? 0,
    done: row.lines ?? 0,
    summary: row.summary === null ? null : (JSON.parse(row.summary) as PairedJob['summary']),
    createdAt: row.created_at,
    endedAt: row.ended_at,
  }
}
