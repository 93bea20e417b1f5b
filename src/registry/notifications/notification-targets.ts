// Whom to tell when a training or a comparison ends: webhooks, chat channels and e-mail addresses, each with its events.
import { randomBytes, randomUUID } from 'node:crypto'
import type { Selectable } from 'kysely'
import { AppError } from '../../errors.ts'
import type { Actor, Clock } from '../home/registry-context.ts'
import type { Db } from '../schema/database.ts'
import type { NotificationTargetTable } from '../schema/schema-notifications.ts'

export const NOTIFICATION_KINDS = ['webhook', 'slack', 'discord', 'email'] as const
export type NotificationKind = (typeof NOTIFICATION_KINDS)[number]

export const NOTIFICATION_EVENTS = [
  'run.finished',
  'run.failed',
  'run.cancelled',
  'comparison.finished',
  'comparison.failed',
] as const
export type NotificationEvent = (typeof NOTIFICATION_EVENTS)[number]

/** As given out: without the secret. */
export interface NotificationTarget {
  readonly id: string
  readonly kind: NotificationKind
  readonly name: string
  readonly address: string
  readonly events: readonly NotificationEvent[]
  readonly enabled: boolean
  readonly createdAt: string
  readonly by: string
}

export interface NewTarget {
  readonly kind: NotificationKind
  readonly name: string
  readonly address: string
  readonly events: readonly NotificationEvent[]
}

/** The secret of a webhook is shown this once; other kinds have none. */
export async function addTarget(
  db: Db,
  { target, actor, clock }: { target: NewTarget; actor: Actor; clock: Clock },
): Promise<NotificationTarget & { readonly secret: string | null }> {
  const id = `nt_${randomUUID()}`
  const secret = target.kind === 'webhook' ? randomBytes(32).toString('hex') : null
  const row = { ...target, id, secret, events: JSON.stringify(target.events), enabled: 1 }
  await db
    .insertInto('notification_targets')
    .values({ ...row, created_at: clock().toISOString(), ...actor })
    .execute()
  return { ...(await getTarget(db, id)), secret }
}

/** @throws AppError `not-found` */
export async function getTarget(db: Db, id: string): Promise<NotificationTarget> {
  return fromRow(await rowOf(db, id))
}

/** The key of a webhook's signatures; null where the kind has none. @throws AppError `not-found` */
export async function getTargetSecret(db: Db, id: string): Promise<string | null> {
  return (await rowOf(db, id)).secret
}

/** Oldest first. */
export async function listTargets(db: Db): Promise<NotificationTarget[]> {
  const rows = await db.selectFrom('notification_targets').selectAll().orderBy('seq').execute()
  return rows.map(fromRow)
}

export interface TargetChange {
  readonly events?: readonly NotificationEvent[] | undefined
  readonly enabled?: boolean | undefined
}

/** @throws AppError `not-found` */
export async function changeTarget(
  db: Db,
  { id, change }: { id: string; change: TargetChange },
): Promise<NotificationTarget> {
  const { events, enabled } = change
  const before = await rowOf(db, id)
  const values = {
    events: events ? JSON.stringify(events) : before.events,
    enabled: enabled === undefined ? before.enabled : Number(enabled),
  }
  await db.updateTable('notification_targets').where('id', '=', id).set(values).execute()
  return getTarget(db, id)
}

/** With the log of what was sent to it. @throws AppError `not-found` */
export async function deleteTarget(db: Db, id: string): Promise<void> {
  await getTarget(db, id)
  await db.transaction().execute(async (trx) => {
    const told = trx.selectFrom('notification_deliveries').select('id').where('target', '=', id)
    await trx.deleteFrom('jobs').where('id', 'in', told).execute()
    await trx.deleteFrom('notification_targets').where('id', '=', id).execute()
  })
}

async function rowOf(db: Db, id: string): Promise<Selectable<NotificationTargetTable>> {
  const row = await db
    .selectFrom('notification_targets')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst()
  if (row) return row
  throw new AppError('not-found', 'There is no such notification; it may have been deleted.')
}

function fromRow(row: Selectable<NotificationTargetTable>): NotificationTarget {
  const { id, kind, name, address, by } = row
  return {
    ...{ id, kind, name, address, by },
    events: JSON.parse(row.events) as NotificationEvent[],
    enabled: row.enabled === 1,
    createdAt: row.created_at,
  }
}
