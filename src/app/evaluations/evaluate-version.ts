// A version on labelled images, read as any image is read, measured with intervals, held against its own test figures, and
// kept beside its package.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../errors.ts'
import type { Assessment, AssessmentInput } from '../../evaluation/assess.ts'
import { evaluationWarnings } from '../../evaluation/degradation.ts'
import { measureApart } from '../../evaluation/plots/plot-job.ts'
import type { ResultFigures } from '../../evaluation/plots/result-plots.ts'
import { logitsFromProbabilities } from '../../inference/calibrate.ts'
import { chooseOperatingPoint, defaultOperatingPoint } from '../../inference/decide.ts'
import type { Diagnosis } from '../../inference/diagnose.ts'
import { positiveIndex } from '../../inference/scores.ts'
import { parseCsv } from '../../package/csv.ts'
import type { OperatingPoint } from '../../package/schema.ts'
import type { Actor } from '../../registry/home/registry-context.ts'
import { packageDir } from '../../registry/home/store.ts'
import { addEvaluation, type StoredEvaluation } from '../../registry/versions/evaluations.ts'
import type { Version } from '../../registry/versions/versions.ts'
import { inferImage, leasedVersion } from '../diagnosis/infer-image.ts'
import { whenFree } from '../diagnosis/when-free.ts'
import { versionResults } from '../models/version-results.ts'
import { asAppError, problemOf } from '../problem.ts'
import type { Uses } from '../services.ts'
import {
  type EvaluationSet,
  type EvaluationSetRequest,
  evaluationSet,
  type LabelledFile,
  testSetOf,
} from './evaluation-images.ts'

/** What is kept of an evaluation. */
export interface EvaluationReport {
  readonly assessment: Omit<Assessment, 'answers'>
  readonly figures: ResultFigures
  /** Sentences; the first says whether it performs worse on these images. */
  readonly warnings: readonly string[]
  /** Files that were not measured, by reason; the count is whole. */
  readonly leftOut: {
    readonly count: number
    readonly files: readonly { readonly file: string; readonly reason: string }[]
  }
  readonly seconds: number
}

export type Evaluation = StoredEvaluation<EvaluationReport>

export type EvaluationLine =
  | { readonly done: number; readonly total: number }
  | { readonly image: string; readonly problem: object }
  | { readonly evaluation: Evaluation }

export interface EvaluationRequest extends EvaluationSetRequest {
  readonly version: Version
  readonly actor: Actor
  readonly signal: AbortSignal
}

const SHOWN_FILES = 100

interface Read {
  readonly file: LabelledFile
  readonly sha256: string
  readonly logits: readonly number[]
}

/**
 * A line an image, the kept evaluation last; nothing is kept when it is stopped before.
 * @throws AppError `conflict` when the version cannot read images or none could be read; `invalid`, `unknown-dataset`
 */
export async function* evaluateVersion(
  services: Uses<'clock' | 'config' | 'db' | 'imaging' | 'leaving' | 'log' | 'runtime' | 'store'>,
  request: EvaluationRequest,
): AsyncGenerator<EvaluationLine> {
  const { version, signal } = request
  if (version.status === 'deleted' || version.status === 'quarantined') {
    throw new AppError('conflict', `${version.id} is ${version.status} and cannot be used.`)
  }
  const started = performance.now()
  const set = await evaluationSet(services, request)
  const leftOut = [...set.leftOut]
  const read = new Map<string, Read>()
  const total = set.files.length
  for (const [at, file] of set.files.entries()) {
    if (signal.aborted) return
    try {
      const work = () => predictOne(services, { version, dir: set.dir, file, signal })
      const one = await whenFree(services, { work, signal })
      if (read.has(one.sha256)) {
        leftOut.push({ file: file.file, reason: 'Duplicate image.' })
      } else read.set(one.sha256, one)
    } catch (error) {
      if (signal.aborted) return
      const known = asAppError(error)
      if (known.code === 'internal')
        services.log.error({ err: error }, 'an image could not be predicted')
      leftOut.push({ file: file.file, reason: known.message })
      yield { image: file.file, problem: problemOf(known) }
    }
    yield { done: at + 1, total }
  }
  yield {
    evaluation: await keep(services, { request, set, leftOut, started, read: [...read.values()] }),
  }
}

async function keep(
  services: Uses<'clock' | 'db' | 'log' | 'store'>,
  o: {
    readonly request: EvaluationRequest
    readonly set: EvaluationSet
    readonly leftOut: readonly { readonly file: string; readonly reason: string }[]
    readonly read: readonly Read[]
    readonly started: number
  },
): Promise<Evaluation> {
  const { request, set, leftOut, read } = o
  const { version } = request
  if (read.length === 0) {
    throw new AppError('conflict', `None of the ${set.files.length} images could be analysed.`)
  }
  const input = assessmentInput(version, read)
  const { assessment, figures } = await measureApart(input)
  const own = (await versionResults(services, version)).assessment
  const isFamiliar = set.preparation !== null && set.preparation === version.lineage.dataset
  const learnt = await imagesLearntFrom(packageDir(services.store, version))
  const learntFrom = read.filter(({ sha256 }) => learnt.has(sha256)).length
  const report: EvaluationReport = {
    assessment,
    figures,
    warnings: evaluationWarnings({ here: assessment, own, isFamiliar, learntFrom }),
    leftOut: { count: leftOut.length, files: leftOut.slice(0, SHOWN_FILES) },
    seconds: (performance.now() - o.started) / 1000,
  }
  const kept = await addEvaluation(services.db, {
    version,
    dataset: set.dataset,
    split: set.split,
    metrics: assessment.metrics,
    report,
    actor: request.actor,
    clock: services.clock,
  })
  services.log.info({ version: version.id, dataset: set.dataset }, 'version evaluated')
  return { ...kept, report }
}

/** Digests of the images that its training used in any way but to test; none where the package does not list them. */
async function imagesLearntFrom(dir: string): Promise<ReadonlySet<string>> {
  const table = await readFile(join(dir, 'results/dataset_files.csv'), 'utf8').catch(() => '')
  const used = parseCsv(table).filter(({ split }) => split !== undefined && split !== 'test')
  return new Set(used.map(({ sha256 = '' }) => sha256))
}

/** The version's own calibration and thresholds: what answers is what is measured. */
function assessmentInput(version: Version, read: readonly Read[]): AssessmentInput {
  const { kind, classes, operatingPoints: points, defaultOperatingPoint: inUse } = version
  const columns = kind === 'binary' ? [positiveIndex(classes)] : [...classes.keys()]
  const point: OperatingPoint = chooseOperatingPoint({ points, inUse, kind, classes })
  return {
    classes,
    outputs: {
      kind,
      logits: read.map(({ logits }) => columns.map((k) => logits[k] ?? Number.NaN)),
      truth: read.map(({ file }) => columns.map((k) => Number(file.classes.includes(k)))),
    },
    testSet: testSetOf(read.map(({ sha256, file }) => ({ sha256, classes: file.classes }))),
    calibration: version.calibration,
    points: points.length > 0 ? points : [defaultOperatingPoint(kind, classes)],
    point,
    groups: read.map(({ file }) => file.group),
  }
}

async function predictOne(
  services: Uses<'imaging' | 'runtime' | 'store'>,
  o: {
    readonly version: Version
    readonly dir: string
    readonly file: LabelledFile
    readonly signal: AbortSignal
  },
): Promise<Read> {
  const { version, file, signal } = o
  const bytes = await readFile(join(o.dir, ...file.file.split('/')))
  const { diagnosis, image } = await inferImage(services, {
    // The model as it was trained, whatever answers now: its figures stand beside those of its own test images.
    hold: leasedVersion(services, version, { precision: 'float32' }),
    rule: () => version,
    image: bytes,
    signal,
  })
  return { file, sha256: image.sha256, logits: logitsOf(diagnosis, version) }
}

/** By class. Of a graph that gives probabilities only, logits that give those very probabilities. */
function logitsOf({ classes }: Pick<Diagnosis, 'classes'>, { kind }: Version): number[] {
  if (classes.every(({ logit }) => logit !== null)) return classes.map(({ logit }) => logit ?? 0)
  const given = classes.map(({ uncalibrated }) => uncalibrated)
  if (kind !== 'binary') return logitsFromProbabilities(kind, given)
  return given.map((p) => logitsFromProbabilities(kind, [p])[0] ?? 0)
}
