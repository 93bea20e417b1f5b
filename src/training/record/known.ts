// Words that all files of a record share: a value or why there is none, a time, a duration, a number of bytes.
import { z } from 'zod'

/** What stands where a value is asked for that is not known or not defined. */
export const WhyNotSchema = z
  .strictObject({ value: z.null(), reason: z.string().min(1) })
  .meta({ id: 'Absent' })
export type Absent = Readonly<z.infer<typeof WhyNotSchema>>

export function absent(reason: string): Absent {
  return { value: null, reason }
}

export function valueOrReason<T extends z.ZodType>(schema: T) {
  return z.union([schema, WhyNotSchema])
}

export function knownOr<T>(value: T | null | undefined, reason: string): T | Absent {
  return value === null || value === undefined ? absent(reason) : value
}

/** ISO 8601 (RFC 3339), in UTC and as the machine's clock showed it. */
export const MomentSchema = z
  .strictObject({
    utc: z.iso.datetime(),
    local: z.iso.datetime({ offset: true }),
  })
  .meta({ id: 'Moment' })
export type Moment = Readonly<z.infer<typeof MomentSchema>>

export function momentOf(date: Date): Moment {
  const minutes = -date.getTimezoneOffset()
  const shifted = new Date(date.getTime() + minutes * 60_000).toISOString().slice(0, -1)
  const two = (value: number): string => String(value).padStart(2, '0')
  const far = Math.abs(minutes)
  const offset = `${minutes < 0 ? '-' : '+'}${two(Math.floor(far / 60))}:${two(far % 60)}`
  return { utc: date.toISOString(), local: `${shifted}${offset}` }
}

export const DurationSchema = z
  .strictObject({ seconds: z.number().min(0), readable: z.string() })
  .meta({ id: 'Duration' })
export type Duration = Readonly<z.infer<typeof DurationSchema>>

export function durationOf(seconds: number): Duration {
  return { seconds: Number(seconds.toFixed(3)), readable: readableDuration(seconds) }
}

/** 83.5 as "1 min 24 s", 0.04 as "0.04 s". */
export function readableDuration(seconds: number): string {
  if (seconds < 10) return `${Number(seconds.toFixed(2))} s`
  const whole = Math.round(seconds)
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)]
  const parts = [hours > 0 ? `${hours} h` : '', hours + minutes > 0 ? `${minutes} min` : '']
  return [...parts, `${whole % 60} s`].filter(Boolean).join(' ')
}

export const SizeSchema = z
  .strictObject({ bytes: z.int().min(0), readable: z.string() })
  .meta({ id: 'Size' })
export type Size = Readonly<z.infer<typeof SizeSchema>>

export function sizeOf(bytes: number): Size {
  return { bytes, readable: readableBytes(bytes) }
}

/** 1536 as "1.5 KiB". */
export function readableBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  const step = bytes < 1024 ? 0 : Math.min(4, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** step
  return `${step === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[step]}`
}

export interface Distribution {
  readonly count: number
  readonly mean: number
  readonly standardDeviation: number
  readonly min: number
  readonly max: number
}

export const DistributionSchema = z.strictObject({
  count: z.int().min(1),
  mean: z.number(),
  standardDeviation: z.number().min(0),
  min: z.number(),
  max: z.number(),
})

/** Of the whole population (divided by n). @throws RangeError for none */
export function distributionOf(values: Iterable<number>): Distribution {
  let [count, mean, squares] = [0, 0, 0]
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  // Welford's recurrence: exact for long arrays of small numbers.
  for (const value of values) {
    count += 1
    const far = value - mean
    mean += far / count
    squares += far * (value - mean)
    if (value < min) min = value
    if (value > max) max = value
  }
  if (count === 0) throw new RangeError('no values')
  return { count, mean, standardDeviation: Math.sqrt(squares / count), min, max }
}
