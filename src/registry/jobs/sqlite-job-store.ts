// Jobs in the registry's own database. One process holds the home, so that claiming is one statement; the statement would
// be as good with several.
import { type Selectable, sql, type Transaction } from 'kysely'
import { checkLimit, decodeCursor, SequenceCursor, sequencePage } from '../cursor.ts'
import type { Database, Db } from '../schema/database.ts'
import type { JobTable } from '../schema/schema-jobs.ts'
import type {
  Job,
  JobChange,
  JobEvent,
  JobFilter,
  JobStore,
  JobSubject,
  Moved,
  NewJob,
  Transition,
} from './job-store.ts'

export function sqliteJobStore(db: Db): JobStore {
  return {
    add: (jobs) => db.transaction().execute((trx) => addAll(trx, jobs)),
    find: async (id) => {
      const row = await db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst()
      return row && fromRow(row)
    },
    list: (filter) => list(db, filter),
    inState: async (states, kinds) => {
      const rows = await db
        .selectFrom('jobs')
        .selectAll()
        .where('state', 'in', states)
        .$if(kinds !== undefined, (q) => q.where('kind', 'in', kinds ?? []))
        .orderBy('seq')
        .execute()
      return rows.map(fromRow)
    },
    newest: async (kinds, { type, id }) => {
      const row = await db
        .selectFrom('jobs')
        .selectAll()
        .where('subject_type', '=', type)
        .where('subject_id', '=', id)
        .where('kind', 'in', kinds)
        .orderBy('seq', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row && fromRow(row)
    },
    claim: (o) => db.transaction().execute((trx) => claim(trx, o)),
    nextDueAt: async (kinds) => {
      const row = await db
        .selectFrom('jobs')
        .select((eb) => eb.fn.min('due_at').as('due_at'))
        .where('state', '=', 'queued')
        .where('kind', 'in', kinds)
        .executeTakeFirst()
      return row?.due_at ?? undefined
    },
    move: (id, transition) => db.transaction().execute((trx) => move(trx, id, transition)),
    note: async (id, change) => {
      const values = valuesOf(change)
      if (Object.keys(values).length === 0) return
      await db.updateTable('jobs').where('id', '=', id).set(values).execute()
    },
    addEvent: ({ job, ...event }) => addEvent(db, job, event),
    events: async ({ job, after }) => {
      const rows = await db
        .selectFrom('job_events')
        .select(['seq', 'type', 'data', 'at'])
        .where('job', '=', job)
        .where('seq', '>', after)
        .orderBy('seq')
        .execute()
      return rows.map((row) => ({ ...row, data: JSON.parse(row.data) as unknown }))
    },
    remove: async (id) => void (await db.deleteFrom('jobs').where('id', '=', id).execute()),
    removeEnded: async ({ kind, before }) => {
      const { numDeletedRows } = await db
        .deleteFrom('jobs')
        .where('kind', '=', kind)
        .where('ended_at', '<', before)
        .executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}

async function addAll(trx: Transaction<Database>, jobs: readonly NewJob[]): Promise<Moved[]> {
  const moved: Moved[] = []
  for (const { id, kind, subject, input, dueAt, by, via, at, progress } of jobs) {
    const row = await trx
      .insertInto('jobs')
      .values({
        ...{ id, kind, by, via, state: 'queued', reason: null, attempt: 0 },
        done: progress?.done ?? null,
        total: progress?.total ?? null,
        subject_type: subject?.type ?? null,
        subject_id: subject?.id ?? null,
        input: input === null ? null : JSON.stringify(input),
        due_at: dueAt,
        created_at: at,
        started_at: null,
        ended_at: null,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    moved.push(await told(trx, { row, at }))
  }
  return moved
}

async function list(db: Db, filter: JobFilter) {
  const limit = checkLimit(filter.limit)
  let chosen = db.selectFrom('jobs').selectAll().orderBy('seq', 'desc')
  if (filter.kind) chosen = chosen.where('kind', '=', filter.kind)
  if (filter.state) chosen = chosen.where('state', '=', filter.state)
  if (filter.cursor) {
    chosen = chosen.where('seq', '<', decodeCursor(filter.cursor, SequenceCursor).seq)
  }
  return sequencePage(await chosen.limit(limit + 1).execute(), { limit, toItem: fromRow })
}

async function claim(
  trx: Transaction<Database>,
  { kinds, at, ids }: Parameters<JobStore['claim']>[0],
): Promise<Moved | undefined> {
  if (kinds.length === 0) return undefined
  const row = await trx
    .updateTable('jobs')
    .set((eb) => ({
      // Of another attempt the reason still says why.
      state: 'running',
      attempt: eb('attempt', '+', 1),
      started_at: eb.fn.coalesce('started_at', eb.val(at)),
    }))
    .where('seq', '=', (eb) =>
      eb
        .selectFrom('jobs as due')
        .select('due.seq')
        .where('due.state', '=', 'queued')
        .where('due.kind', 'in', kinds)
        .where('due.due_at', '<=', at)
        .$if(ids !== undefined, (q) => q.where('due.id', 'in', ids ?? []))
        .orderBy('due.due_at')
        .orderBy('due.seq')
        .limit(1),
    )
    .returningAll()
    .executeTakeFirst()
  return row && told(trx, { row, at })
}

async function move(
  trx: Transaction<Database>,
  id: string,
  { state, at, from, detail, ...change }: Transition,
): Promise<Moved | undefined> {
  const row = await trx
    .updateTable('jobs')
    .where('id', '=', id)
    .where('state', 'in', from)
    .set({ state, ...valuesOf(change) })
    .returningAll()
    .executeTakeFirst()
  return row && told(trx, { row, at, detail })
}

/** The row as it is now, with its event. */
async function told(
  trx: Transaction<Database>,
  { row, at, detail }: { row: Selectable<JobTable>; at: string; detail?: object | undefined },
): Promise<Moved> {
  const { state, reason, attempt } = row
  const data = { state, reason, attempt, endedAt: row.ended_at, ...(detail && { detail }) }
  return { job: fromRow(row), event: await addEvent(trx, row.id, { type: 'state', data, at }) }
}

async function addEvent(
  db: Db,
  job: string,
  { type, data, at }: Omit<JobEvent, 'seq'>,
): Promise<JobEvent> {
  const { seq } = await db
    .insertInto('job_events')
    .columns(['job', 'seq', 'type', 'data', 'at'])
    .expression((eb) =>
      eb
        .selectFrom('job_events')
        .where('job', '=', job)
        .select([
          sql<string>`${job}`.as('job'),
          sql<number>`coalesce(max(seq), 0) + 1`.as('seq'),
          sql<string>`${type}`.as('type'),
          sql<string>`${JSON.stringify(data)}`.as('data'),
          sql<string>`${at}`.as('at'),
        ]),
    )
    .returning('seq')
    .executeTakeFirstOrThrow()
  return { seq, type, data, at }
}

function valuesOf({ reason, progress, attempt, dueAt, endedAt }: JobChange) {
  return {
    ...(reason !== undefined && { reason }),
    ...(progress !== undefined && {
      done: progress?.done ?? null,
      total: progress?.total ?? null,
    }),
    ...(attempt !== undefined && { attempt }),
    ...(dueAt !== undefined && { due_at: dueAt }),
    ...(endedAt !== undefined && { ended_at: endedAt }),
  }
}

function fromRow(row: Selectable<JobTable>): Job {
  const { id, kind, state, reason, done, total, attempt, by, via } = row
  return {
    ...{ id, kind, state, reason, attempt, by, via: via as Job['via'] },
    progress: done === null || total === null ? null : { done, total },
    subject:
      row.subject_type === null || row.subject_id === null
        ? null
        : { type: row.subject_type as JobSubject['type'], id: row.subject_id },
    input: row.input === null ? null : (JSON.parse(row.input) as unknown),
    dueAt: row.due_at,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  }
}
