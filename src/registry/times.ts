// Times as the registry keeps them: ISO 8601 in UTC with milliseconds, so that the order of text is the order of time.
import { AppError } from '../errors.ts'

const DAY = /^\d{4}-\d{2}-\d{2}$/
const WITH_ZONE = /(Z|[+-]\d{2}:?\d{2})$/i

/**
 * A day, or a time with or without an offset (without one: this machine's time zone), as UTC text. A day means its
 * first instant, or its last with `end`. @throws AppError `invalid`
 */
export function parseTime(text: string, { end = false }: { end?: boolean } = {}): string {
  const trimmed = text.trim().replace(/ (\d{2}:?\d{2})$/, '+$1') // a "+" that a query turned into a space
  const isDay = DAY.test(trimmed)
  const date = isDay
    ? new Date(`${trimmed}T${end ? '23:59:59.999' : '00:00:00.000'}`)
    : new Date(
        /^\d{4}-\d{2}-\d{2}T/.test(trimmed) || WITH_ZONE.test(trimmed) ? trimmed : Number.NaN,
      )
  if (!Number.isNaN(date.getTime())) return date.toISOString()
  throw new AppError(
    'invalid',
    `"${text.slice(0, 60)}" is not a time: use the form 2026-03-03T14:05:00+01:00, or a day like 2026-03-03.`,
  )
}
