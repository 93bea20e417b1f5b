// Many images through two versions, or through one before and another now: a line an image, then the summary. Nothing of
// it is stored.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../errors.ts'
import type { Diagnosis } from '../../inference/diagnose.ts'
import type { Condition } from '../../registry/conditions/conditions.ts'
import { keptImagePath, type Prediction } from '../../registry/predictions/predictions.ts'
import { inPrecision } from '../../registry/versions/version-precision.ts'
import type { Version } from '../../registry/versions/versions.ts'
import {
  type PairedPrediction,
  type PairedSide,
  summarisePairs,
} from '../../statistics/paired-summary.ts'
import { inferImage, leasedVersion, ruleOfVersion } from '../diagnosis/infer-image.ts'
import { whenFree } from '../diagnosis/when-free.ts'
import { asAppError, problemOf } from '../problem.ts'
import type { Uses } from '../services.ts'

export interface PairedJob {
  readonly condition: Condition
  readonly signal: AbortSignal
}

/** One line of the answer: a pair, an image without a prediction, or, last, the summary. */
export type PairedLine =
  | (PairedPrediction & { readonly agree: boolean })
  | { readonly image: string; readonly problem: object }
  | { readonly summary: object }

export interface LabelledImage {
  /** Relative to the folder, for the line. */
  readonly file: string
  readonly truth: string | null
}

/** Every image of a folder by both versions. */
export async function* predictFolder(
  services: Uses<'imaging' | 'leaving' | 'log' | 'runtime' | 'store'>,
  job: PairedJob & { a: Version; b: Version; dir: string; images: readonly LabelledImage[] },
): AsyncGenerator<PairedLine> {
  const { a, b, dir } = job
  const predict = async ({ file, truth }: LabelledImage): Promise<PairedPrediction> => {
    const bytes = await readFile(join(dir, ...file.split('/')))
    const first = await predictWith(services, { ...job, version: a, bytes })
    const second = await predictWith(services, { ...job, version: b, bytes })
    return { image: file, a: sideOf(first), b: sideOf(second), truth }
  }
  yield* lines(services, job, { items: job.images, nameOf: ({ file }) => file, predict })
}

/** Predictions whose images are still kept, predicted again by `version`; `a` is what was given out then. */
export async function* repredict(
  services: Uses<'imaging' | 'leaving' | 'log' | 'runtime' | 'store'>,
  job: PairedJob & { version: Version; predictions: readonly PastPrediction[] },
): AsyncGenerator<PairedLine> {
  const predict = async (past: PastPrediction): Promise<PairedPrediction> => {
    const path = keptImagePath(services, past)
    if (!path) throw new AppError('gone', 'The image of that result is no longer stored.')
    const { version } = job
    const again = await predictWith(services, { ...job, version, bytes: await readFile(path) })
    const { prediction, truth } = past
    return { image: prediction.id, a: sideOf(prediction), b: sideOf(again), truth }
  }
  const nameOf = ({ prediction }: PastPrediction) => prediction.id
  yield* lines(services, job, { items: job.predictions, nameOf, predict })
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
    predict: (item: T) => Promise<PairedPrediction>
  },
): AsyncGenerator<PairedLine> {
  const pairs: PairedPrediction[] = []
  let failed = 0
  for (const item of o.items) {
    if (signal.aborted) return
    try {
      const pair = await o.predict(item)
      pairs.push(pair)
      yield { ...pair, agree: pair.a.label === pair.b.label }
    } catch (error) {
      failed += 1
      const appError = asAppError(error)
      if (appError.code === 'internal')
        services.log.error({ err: error }, 'an image could not be predicted')
      yield { image: o.nameOf(item), problem: problemOf(appError) }
    }
  }
  const labels = condition.classes.map((one) => one.label)
  yield { summary: { ...summarisePairs(pairs, labels), failed } }
}

/** Waits its turn: people come first. */
async function predictWith(
  services: Uses<'imaging' | 'leaving' | 'runtime' | 'store'>,
  o: PairedJob & { version: Version; bytes: Uint8Array },
): Promise<Diagnosis> {
  const { condition, version, signal } = o
  const work = () =>
    inferImage(services, {
      hold: leasedVersion(services, version),
      rule: ({ precision }) => ruleOfVersion(inPrecision(version, precision), condition),
      image: o.bytes,
      signal,
    })
  return (await whenFree(services, { work, signal })).diagnosis
}

function sideOf({ classes, decision }: Pick<Prediction, 'classes' | 'decision'>): PairedSide {
  const probabilities = classes.map(({ label, probability }) => [label, probability])
  return { label: decision.label, probabilities: Object.fromEntries(probabilities) }
}
