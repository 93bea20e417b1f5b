// Two versions on many images, kept: what was asked for, a line for each image, and the summary. Numbers, labels and names
// of files; never pixels. The reading itself is the server's.
import { randomUUID } from 'node:crypto'
import type { Selectable } from 'kysely'
import { AppError } from '../../errors.ts'
import type { PairedPrediction, PairedSummary } from '../../statistics/paired-summary.ts'
import type { Actor, Clock } from '../home/registry-context.ts'
import type { Db } from '../schema/database.ts'
import type { PairedJobTable } from '../schema/schema-governance.ts'

export type PairedJobState = 'running' | 'finished' | 'failed' | 'ended'
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
  readonly state: PairedJobState
  /** Why it failed or ended. */
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
  'kind' | 'condition' | 'a' | 'b' | 'folder' | 'split' | 'total'
>

export async function insertPairedJob(
  db: Db,
  { job, actor, clock }: { job: NewPairedJob; actor: Actor; clock: Clock },
): Promise<string> {
  const id = `ab_${randomUUID()}`
  const row = { id, ...job, ...actor, created_at: clock().toISOString() }
  const open = { state: 'running', reason: null, summary: null, ended_at: null } as const
  await db
    .insertInto('paired_jobs')
    .values({ ...row, ...open })
    .execute()
  return id
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

/** Once; a job that has ended stays as it ended. */
export async function endPairedJob(
  db: Db,
  id: string,
  end: {
    state: Exclude<PairedJobState, 'running'>
    reason: string | null
    summary: PairedJob['summary']
    clock: Clock
  },
): Promise<void> {
  const { state, reason, summary, clock } = end
  await db
    .updateTable('paired_jobs')
    .where('id', '=', id)
    .where('state', '=', 'running')
    .set({
      state,
      reason,
      summary: summary && JSON.stringify(summary),
      ended_at: clock().toISOString(),
    })
    .execute()
}

/** Those whose process is gone. */
export async function endLostPairedJobs(db: Db, { clock }: { clock: Clock }): Promise<void> {
  await db
    .updateTable('paired_jobs')
    .where('state', '=', 'running')
    .set({
      state: 'ended',
      reason: 'Roentgen was stopped while it ran.',
      ended_at: clock().toISOString(),
    })
    .execute()
}

/** @throws AppError `not-found` */
export async function getPairedJob(db: Db, id: string): Promise<PairedJob> {
  const row = await query(db).where('id', '=', id).executeTakeFirst()
  if (row) return fromRow(row)
  throw new AppError('not-found', 'There is no such comparison; it may have been deleted.')
}

/** Newest first. */
export async function listPairedJobs(
  db: Db,
  { condition, limit }: { condition?: string | undefined; limit: number },
): Promise<PairedJob[]> {
  const rows = await query(db)
    .$if(condition !== undefined, (q) => q.where('condition', '=', condition ?? ''))
    .orderBy('seq', 'desc')
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

/** The lines go with it. @throws AppError `not-found`; `conflict` while it runs */
export async function deletePairedJob(db: Db, id: string): Promise<void> {
  const { state } = await getPairedJob(db, id)
  if (state === 'running') throw new AppError('conflict', 'It still runs; stop it first.')
  await db.deleteFrom('paired_jobs').where('id', '=', id).execute()
}

function query(db: Db) {
  return db
    .selectFrom('paired_jobs')
    .selectAll()
    .select((eb) =>
      eb
        .selectFrom('paired_lines')
        .whereRef('paired_lines.job', '=', 'paired_jobs.id')
        .select((inner) => inner.fn.countAll<number>().as('count'))
        .as('done'),
    )
}

function fromRow(row: Selectable<PairedJobTable> & { done: number | null }): PairedJob {
  const { id, kind, condition, a, b, folder, split, state, reason, total, by } = row
  return {
    ...{ id, kind, condition, a, b, folder, split, state, reason, total, by },
    done: row.done ?? 0,
    summary: row.summary === null ? null : (JSON.parse(row.summary) as PairedJob['summary']),
    createdAt: row.created_at,
    endedAt: row.ended_at,
  }
}
