// Many images read by two versions, or read before by one and now by another: a line an image, then the summary. Nothing
// of it is stored.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../errors.ts'
import { chooseOperatingPoint } from '../../inference/decide.ts'
import { type Diagnosis, diagnose } from '../../inference/diagnose.ts'
import type { Condition } from '../../registry/conditions/conditions.ts'
import { packageDir } from '../../registry/home/store.ts'
import { keptImagePath, type Prediction } from '../../registry/predictions/predictions.ts'
import { inPrecision } from '../../registry/versions/version-precision.ts'
import type { Version } from '../../registry/versions/versions.ts'
import {
  type PairedReading,
  type PairedSide,
  summarisePairs,
} from '../../statistics/paired-summary.ts'
import { whenFree } from '../diagnosis/when-free.ts'
import { asAppError, problemOf } from '../problem.ts'
import type { Uses } from '../services.ts'

export interface PairedJob {
  readonly condition: Condition
  readonly signal: AbortSignal
}

/** One line of the answer: a pair, an image that could not be read, or, last, the summary. */
export type PairedLine =
  | (PairedReading & { readonly agree: boolean })
  | { readonly image: string; readonly problem: object }
  | { readonly summary: object }

export interface LabelledImage {
  /** Relative to the folder, for the line. */
  readonly file: string
  readonly truth: string | null
}

/** Every image of a folder by both versions. */
export async function* readFolder(
  services: Uses<'imaging' | 'leaving' | 'log' | 'runtime' | 'store'>,
  job: PairedJob & { a: Version; b: Version; dir: string; images: readonly LabelledImage[] },
): AsyncGenerator<PairedLine> {
  const { a, b, dir } = job
  const read = async ({ file, truth }: LabelledImage): Promise<PairedReading> => {
    const bytes = await readFile(join(dir, ...file.split('/')))
    const first = await readWith(services, { ...job, version: a, bytes })
    const second = await readWith(services, { ...job, version: b, bytes })
    return { image: file, a: sideOf(first), b: sideOf(second), truth }
  }
  yield* lines(services, job, { items: job.images, nameOf: ({ file }) => file, read })
}

/** Predictions whose images are still kept, read again by `version`; `a` is what was given out then. */
export async function* readAgain(
  services: Uses<'imaging' | 'leaving' | 'log' | 'runtime' | 'store'>,
  job: PairedJob & { version: Version; predictions: readonly PastPrediction[] },
): AsyncGenerator<PairedLine> {
  const read = async (past: PastPrediction): Promise<PairedReading> => {
    const path = keptImagePath(services, past)
    if (!path) throw new AppError('gone', 'The image of that result is no longer kept.')
    const { version } = job
    const again = await readWith(services, { ...job, version, bytes: await readFile(path) })
    const { prediction, truth } = past
    return { image: prediction.id, a: sideOf(prediction), b: sideOf(again), truth }
  }
  const nameOf = ({ prediction }: PastPrediction) => prediction.id
  yield* lines(services, job, { items: job.predictions, nameOf, read })
}

export interface PastPrediction {
  readonly prediction: Prediction
  readonly imageFile: string | null
  readonly truth: string | null
}

async function* lines<T>(
  services: Uses<'log'>,
  { condition, signal }: PairedJob,
  o: {
    items: readonly T[]
    nameOf: (item: T) => string
    read: (item: T) => Promise<PairedReading>
  },
): AsyncGenerator<PairedLine> {
  const pairs: PairedReading[] = []
  let failed = 0
  for (const item of o.items) {
    if (signal.aborted) return
    try {
      const pair = await o.read(item)
      pairs.push(pair)
      yield { ...pair, agree: pair.a.label === pair.b.label }
    } catch (error) {
      failed += 1
      const appError = asAppError(error)
      if (appError.code === 'internal') services.log.error({ err: error }, 'an image was not read')
      yield { image: o.nameOf(item), problem: problemOf(appError) }
    }
  }
  const labels = condition.classes.map((one) => one.label)
  yield { summary: { ...summarisePairs(pairs, labels), failed } }
}

type WantedReading = PairedJob & { version: Version; bytes: Uint8Array }

function readWith(
  services: Uses<'imaging' | 'leaving' | 'runtime' | 'store'>,
  o: WantedReading,
): Promise<Diagnosis> {
  return whenFree(services, { work: () => readOnce(services, o), signal: o.signal })
}

async function readOnce(
  services: Uses<'imaging' | 'runtime' | 'store'>,
  o: WantedReading,
): Promise<Diagnosis> {
  const { id, sha256 } = o.version
  const source = { id, sha256, dir: packageDir(services.store, o.version) }
  const lease = await services.runtime.leaseVersion(source)
  try {
    const { preprocessing } = lease
    const image = await services.imaging.read(o.bytes, { preprocessing: [preprocessing] })
    const { kind, classes } = lease.model
    const version = inPrecision(o.version, lease.precision)
    return await diagnose({
      lease,
      tensor: image.tensors[0] ?? new Float32Array(),
      calibration: version.calibration,
      operatingPoint: chooseOperatingPoint({
        points: version.operatingPoints,
        wanted: undefined,
        inUse: o.condition.operatingPoint ?? version.defaultOperatingPoint,
        kind,
        classes,
      }),
      explain: { method: 'none' },
      signal: o.signal,
    })
  } finally {
    lease.release()
  }
}

function sideOf({ classes, decision }: Pick<Prediction, 'classes' | 'decision'>): PairedSide {
  const probabilities = classes.map(({ label, probability }) => [label, probability])
  return { label: decision.label, probabilities: Object.fromEntries(probabilities) }
}
