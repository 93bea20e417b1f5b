// Thousands of samples of a long training -> a few hundred points that a person can draw.
import { z } from 'zod'
import type { Sample } from '../../telemetry/journal.ts'

const MAX_POINTS = 300

export const PointSchema = z.strictObject({
  at: z.iso.datetime(),
  phase: z.string(),
  cpuCores: z.number(),
  /** 0 to 1, of all processors of the machine. */
  systemCpu: z.number(),
  memoryBytes: z.int(),
  /** Left out where there is no such sensor or card: see results/thermal.json. */
  cpuCelsius: z.number().optional(),
  gpuCelsius: z.number().optional(),
  gpuUtilisation: z.number().optional(),
  isPaused: z.boolean(),
})
export type Point = z.infer<typeof PointSchema>

/** Weighted with the length of each sample; 0 of none. */
export function weightedMean(samples: readonly Sample[], value: (one: Sample) => number): number {
  const length = samples.reduce((sum, one) => sum + one.seconds, 0)
  if (length === 0) return samples[0] ? value(samples[0]) : 0
  return samples.reduce((sum, one) => sum + one.seconds * value(one), 0) / length
}

export function condense(samples: readonly Sample[]): Point[] {
  const step = Math.max(1, Math.ceil(samples.length / MAX_POINTS))
  const points: Point[] = []
  for (let from = 0; from < samples.length; from += step) {
    const part = samples.slice(from, from + step)
    const last = part.at(-1) as Sample
    points.push({
      at: last.at,
      phase: last.phase,
      cpuCores: weightedMean(part, ({ cpuCores }) => cpuCores),
      systemCpu: weightedMean(part, ({ systemCpu }) => systemCpu),
      memoryBytes: Math.round(weightedMean(part, ({ memoryBytes }) => memoryBytes)),
      ...most(part, 'cpuCelsius'),
      ...most(part, 'gpuCelsius'),
      ...most(part, 'gpuUtilisation'),
      isPaused: part.some(({ isPaused }) => isPaused),
    })
  }
  return points
}

function most<K extends 'cpuCelsius' | 'gpuCelsius' | 'gpuUtilisation'>(
  samples: readonly Sample[],
  name: K,
): Partial<Record<K, number>> {
  const known = samples.map((one) => one[name]).filter((value) => value !== null)
  return known.length === 0 ? {} : ({ [name]: Math.max(...known) } as Record<K, number>)
}
