// Messages to targets: what has ended and was not told yet, what is due, and how each try went. Sending is the server's.
import { randomUUID } from 'node:crypto'
import { type Selectable, sql } from 'kysely'
import type { Clock } from '../home/registry-context.ts'
import type { Db } from '../schema/database.ts'
import type { NotificationDeliveryTable } from '../schema/schema-notifications.ts'
import type { NotificationEvent, NotificationTarget } from './notification-targets.ts'

/** What is told, whatever the shape that the far end wants. */
export interface Message {
  readonly event: NotificationEvent | 'test'
  readonly title: string
  /** One or two sentences. */
  readonly text: string
  readonly facts: readonly { readonly name: string; readonly value: string }[]
  /** Path of the page that shows it. */
  readonly path: string
  readonly at: string
}

export interface Delivery {
  readonly id: string
  readonly target: string
  readonly event: string
  readonly subject: string
  readonly message: Message
  readonly state: 'waiting' | 'delivered' | 'failed'
  readonly attempts: number
  readonly nextAt: string | null
  readonly detail: string | null
  readonly createdAt: string
  readonly endedAt: string | null
}

/** Once for each target, event and subject: telling it again changes nothing. */
export async function queueDelivery(
  db: Db,
  o: { target: string; subject: string; message: Message; clock: Clock },
): Promise<void> {
  const at = o.clock().toISOString()
  await db
    .insertInto('notification_deliveries')
    .values({
      id: `nd_${randomUUID()}`,
      target: o.target,
      event: o.message.event,
      subject: o.subject,
      message: JSON.stringify(o.message),
      state: 'waiting',
      attempts: 0,
      next_at: at,
      detail: null,
      created_at: at,
      ended_at: null,
    })
    .onConflict((conflict) => conflict.columns(['target', 'event', 'subject']).doNothing())
    .execute()
}

/** Runs that ended since the target was made, in the states of its events, and were not told to it; oldest first. */
export function findUntoldRuns(db: Db, target: NotificationTarget): Promise<string[]> {
  return findUntold(db, target, { table: 'runs', states: ['finished', 'failed', 'cancelled'] })
}

/** The same of comparisons of two versions on many images. */
export function findUntoldComparisons(db: Db, target: NotificationTarget): Promise<string[]> {
  return findUntold(db, target, { table: 'jobs', states: ['finished', 'failed'] })
}

const EVENT_OF = { runs: 'run', jobs: 'comparison' } as const

async function findUntold(
  db: Db,
  { id, events, createdAt }: NotificationTarget,
  { table, states }: { table: keyof typeof EVENT_OF; states: readonly string[] },
): Promise<string[]> {
  const wanted = states.filter((state) =>
    events.some((event) => event === `${EVENT_OF[table]}.${state}`),
  )
  if (wanted.length === 0) return []
  const { rows } = await sql<{ id: string }>`
    select ended.id from ${sql.table(table)} as ended
    where ${table === 'jobs' ? sql`ended.kind = 'comparison' and` : sql``} ended.state in (${sql.join(wanted)}) and ended.ended_at >= ${createdAt} and not exists (
      select 1 from notification_deliveries as told
      where told.target = ${id} and told.subject = ended.id)
    order by ended.seq`.execute(db)
  return rows.map((row) => row.id)
}

/** Oldest first, for targets that are switched on: what waits for the others must not stand in the way. */
export async function listDue(
  db: Db,
  { clock, limit }: { clock: Clock; limit: number },
): Promise<Delivery[]> {
  const rows = await db
    .selectFrom('notification_deliveries')
    .selectAll()
    .where('state', '=', 'waiting')
    .where('next_at', '<=', clock().toISOString())
    .where('target', 'in', (eb) =>
      eb.selectFrom('notification_targets').select('id').where('enabled', '=', 1),
    )
    .orderBy('next_at')
    .limit(limit)
    .execute()
  return rows.map(fromRow)
}

/** How a try went: delivered, to be tried again at `nextAt`, or given up. */
export async function recordTry(
  db: Db,
  o: {
    id: string
    state: 'waiting' | 'delivered' | 'failed'
    detail: string | null
    nextAt: string | null
    clock: Clock
  },
): Promise<void> {
  const isOpen = o.state === 'waiting'
  await db
    .updateTable('notification_deliveries')
    .where('id', '=', o.id)
    .set((eb) => ({
      state: o.state,
      attempts: eb('attempts', '+', 1),
      detail: o.detail,
      next_at: o.nextAt,
      ended_at: isOpen ? null : o.clock().toISOString(),
    }))
    .execute()
}

/** The log, newest first. */
export async function listDeliveries(
  db: Db,
  { target, limit }: { target?: string | undefined; limit: number },
): Promise<Delivery[]> {
  const rows = await db
    .selectFrom('notification_deliveries')
    .selectAll()
    .$if(target !== undefined, (q) => q.where('target', '=', target ?? ''))
    .orderBy('seq', 'desc')
    .limit(limit)
    .execute()
  return rows.map(fromRow)
}

function fromRow(row: Selectable<NotificationDeliveryTable>): Delivery {
  const { id, target, event, subject, state, attempts, detail } = row
  return {
    ...{ id, target, event, subject, state, attempts, detail },
    message: JSON.parse(row.message) as Message,
    nextAt: row.next_at,
    createdAt: row.created_at,
    endedAt: row.ended_at,
  }
}
