// The history of a condition: one line an activation or refusal, never deleted. Reading it and writing its lines;
// when a line may be written is activate.ts.

import { randomUUID } from 'node:crypto'
import type { Selectable } from 'kysely'
import type { GateStep } from '../../package/gate-step.ts'
import type { Precision } from '../../package/schema.ts'
import { checkLimit, decodeCursor, type Page, SequenceCursor, sequencePage } from '../cursor.ts'
import type { Actor, Via } from '../home/registry-context.ts'
import type { ActivationTable, Db } from '../schema/database.ts'
import { parseTime } from '../times.ts'

/** As given out by the API (CONTRACT section 2). */
export interface Activation {
  readonly id: string
  readonly condition: string
  readonly version: string
  /** null when a version was asked for that does not exist. */
  readonly sha256: string | null
  /** The version that answered before; null for the first one. */
  readonly previous: string | null
  readonly at: string
  readonly by: string
  readonly via: Via
  readonly reason: string
  readonly outcome: 'activated' | 'refused'
  readonly steps: readonly GateStep[]
  /** Of the graph active from then on; null of a refused line where it was not decided. */
  readonly precision: Precision | null
}

export interface NewActivation {
  readonly condition: string
  readonly version: string
  readonly sha256: string | null
  readonly previous: string | null
  readonly at: string
  readonly actor: Actor
  readonly kind: ActivationTable['kind']
  readonly reason: string
  readonly outcome: ActivationTable['outcome']
  readonly steps: readonly GateStep[]
  /** Null while it is not decided. */
  readonly precision?: Precision | null
}

/** Adds a line and returns its id. */
export async function insertActivation(db: Db, line: NewActivation): Promise<string> {
  const { actor, steps, precision = null, ...rest } = line
  const id = `act_${randomUUID()}`
  await db
    .insertInto('activations')
    .values({ id, ...rest, ...actor, precision, steps: JSON.stringify(steps) })
    .execute()
  return id
}

/** Decides a pending line, or adds the last step to one that was decided. */
export async function updateActivation(
  db: Db,
  id: string,
  change: {
    at?: string
    outcome?: 'activated' | 'refused'
    precision?: Precision
    steps: readonly GateStep[]
  },
): Promise<void> {
  await db
    .updateTable('activations')
    .where('id', '=', id)
    .set({ ...change, steps: JSON.stringify(change.steps) })
    .execute()
}

export async function findActivation(db: Db, id: string): Promise<Activation | undefined> {
  const row = await db
    .selectFrom('activations')
    .selectAll()
    .where('id', '=', id)
    .where('outcome', '<>', 'pending')
    .executeTakeFirst()
  return row && fromRow(row)
}

export interface HistoryFilter {
  readonly condition: string
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
  /** A time: only the line whose version answered then, if one did. */
  readonly at?: string | undefined
}

/** Newest first. @throws AppError `invalid` for a wrong time, limit or cursor */
export async function listHistory(db: Db, filter: HistoryFilter): Promise<Page<Activation>> {
  const limit = checkLimit(filter.limit)
  let query = db
    .selectFrom('activations')
    .selectAll()
    .where('condition', '=', filter.condition)
    .orderBy('seq', 'desc')
  if (filter.at !== undefined) {
    const row = await query
      .where('outcome', '=', 'activated')
      .where('at', '<=', parseTime(filter.at, { end: true }))
      .limit(1)
      .executeTakeFirst()
    return { items: row ? [fromRow(row)] : [], nextCursor: null }
  }
  query = query.where('outcome', '<>', 'pending')
  if (filter.cursor) {
    query = query.where('seq', '<', decodeCursor(filter.cursor, SequenceCursor).seq)
  }
  const rows = await query.limit(limit + 1).execute()
  return sequencePage(rows, { limit, toItem: fromRow })
}

type Row = Selectable<ActivationTable>

function fromRow(row: Row): Activation {
  return {
    id: row.id,
    condition: row.condition,
    version: row.version,
    sha256: row.sha256,
    previous: row.previous,
    at: row.at,
    by: row.by,
    via: row.via,
    reason: row.reason,
    outcome: row.outcome === 'activated' ? 'activated' : 'refused',
    steps: JSON.parse(row.steps) as GateStep[],
    precision: row.precision,
  }
}
