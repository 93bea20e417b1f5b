// The list of versions: search, filter, sort, page by page. One version whole: versions.ts.
import { type ExpressionBuilder, sql } from 'kysely'
import { z } from 'zod'
import { AppError } from '../errors.ts'
import { checkLimit, decodeCursor, encodeCursor, type Page } from './cursor.ts'
import type { Database, Db } from './database.ts'
import { parseTime } from './times.ts'
import { type Version, type VersionStatus, versionFromRow, versionQuery } from './versions.ts'

/** What a list can be ordered by, and the column behind it. */
const SORTS = {
  createdAt: 'created_at',
  registeredAt: 'registered_at',
  accuracy: 'accuracy',
  balancedAccuracy: 'balanced_accuracy',
  auc: 'auc',
  sensitivity: 'sensitivity',
  specificity: 'specificity',
  f1: 'f1',
  size: 'size_bytes',
  name: 'name',
  condition: 'condition',
  architecture: 'architecture',
  status: 'status',
} as const
export type VersionSort = keyof typeof SORTS
export const VERSION_SORTS = Object.keys(SORTS) as readonly VersionSort[]

export interface VersionFilter {
  readonly condition?: string | undefined
  readonly architecture?: string | undefined
  /** Deleted ones are listed only when asked for. */
  readonly status?: VersionStatus | undefined
  readonly tag?: string | undefined
  /** Fraction 0..1 on the test split; versions without metrics are left out. */
  readonly minAccuracy?: number | undefined
  /** Time or day of making, inclusive. */
  readonly from?: string | undefined
  readonly to?: string | undefined
  /** Words that must all occur in id, architecture, tags or notes. */
  readonly q?: string | undefined
  readonly sort?: VersionSort | undefined
  /** `desc` by default, `asc` for words. What has no value comes last either way. */
  readonly order?: 'asc' | 'desc' | undefined
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

export interface VersionPage extends Page<Version> {
  /** How many versions the filter lets through, over all pages. */
  readonly total: number
}

const PlaceSchema = z.object({
  sort: z.string(),
  order: z.enum(['asc', 'desc']),
  value: z.union([z.string(), z.number(), z.null()]),
  id: z.int(),
})

/** @throws AppError `invalid` for a wrong time, number, or cursor of another list */
export async function listVersions(db: Db, filter: VersionFilter): Promise<VersionPage> {
  const limit = checkLimit(filter.limit)
  const sort = filter.sort ?? 'createdAt'
  const column = SORTS[sort]
  const order = filter.order ?? (isWord(sort) ? 'asc' : 'desc')
  const matching = conditionsOf(filter)
  let query = versionQuery(db)
    .where(matching)
    .orderBy(sql`${sql.ref(column)} is null`)
    .orderBy(column, order)
    .orderBy('id', order)
  if (filter.cursor) {
    const place = decodeCursor(filter.cursor, PlaceSchema)
    if (place.sort !== sort || place.order !== order) {
      throw new AppError('invalid', 'This cursor is from a list in another order; start again.')
    }
    query = query.where(after({ ...place, column, order }))
  }
  const rows = await query.limit(limit + 1).execute()
  const { total } = await db
    .selectFrom('versions')
    .select((eb) => eb.fn.countAll<number>().as('total'))
    .where(matching)
    .executeTakeFirstOrThrow()
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    items: shown.map(versionFromRow),
    nextCursor:
      rows.length > limit && last
        ? encodeCursor({ sort, order, value: last[column], id: last.id })
        : null,
    total,
  }
}

type Builder = ExpressionBuilder<Database, 'versions'>

function conditionsOf(filter: VersionFilter) {
  const { minAccuracy } = filter
  if (minAccuracy !== undefined && !(minAccuracy >= 0 && minAccuracy <= 1)) {
    throw new AppError('invalid', 'minAccuracy is a fraction from 0 to 1, e.g. 0.85.')
  }
  const from = filter.from && parseTime(filter.from)
  const to = filter.to && parseTime(filter.to, { end: true })
  const words = (filter.q ?? '').toLowerCase().split(/\s+/).filter(Boolean).slice(0, 16)
  return (eb: Builder) =>
    eb.and([
      filter.status
        ? eb('versions.status', '=', filter.status)
        : eb('versions.status', '<>', 'deleted'),
      ...(filter.condition ? [eb('versions.condition', '=', filter.condition)] : []),
      ...(filter.architecture
        ? [eb(sql`lower(versions.architecture)`, '=', filter.architecture.toLowerCase())]
        : []),
      ...(minAccuracy === undefined ? [] : [eb('versions.accuracy', '>=', minAccuracy)]),
      ...(from ? [eb('versions.created_at', '>=', from)] : []),
      ...(to ? [eb('versions.created_at', '<=', to)] : []),
      ...(filter.tag ? [hasTag(eb, filter.tag)] : []),
      ...words.map((word) => sql<boolean>`instr(versions.search_text, ${word}) > 0`),
    ])
}

function hasTag(eb: Builder, tag: string) {
  return eb.exists(
    eb
      .selectFrom('version_tags')
      .select('version_tags.tag')
      .whereRef('version_tags.version', '=', 'versions.id')
      .where('version_tags.tag', '=', tag),
  )
}

/** Rows behind a place, in an order where nulls come last. */
function after(place: {
  column: (typeof SORTS)[VersionSort]
  order: 'asc' | 'desc'
  value: string | number | null
  id: number
}) {
  const { order, value, id } = place
  const column = sql.ref(`versions.${place.column}`)
  const next = sql.raw(order === 'asc' ? '>' : '<')
  return value === null
    ? sql<boolean>`(${column} is null and versions.id ${next} ${id})`
    : sql<boolean>`(${column} ${next} ${value} or (${column} = ${value} and versions.id ${next} ${id}) or ${column} is null)`
}

function isWord(sort: VersionSort): boolean {
  return ['name', 'condition', 'architecture', 'status'].includes(sort)
}
