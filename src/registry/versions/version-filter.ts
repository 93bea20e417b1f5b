// What a list of versions is asked for, as SQL. `+column` keeps SQLite from choosing an index by that term: who asks
// knows better how many rows there are.

import { type RawBuilder, sql } from 'kysely'
import { AppError } from '../../errors.ts'
import type { VersionStatus } from '../schema/states.ts'
import { parseTime } from '../times.ts'

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
  /** Beginnings of words that must all occur in id, architecture, tags or notes; accents do not count. */
  readonly q?: string | undefined
}

const MAX_WORDS = 16

/**
 * Conditions joined by "and". `walking`: for a query that goes along an order, and must not leave it for the index that
 * finds a condition and an architecture. @throws AppError `invalid` for a wrong time or number
 */
export function filterSql(filter: VersionFilter, { walking = false } = {}): RawBuilder<boolean> {
  const { condition, architecture, status, tag, minAccuracy } = filter
  if (minAccuracy !== undefined && !(minAccuracy >= 0 && minAccuracy <= 1)) {
    throw new AppError('invalid', 'minAccuracy is a fraction from 0 to 1, e.g. 0.85.')
  }
  const from = filter.from && parseTime(filter.from)
  const to = filter.to && parseTime(filter.to, { end: true })
  const keep = sql.raw(walking ? '+' : '')
  const terms = [
    status ? sql`+versions.status = ${status}` : sql`+versions.status <> 'deleted'`,
    ...(condition ? [sql`${keep}versions.condition = ${condition}`] : []),
    ...(architecture ? [sql`${keep}versions.architecture = ${architecture} collate nocase`] : []),
    ...(minAccuracy === undefined ? [] : [sql`+versions.accuracy >= ${minAccuracy}`]),
    ...(from ? [sql`+versions.created_at >= ${from}`] : []),
    ...(to ? [sql`+versions.created_at <= ${to}`] : []),
    ...(tag ? [sql`+versions.id in (select version from version_tags where tag = ${tag})`] : []),
    ...(filter.q?.trim() ? [matching(filter.q)] : []),
  ]
  return sql<boolean>`(${sql.join(terms, sql` and `)})`
}

function matching(text: string): RawBuilder<unknown> {
  const words = searchExpression(text)
  if (words === undefined) return sql`false`
  const found = sql`select rowid from version_search where version_search match ${words}`
  return sql`+versions.id in (${found})`
}

/**
 * The query of FTS5 (its documentation, section 3): `tiny-quick@3 dense` asks for the words tiny, quick, 3… in a row and
 * for a word that begins with dense. undefined: something in it is no word, so nothing can match.
 */
function searchExpression(text: string): string | undefined {
  const asked = text.toLowerCase().split(/\s+/).filter(Boolean).slice(0, MAX_WORDS)
  const phrases = asked.map((word) => word.match(/[\p{L}\p{N}\p{M}]+/gu)?.join(' ') ?? '')
  if (phrases.includes('')) return undefined
  return phrases.map((phrase) => `"${phrase}" *`).join(' AND ')
}
