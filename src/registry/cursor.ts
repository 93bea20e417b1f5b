// Cursors of lists: opaque to the caller, the place of the last row inside; so a page stays right while rows are added.
import { z } from 'zod'
import { AppError } from '../errors.ts'

export interface Page<Item> {
  readonly items: readonly Item[]
  readonly nextCursor: string | null
}

export const DEFAULT_LIMIT = 50
export const MAX_LIMIT = 500

export function encodeCursor(place: unknown): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url')
}

/** @throws AppError `invalid` when the text was not given out by `encodeCursor` for this list */
export function decodeCursor<T extends z.ZodType>(cursor: string, schema: T): z.infer<T> {
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    json = undefined
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  throw new AppError('invalid', 'This cursor is not from this list; start again without one.')
}

/** A place in a list that is ordered by a growing number. */
export const SequenceCursor = z.object({ seq: z.int().min(1) })

/** @throws AppError `invalid` */
export function checkLimit(limit: number | undefined): number {
  if (limit === undefined) return DEFAULT_LIMIT
  if (Number.isInteger(limit) && limit >= 1) return Math.min(limit, MAX_LIMIT)
  throw new AppError('invalid', 'The limit must be a whole number of 1 or more.')
}

/** A page of rows ordered by `seq` downwards, asked for with one row more than `limit`. */
export function sequencePage<Row extends { seq: number }, Item>(
  rows: readonly Row[],
  { limit, toItem }: { limit: number; toItem: (row: Row) => Item },
): Page<Item> {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    items: shown.map(toItem),
    nextCursor: rows.length > limit && last ? encodeCursor({ seq: last.seq }) : null,
  }
}
