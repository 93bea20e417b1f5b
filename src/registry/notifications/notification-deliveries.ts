// Messages to targets, and what has ended and was not told yet. How the tries went is the job's with the same id; sending is
// src/app.
import { randomUUID } from 'node:crypto'
import { type Selectable, sql } from 'kysely'
import { AppError } from '../../errors.ts'
import type { Db } from '../schema/database.ts'
import type { JobTable } from '../schema/schema-jobs.ts'
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

/**
 * Its id; once for each target, event and subject: undefined when it is told already. Its job is the caller's to add; a
 * message whose job was never added is written anew.
 */
export async function writeMessage(
  db: Db,
  o: { readonly target: string; readonly subject: string; readonly message: Message },
): Promise<string | undefined> {
  const id = `nd_${randomUUID()}`
  const { target, subject, message } = o
  const { event } = message
  return db.transaction().execute(async (trx) => {
    await trx
      .deleteFrom('notification_deliveries')
      .where((eb) => eb.and({ target, event, subject }))
      .where('id', 'not in', (eb) => eb.selectFrom('jobs').select('jobs.id'))
      .execute()
    const { numInsertedOrUpdatedRows } = await trx
      .insertInto('notification_deliveries')
      .values({ id, target, event, subject, message: JSON.stringify(message) })
      .onConflict((conflict) => conflict.columns(['target', 'event', 'subject']).doNothing())
      .executeTakeFirst()
    return Number(numInsertedOrUpdatedRows ?? 0) > 0 ? id : undefined
  })
}

/** @throws AppError `not-found` */
export async function getDelivery(db: Db, id: string): Promise<Delivery> {
  const row = await query(db).where('notification_deliveries.id', '=', id).executeTakeFirst()
  if (row) return fromRow(row)
  throw new AppError('not-found', 'There is no such message; its target may have been deleted.')
}

/** Runs that ended since the target was made, in the states of its events, and were not told to it; oldest first. */
export function findUntoldRuns(db: Db, target: NotificationTarget): Promise<string[]> {
  return findUntold(db, target, { kind: 'training', states: ['finished', 'failed', 'cancelled'] })
}

/** The same of comparisons of two versions on many images. */
export function findUntoldComparisons(db: Db, target: NotificationTarget): Promise<string[]> {
  return findUntold(db, target, { kind: 'comparison', states: ['finished', 'failed'] })
}

const EVENT_OF = { training: 'run', comparison: 'comparison' } as const

async function findUntold(
  db: Db,
  { id, events, createdAt }: NotificationTarget,
  { kind, states }: { kind: keyof typeof EVENT_OF; states: readonly string[] },
): Promise<string[]> {
  const wanted = states.filter((state) =>
    events.some((event) => event === `${EVENT_OF[kind]}.${state}`),
  )
  if (wanted.length === 0) return []
  const { rows } = await sql<{ id: string }>`
    select ended.id from jobs as ended
    where ended.kind = ${kind} and ended.state in (${sql.join(wanted)}) and ended.ended_at >= ${createdAt} and not exists (
      select 1 from notification_deliveries as told join jobs on jobs.id = told.id
      where told.target = ${id} and told.subject = ended.id)
    order by ended.seq`.execute(db)
  return rows.map((row) => row.id)
}

/** The log, newest first. */
export async function listDeliveries(
  db: Db,
  { target, limit }: { target?: string | undefined; limit: number },
): Promise<Delivery[]> {
  const rows = await query(db)
    .$if(target !== undefined, (q) => q.where('target', '=', target ?? ''))
    .orderBy('notification_deliveries.seq', 'desc')
    .limit(limit)
    .execute()
  return rows.map(fromRow)
}

/** Ids of what still waits to be sent to a target. */
export async function listWaiting(db: Db, target: string): Promise<string[]> {
  const rows = await query(db)
    .where('target', '=', target)
    .where('jobs.ended_at', 'is', null)
    .execute()
  return rows.map(({ id }) => id)
}

function query(db: Db) {
  return db
    .selectFrom('notification_deliveries')
    .innerJoin('jobs', 'jobs.id', 'notification_deliveries.id')
    .selectAll('notification_deliveries')
    .select(['jobs.state', 'jobs.reason', 'jobs.attempt', 'jobs.due_at', 'jobs.created_at'])
    .select('jobs.ended_at')
}

type Row = Selectable<NotificationDeliveryTable> &
  Pick<Selectable<JobTable>, 'state' | 'reason' | 'attempt' | 'due_at' | 'created_at' | 'ended_at'>

function fromRow(row: Row): Delivery {
  const { id, target, event, subject } = row
  const isOpen = row.ended_at === null
  return {
    ...{ id, target, event, subject },
    message: JSON.parse(row.message) as Message,
    state: isOpen ? 'waiting' : row.state === 'finished' ? 'delivered' : 'failed',
    attempts: row.attempt,
    nextAt: isOpen ? row.due_at : null,
    detail: row.reason,
    createdAt: row.created_at,
    endedAt: row.ended_at,
  }
}
