// results/thermal.json: how warm the machine got, what was done about it, and what that cost.
import { z } from 'zod'
import type { Observed } from '../../telemetry/run-observer.ts'
import { ThermalSchema } from '../../thermal/settings.ts'
import {
  absent,
  DistributionSchema,
  DurationSchema,
  distributionOf,
  durationOf,
  valueOrReason,
} from '../known.ts'
import { json, type PackageContext, writeFiles } from '../package-context.ts'

const limit = valueOrReason(z.number())
const TemperatureSchema = valueOrReason(
  DistributionSchema.extend({ first: z.number(), last: z.number() }),
)

export const ThermalFileSchema = z.strictObject({
  schema: z.literal(3),
  /** Degrees Celsius. */
  settings: ThermalSchema.extend({
    pauseAboveCelsius: limit,
    gpuPauseAboveCelsius: limit,
    threads: valueOrReason(z.int()),
  }),
  sensors: valueOrReason(
    z.array(z.strictObject({ name: z.string(), kind: z.string(), source: z.string() })),
  ),
  temperature: z.strictObject({ cpu: TemperatureSchema, gpu: TemperatureSchema }),
  breaks: z.strictObject({
    count: z.int(),
    /** Pauses per hour of training; no rate where there were too few or the run was too short for one. */
    perHour: valueOrReason(z.number()),
    time: DurationSchema,
    list: z.array(
      z.strictObject({
        startedAt: z.iso.datetime(),
        duration: DurationSchema,
        of: z.enum(['cpu', 'gpu']),
        fromCelsius: z.number(),
        toCelsius: valueOrReason(z.number()),
        endedBy: z.string(),
      }),
    ),
    effect: valueOrReason(
      z.strictObject({
        meanFallCelsius: z.number(),
        meanSeconds: z.number(),
        /** Until the next break; null after the last one. */
        meanWorkSecondsBetween: valueOrReason(z.number()),
      }),
    ),
  }),
  dutyCycle: z.strictObject({ target: z.number(), actual: z.number(), rest: DurationSchema }),
  timeLost: z.strictObject({ duration: DurationSchema, share: z.number() }),
  safety: valueOrReason(
    z.strictObject({
      hottestCpuCelsius: valueOrReason(z.number()),
      hottestGpuCelsius: valueOrReason(z.number()),
      /** Time at or above the threshold at which it pauses, breaks included. */
      aboveLimit: DurationSchema,
      overheatingPrevented: z.int(),
      words: z.string(),
    }),
  ),
})
type ThermalFile = z.infer<typeof ThermalFileSchema>

/** A rate per hour needs as many pauses, or as much training. */
const MIN_RATE_COUNT = 3
const MIN_RATE_SECONDS = 3600

const NO_SENSOR = 'This machine shows no temperature sensor.'
const NOT_ASKED = 'Not set: no such limit.'

export async function writeThermal(c: PackageContext): Promise<void> {
  await writeFiles(c.dir, { 'results/thermal.json': json(thermalFile(c.observed)) })
}

export function thermalFile(o: Observed): ThermalFile {
  const { thermal, samples, breaks } = o
  const total = samples.reduce((sum, { seconds }) => sum + seconds, 0)
  const trained = samples
    .filter(({ phase }) => phase === 'training')
    .reduce((sum, { seconds }) => sum + seconds, 0)
  const inBreaks = breaks.reduce((sum, { seconds }) => sum + seconds, 0)
  const lost = inBreaks + o.restSeconds
  const worked = Math.max(0, total - inBreaks)
  return {
    schema: 3,
    settings: {
      ...thermal,
      pauseAboveCelsius: thermal.pauseAboveCelsius ?? absent(NOT_ASKED),
      gpuPauseAboveCelsius: thermal.gpuPauseAboveCelsius ?? absent(NOT_ASKED),
      threads: thermal.threads ?? absent(`Not limited: ${o.threads}, as the server gives.`),
    },
    sensors: o.sensors.length > 0 ? [...o.sensors] : absent(NO_SENSOR),
    temperature: {
      cpu: temperatureOf(samples.map(({ cpuCelsius }) => cpuCelsius)),
      gpu: temperatureOf(samples.map(({ gpuCelsius }) => gpuCelsius)),
    },
    breaks: {
      count: breaks.length,
      perHour: perHourOf(breaks.length, trained),
      time: durationOf(inBreaks),
      list: breaks.map(({ seconds, toCelsius, ...one }) => ({
        ...one,
        duration: durationOf(seconds),
        toCelsius: toCelsius ?? absent('The sensor fell silent.'),
      })),
      effect: effectOf(breaks),
    },
    dutyCycle: {
      target: thermal.dutyCycle,
      actual: worked > 0 ? 1 - o.restSeconds / worked : 1,
      rest: durationOf(o.restSeconds),
    },
    timeLost: { duration: durationOf(lost), share: total > 0 ? lost / total : 0 },
    safety: safetyOf(o),
  }
}

/** One pause within seconds says nothing about an hour. */
function perHourOf(count: number, trainedSeconds: number): ThermalFile['breaks']['perHour'] {
  if (count > 0 && count < MIN_RATE_COUNT && trainedSeconds < MIN_RATE_SECONDS) {
    return absent(
      `${count === 1 ? 'One pause' : `${count} pauses`} in ${Math.round(trainedSeconds)} s of training: too few for a rate.`,
    )
  }
  return trainedSeconds > 0 ? (count * 3600) / trainedSeconds : 0
}

function temperatureOf(values: readonly (number | null)[]) {
  const known = values.filter((value) => value !== null)
  if (known.length === 0) return absent('No such sensor.')
  return { ...distributionOf(known), first: known[0] as number, last: known.at(-1) as number }
}

function effectOf(breaks: Observed['breaks']): ThermalFile['breaks']['effect'] {
  const cooled = breaks.filter(({ toCelsius }) => toCelsius !== null)
  if (cooled.length === 0) return absent('There was no thermal pause.')
  const mean = (values: readonly number[]) => distributionOf(values).mean
  const between = breaks.slice(1).map((one, k) => {
    const before = breaks[k] as (typeof breaks)[number]
    return (Date.parse(one.startedAt) - Date.parse(before.startedAt)) / 1000 - before.seconds
  })
  return {
    meanFallCelsius: mean(cooled.map((one) => one.fromCelsius - (one.toCelsius ?? 0))),
    meanSeconds: mean(breaks.map(({ seconds }) => seconds)),
    meanWorkSecondsBetween:
      between.length > 0 ? mean(between) : absent('There was one thermal pause only.'),
  }
}

function safetyOf(o: Observed): ThermalFile['safety'] {
  if (o.sensors.length === 0) return absent(NO_SENSOR)
  const { pauseAboveCelsius, gpuPauseAboveCelsius } = o.thermal
  const hot = o.samples.filter(
    ({ cpuCelsius, gpuCelsius }) =>
      (pauseAboveCelsius !== null && cpuCelsius !== null && cpuCelsius >= pauseAboveCelsius) ||
      (gpuPauseAboveCelsius !== null && gpuCelsius !== null && gpuCelsius >= gpuPauseAboveCelsius),
  )
  const most = (values: readonly (number | null)[]) => {
    const known = values.filter((value) => value !== null)
    return known.length > 0 ? distributionOf(known).max : absent('No such sensor.')
  }
  const { length } = o.breaks
  return {
    hottestCpuCelsius: most([
      ...o.samples.map(({ cpuCelsius }) => cpuCelsius),
      ...o.breaks.filter((one) => one.of === 'cpu').map(({ fromCelsius }) => fromCelsius),
    ]),
    hottestGpuCelsius: most([
      ...o.samples.map(({ gpuCelsius }) => gpuCelsius),
      ...o.breaks.filter((one) => one.of === 'gpu').map(({ fromCelsius }) => fromCelsius),
    ]),
    aboveLimit: durationOf(hot.reduce((sum, { seconds }) => sum + seconds, 0)),
    overheatingPrevented: length,
    words:
      length === 0
        ? 'It never grew too warm: no thermal pause was needed.'
        : `It was too warm ${length === 1 ? 'once' : `${length} times`}, and the training waited until it had cooled.`,
  }
}
