// The list of versions: search, filter, sort, page by page, quick with a hundred thousand of them. One version whole:
// versions.ts; what is asked for as SQL: version-filter.ts.
import { type RawBuilder, sql } from 'kysely'
import { z } from 'zod'
import { AppError } from '../../errors.ts'
import { checkLimit, decodeCursor, encodeCursor, type Page } from '../cursor.ts'
import type { Db } from '../schema/database.ts'
import { filterSql, type VersionFilter } from './version-filter.ts'
import { type Version, versionFromRow, versionQuery } from './versions.ts'

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

export interface VersionListing extends VersionFilter {
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
type Place = z.infer<typeof PlaceSchema>

/** Up to so many are found by the filter and then sorted; more are found by walking along the order. */
const FEW = 1000

/** @throws AppError `invalid` for a wrong time, number, or cursor of another list */
export async function listVersions(db: Db, listing: VersionListing): Promise<VersionPage> {
  const limit = checkLimit(listing.limit)
  const sort = listing.sort ?? 'createdAt'
  const order = listing.order ?? (isWord(sort) ? 'asc' : 'desc')
  const place = placeOf(listing.cursor, { sort, order })
  const filter = filterSql(listing)
  const few = await findFew(db, filter)
  const total = few ? few.length : await count(db, filter)
  const where = few ? isAmong(few) : filterSql(listing, { walking: true })
  const rows = await walk(db, { column: SORTS[sort], order, where, place, count: limit + 1 })
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    items: shown.map(versionFromRow),
    nextCursor:
      rows.length > limit && last
        ? encodeCursor({ sort, order, value: last[SORTS[sort]], id: last.id })
        : null,
    total,
  }
}

/** The newest of a condition that are not deleted; for lists to choose from. */
export async function newestVersions(
  db: Db,
  { condition, limit }: { condition: string; limit: number },
): Promise<Version[]> {
  const where = filterSql({ condition }, { walking: true })
  const options = { column: 'created_at', order: 'desc', where, place: undefined } as const
  const rows = await walk(db, { ...options, count: limit })
  return rows.map(versionFromRow)
}

/** Those that came with the product and are intact; there are few. */
export async function demonstrationVersions(db: Db): Promise<Version[]> {
  const rows = await versionQuery(db)
    .where(sql<boolean>`demonstration = 1`)
    .where('status', '=', 'verified')
    .orderBy('condition')
    .orderBy('name')
    .orderBy('n')
    .execute()
  return rows.map(versionFromRow)
}

/** Names of the architectures of versions that are not deleted, from one to the next along their index. */
export async function listArchitectures(db: Db): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    with recursive found (name) as (
      select min(architecture) from versions
      union all
      select (select min(architecture) from versions where architecture > found.name)
        from found where found.name is not null
    )
    select name from found where name is not null and exists (
      select 1 from versions where architecture = found.name and +status <> 'deleted'
    )`.execute(db)
  return rows.map((row) => row.name)
}

export function countVersions(db: Db): Promise<number> {
  return count(db, filterSql({}))
}

/** Numbers of the rows that the filter lets through; undefined when there are many. */
async function findFew(db: Db, filter: RawBuilder<boolean>): Promise<number[] | undefined> {
  const found = await db
    .selectFrom('versions')
    .select('id')
    .where(filter)
    .limit(FEW + 1)
    .execute()
  return found.length > FEW ? undefined : found.map(({ id }) => id)
}

function isAmong(ids: readonly number[]): RawBuilder<boolean> {
  return ids.length === 0 ? sql<boolean>`false` : sql<boolean>`versions.id in (${sql.join(ids)})`
}

async function count(db: Db, filter: RawBuilder<boolean>): Promise<number> {
  const { total } = await db
    .selectFrom('versions')
    .select((eb) => eb.fn.countAll<number>().as('total'))
    .where(filter)
    .executeTakeFirstOrThrow()
  return total
}

interface Walk {
  readonly column: (typeof SORTS)[VersionSort]
  readonly order: 'asc' | 'desc'
  readonly where: RawBuilder<boolean>
  readonly place: Place | undefined
  readonly count: number
}

/** First what has a value, in its order, then what has none: each along an index. */
async function walk(db: Db, { column, order, where, place, count }: Walk) {
  const next = sql.raw(order === 'asc' ? '>' : '<')
  const at = sql.ref(`versions.${column}`)
  const query = versionQuery(db).where(where)
  const withValue =
    place?.value === null
      ? []
      : await query
          .where(column, 'is not', null)
          .$if(place !== undefined, (q) =>
            q.where(sql<boolean>`(${at}, versions.id) ${next} (${place?.value}, ${place?.id})`),
          )
          .orderBy(column, order)
          .orderBy('id', order)
          .limit(count)
          .execute()
  if (withValue.length >= count) return withValue
  const without = await query
    .where(column, 'is', null)
    .$if(place?.value === null, (q) => q.where(sql<boolean>`versions.id ${next} ${place?.id}`))
    .orderBy('id', order)
    .limit(count - withValue.length)
    .execute()
  return [...withValue, ...without]
}

/** @throws AppError `invalid` */
function placeOf(
  cursor: string | undefined,
  { sort, order }: { sort: string; order: string },
): Place | undefined {
  if (!cursor) return undefined
  const place = decodeCursor(cursor, PlaceSchema)
  if (place.sort === sort && place.order === order) return place
  throw new AppError('invalid', 'This cursor is from a list in another order; start again.')
}

function isWord(sort: VersionSort): boolean {
  return ['name', 'condition', 'architecture', 'status'].includes(sort)
}
