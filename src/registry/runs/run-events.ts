// What happened in a training run, in order, so that whoever looks on later misses nothing: states, epochs, log lines.
// Batches are too many to keep; they are only shown while they happen.
import { sql } from 'kysely'
import type { Db, RunEventTable } from '../schema/database.ts'

export interface RunEvent {
  /** From 1, without gaps, within a run. */
  readonly seq: number
  readonly type: RunEventTable['type']
  readonly data: unknown
  readonly at: string
}

export async function addRunEvent(
  db: Db,
  event: { readonly run: string; type: RunEvent['type']; data: unknown; at: string },
): Promise<RunEvent> {
  const { run, type, data, at } = event
  const { seq } = await db
    .insertInto('run_events')
    .columns(['run', 'seq', 'type', 'data', 'at'])
    .expression((eb) =>
      eb
        .selectFrom('run_events')
        .where('run', '=', run)
        .select([
          sql<string>`${run}`.as('run'),
          sql<number>`coalesce(max(seq), 0) + 1`.as('seq'),
          sql<RunEvent['type']>`${type}`.as('type'),
          sql<string>`${JSON.stringify(data)}`.as('data'),
          sql<string>`${at}`.as('at'),
        ]),
    )
    .returning('seq')
    .executeTakeFirstOrThrow()
  return { seq, type, data, at }
}

/** Those behind `after`, oldest first. */
export async function listRunEvents(
  db: Db,
  { run, after }: { readonly run: string; readonly after: number },
): Promise<RunEvent[]> {
  const rows = await db
    .selectFrom('run_events')
    .select(['seq', 'type', 'data', 'at'])
    .where('run', '=', run)
    .where('seq', '>', after)
    .orderBy('seq')
    .execute()
  return rows.map((row) => ({ ...row, data: JSON.parse(row.data) as unknown }))
}

/** The last lines of its log, oldest first. */
export async function lastLogLines(
  db: Db,
  { run, limit }: { readonly run: string; readonly limit: number },
): Promise<{ readonly at: string; readonly text: string }[]> {
  const rows = await db
    .selectFrom('run_events')
    .select(['data', 'at'])
    .where('run', '=', run)
    .where('type', '=', 'log')
    .orderBy('seq', 'desc')
    .limit(limit)
    .execute()
  return rows
    .map(({ data, at }) => ({ at, text: (JSON.parse(data) as { text: string }).text }))
    .reverse()
}
