// results/resources.json: what the training took of the machine while it ran, against what it was to take.
import os from 'node:os'
import { z } from 'zod'
import {
  type Absent,
  absent,
  DurationSchema,
  durationOf,
  SizeSchema,
  sizeOf,
  valueOrReason,
} from '../known.ts'
import { json, type PackageContext, writeFiles } from '../package-context.ts'
import { condense, type Point, PointSchema, weightedMean } from './condense-samples.ts'

const shareOf = z.strictObject({ mean: z.number(), peak: z.number() })

export const ResourcesFileSchema = z.strictObject({
  schema: z.literal(2),
  sampling: z.strictObject({
    everySeconds: z.number(),
    samples: z.int(),
    /** When it was started, and each time that it was resumed. */
    starts: z.array(z.iso.datetime()).min(1),
  }),
  cpu: z.strictObject({
    /** Processors: threads times duty cycle. */
    target: z.strictObject({ cores: z.number(), threads: z.int(), dutyCycle: z.number() }),
    /** Of all processors, in all phases. */
    time: DurationSchema,
    /** While it trained. */
    actual: z.strictObject({
      meanCores: z.number(),
      peakCores: z.number(),
      shareOfTarget: z.number(),
    }),
    machine: shareOf,
    loadAverage: shareOf,
  }),
  memory: z.strictObject({
    /** What a training of this size was expected to take. */
    target: SizeSchema,
    actual: z.strictObject({ mean: SizeSchema, peak: SizeSchema, atEnd: SizeSchema }),
    shareOfTarget: z.number(),
    machine: z.strictObject({ total: SizeSchema, leastFree: SizeSchema }),
  }),
  gpu: valueOrReason(
    z.strictObject({
      utilisation: shareOf,
      memory: valueOrReason(z.strictObject({ peak: SizeSchema })),
    }),
  ),
  phases: z.array(
    z.strictObject({
      phase: z.string(),
      samples: z.int(),
      meanCores: z.number(),
      peakMemory: SizeSchema,
    }),
  ),
  /** Over time, at most 300 points; each is a mean over the samples of its span. */
  series: z.array(PointSchema),
})

const NO_GPU = 'No graphics card was seen by nvidia-smi.'

export async function writeResources(c: PackageContext): Promise<void> {
  await writeFiles(c.dir, { 'results/resources.json': json(resourcesFile(c)) })
}

export function resourcesFile(
  c: Pick<PackageContext, 'observed' | 'peakMemoryBytes' | 'expectedMemoryBytes'>,
): z.infer<typeof ResourcesFileSchema> {
  const { samples, starts, everySeconds, threads, thermal } = c.observed
  const training = samples.filter(({ phase }) => phase === 'training')
  const busy = training.length > 0 ? training : samples
  const cores = threads * thermal.dutyCycle
  const meanCores = weightedMean(busy, ({ cpuCores }) => cpuCores)
  const memories = samples.map(({ memoryBytes }) => memoryBytes)
  const peakBytes = Math.max(c.peakMemoryBytes, peakOf(memories))
  return {
    schema: 2,
    sampling: { everySeconds, samples: samples.length, starts: [...starts] },
    cpu: {
      target: { cores, threads, dutyCycle: thermal.dutyCycle },
      time: durationOf(samples.reduce((sum, one) => sum + one.seconds * one.cpuCores, 0)),
      actual: {
        meanCores,
        peakCores: peakOf(busy.map(({ cpuCores }) => cpuCores)),
        shareOfTarget: meanCores / cores,
      },
      machine: {
        mean: weightedMean(samples, ({ systemCpu }) => systemCpu),
        peak: peakOf(samples.map(({ systemCpu }) => systemCpu)),
      },
      loadAverage: {
        mean: weightedMean(samples, ({ loadAverage }) => loadAverage),
        peak: peakOf(samples.map(({ loadAverage }) => loadAverage)),
      },
    },
    memory: {
      target: sizeOf(Math.round(c.expectedMemoryBytes)),
      actual: {
        mean: sizeOf(Math.round(weightedMean(samples, ({ memoryBytes }) => memoryBytes))),
        peak: sizeOf(peakBytes),
        atEnd: sizeOf(memories.at(-1) ?? c.peakMemoryBytes),
      },
      shareOfTarget: peakBytes / c.expectedMemoryBytes,
      machine: {
        total: sizeOf(os.totalmem()),
        leastFree: sizeOf(leastOf(samples.map(({ freeMemoryBytes }) => freeMemoryBytes))),
      },
    },
    gpu: gpuUse(samples),
    phases: [...Map.groupBy(samples, ({ phase }) => phase)].map(([phase, part]) => ({
      phase,
      samples: part.length,
      meanCores: weightedMean(part, ({ cpuCores }) => cpuCores),
      peakMemory: sizeOf(peakOf(part.map(({ memoryBytes }) => memoryBytes))),
    })),
    series: condense(samples) satisfies Point[],
  }
}

/** Samples of days are too many for the arguments of a call. */
function peakOf(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0)
}

function leastOf(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value), Number.MAX_SAFE_INTEGER)
}

function gpuUse(samples: PackageContext['observed']['samples']) {
  const uses = samples.flatMap(({ gpuUtilisation }) => gpuUtilisation ?? [])
  if (uses.length === 0) return absent(NO_GPU)
  const memories = samples.flatMap(({ gpuMemoryBytes }) => gpuMemoryBytes ?? [])
  const memory: { peak: ReturnType<typeof sizeOf> } | Absent =
    memories.length > 0
      ? { peak: sizeOf(peakOf(memories)) }
      : absent('The card does not tell its memory.')
  const mean = uses.reduce((sum, value) => sum + value, 0) / uses.length
  return { utilisation: { mean, peak: peakOf(uses) }, memory }
}
