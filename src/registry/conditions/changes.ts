// The record of settings that were changed: one row a change, who and from where; never overwritten.

import type { Actor, Clock } from '../home/registry-context.ts'
import type { Db } from '../schema/database.ts'

export interface Change {
  readonly field: string
  readonly value: unknown
  readonly at: string
  readonly by: string
  readonly via: string
  /** null: none was given. */
  readonly reason: string | null
}

export interface NewChanges {
  /** A condition id or a version id. */
  readonly subject: string
  readonly values: Readonly<Record<string, unknown>>
  readonly actor: Actor
  readonly reason?: string | undefined
  readonly clock: Clock
}

export async function recordChanges(trx: Db, changes: NewChanges): Promise<void> {
  const { subject, values, actor, clock } = changes
  const at = clock().toISOString()
  const reason = changes.reason?.trim() || null
  const rows = Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([field, value]) => ({
      subject,
      field,
      value: JSON.stringify(value),
      at,
      ...actor,
      reason,
    }))
  if (rows.length > 0) await trx.insertInto('changes').values(rows).execute()
}

/** Newest first. */
export async function listChanges(db: Db, subject: string): Promise<Change[]> {
  const rows = await db
    .selectFrom('changes')
    .select(['field', 'value', 'at', 'by', 'via', 'reason'])
    .where('subject', '=', subject)
    .orderBy('seq', 'desc')
    .limit(200)
    .execute()
  return rows.map((row) => ({ ...row, value: JSON.parse(row.value) as unknown }))
}
