// One training from a labelled folder to a package, in this process: prepare, train, evaluate, write.
// Meant for a child process (worker.ts); messages go to `report`, wishes come through `control`.
import { access, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Architecture } from '../architectures/architecture.ts'
import { getArchitecture } from '../architectures/catalogue.ts'
import { freezeBatchNorm, trainLastLayers } from '../architectures/fine-tuning.ts'
import { readConfig, type ThermalConfig } from '../config.ts'
import { adoptPretrained } from '../conversion/pretrained/adopt-pretrained.ts'
import { pretrainedFor, WITH_PRETRAINED } from '../conversion/pretrained/pretrained.ts'
import type { StoredWeights } from '../conversion/pretrained/weights-store.ts'
import type { EngineName } from '../engine/native/choose-engine.ts'
import { AppError } from '../errors.ts'
import { type Assessment, assess } from '../evaluation/assess.ts'
import { type Evaluation, evaluate } from '../evaluation/evaluate.ts'
import type { Outputs } from '../evaluation/probabilities.ts'
import { parseName } from '../package/ids.ts'
import type { ConditionClasses } from './dataset/labels.ts'
import { preparedFolder, prepareOnce } from './dataset/prepare-once.ts'
import { openPrepared, type PreparedIndex } from './dataset/prepared.ts'
import { defaultPreprocessing } from './default-preprocessing.ts'
import { explanationChoice } from './explanation-choice.ts'
import type { Hyperparameters } from './hyperparameters.ts'
import { adoptWeights } from './initial-version.ts'
import type {
  JobCondition,
  TrainingJob,
  TrainingMessage,
  TrainingPhase,
  TrainingSummary,
} from './job.ts'
import { outputsOf } from './loop/batches.ts'
import { readCheckpoint } from './loop/checkpoint.ts'
import { type Control, whilePaused } from './loop/control.ts'
import { shortenMemory } from './loop/moving-averages.ts'
import { trainModel } from './loop/train.ts'
import { predictAll } from './predict.ts'
import { writePackage } from './record/write-package.ts'
import { augmentationFor, completeHyperparameters } from './settings.ts'
import { RunTelemetry } from './telemetry/run-observer.ts'
import { wholeRun } from './telemetry/whole-run.ts'
import { completeThermal } from './thermal/settings.ts'

export interface JobContext {
  readonly control: Control
  readonly report: (message: TrainingMessage) => void
  /** What computes, loaded in this process; `onnx` by default. */
  readonly engine?: EngineName
  readonly checkpointSeconds?: number
  /** The server's defaults. */
  readonly thermal?: ThermalConfig
}

/** @throws AppError with one sentence that says what to do */
export async function runJob(job: TrainingJob, context: JobContext): Promise<TrainingSummary> {
  const { control, report } = context
  const defaults = context.thermal ?? readConfig({}).thermal
  const thermal = completeThermal(job.hyperparameters?.thermal ?? {}, defaults)
  const threads = Math.min(job.threads, thermal.threads ?? job.threads)
  const { workDir, resume = false } = job
  const { sensorsDir } = defaults
  const watch = { workDir, resume, thermal, threads, sensorsDir, control, report }
  const observer = await RunTelemetry.start(watch)
  control.rest = () => observer.rest()
  try {
    const told = (message: TrainingMessage) => report(observer.withRests(message))
    return await trainObserved({ ...job, threads }, { ...context, report: told, observer })
  } finally {
    delete control.rest
    await observer.stop()
  }
}

interface ObservedContext extends JobContext {
  readonly observer: RunTelemetry
}

async function trainObserved(job: TrainingJob, context: ObservedContext): Promise<TrainingSummary> {
  const startedAt = new Date()
  const { engine = 'onnx', observer } = context
  const phases: Record<string, number> = {}
  const inPhase = async <T>(phase: TrainingPhase, work: () => Promise<T>): Promise<T> => {
    if (context.control.wish === 'cancel') {
      throw new AppError('conflict', 'The training was cancelled.')
    }
    context.report({ type: 'phase', phase })
    observer.enter(phase)
    const from = performance.now()
    const result = await work()
    phases[phase] = (performance.now() - from) / 1000
    return result
  }
  const architecture = getArchitecture(job.architecture)
  const name = packageName(job)
  const pretrained = await pretrainedOf(job, architecture)
  const hyperparameters = completeHyperparameters(job.hyperparameters ?? {}, {
    preset: job.preset,
    learningRate: architecture.learningRate,
    imageSize: job.preprocessing?.width ?? architecture.inputSize,
    augmentation: augmentationFor(job.condition.bodyPart),
    ...(pretrained && WITH_PRETRAINED),
  })
  const dir = await inPhase('preparing', () =>
    prepare(job, { ...context, hyperparameters, pretrained }),
  )
  const prepared = await openPrepared(dir)
  const { index } = prepared
  try {
    context.report({
      type: 'prepared',
      images: index.images.length,
      setAside: index.setAside.length,
      fingerprint: index.fingerprint,
      hyperparameters,
    })
    const [height, width, channels] = index.storage.shape
    const shape = { height, width, channels: channels === 1 ? 1 : 3 } as const
    const { seed } = hyperparameters
    const buildingFrom = performance.now()
    const variant = pretrained?.variant ?? job.initFrom?.variant ?? 'keras'
    const model = architecture.build({ ...shape, outputs: outputsOf(index), seed, variant })
    trainLastLayers(model, hyperparameters.trainedLayers)
    // Refused now rather than after hours of training.
    explanationChoice(architecture, { model, wished: hyperparameters.explanationLayer })
    if (hyperparameters.batchNorm === 'frozen') freezeBatchNorm(model)
    const checkpointPath = join(job.workDir, 'checkpoint.bin')
    const resumeFrom = job.resume ? await findCheckpoint(checkpointPath, context) : undefined
    // Also before going on from a checkpoint, which holds only what is trained.
    if (job.initFrom) await adoptWeights(model, job.initFrom)
    if (pretrained && job.dataDir !== undefined) {
      await adoptPretrained(model, { weights: pretrained, dataDir: job.dataDir })
      context.report({ type: 'log', text: `started from the weights "${pretrained.name}"` })
    }
    const batches = Math.floor(prepared.imagesOf('train').length / hyperparameters.batchSize)
    const isFromScratch = !job.initFrom && !pretrained
    const shortened = isFromScratch ? shortenMemory(model, batches * hyperparameters.epochs) : null
    phases.building = (performance.now() - buildingFrom) / 1000
    const trained = await inPhase('training', () =>
      trainModel(model, {
        ...context,
        prepared,
        hyperparameters,
        engine,
        threads: job.threads,
        checkpointPath,
        ...(resumeFrom && { resumeFrom }),
      }),
    )
    const { evaluation, validation } = await inPhase('evaluating', async () => {
      const { threads } = job
      const outputs = (split: 'validation' | 'calibration' | 'test') =>
        predictAll(model, { prepared, images: prepared.imagesOf(split), threads, engine })
      const evaluation = evaluate({
        classes: index.classes,
        calibration: await outputs('calibration'),
        test: await outputs('test'),
        testSet: index.testSet,
        testGroups: prepared.imagesOf('test').map(({ group }) => group),
      })
      const validation = assessAgain(evaluation, { index, outputs: await outputs('validation') })
      return { evaluation, validation }
    })
    const { manifest, sha256 } = await inPhase('writing', async () => {
      await rm(job.packageDir, { recursive: true, force: true })
      const trial = { job, name, architecture, pretrained, variant }
      const input = { ...trial, model, prepared, hyperparameters, trained, shortened, engine }
      const observed = await observer.observed()
      const times = wholeRun(observed, { startedAt, phases })
      return writePackage({ ...input, evaluation, validation, observed, ...times })
    })
    return {
      packageDir: job.packageDir,
      sha256,
      name,
      epochs: trained.history.length,
      bestEpoch: trained.bestEpoch,
      endedBy: trained.endedBy,
      balancedAccuracy: evaluation.metrics.balancedAccuracy,
      auc: evaluation.metrics.auc,
      sizeBytes: manifest.files.reduce((sum, file) => sum + file.size, 0),
      seconds: (Date.now() - startedAt.getTime()) / 1000,
    }
  } finally {
    prepared.close()
  }
}

/** Other images at the thresholds that an evaluation has chosen. */
function assessAgain(
  { calibration, operatingPoints: points, defaultOperatingPoint }: Evaluation,
  { index, outputs }: { readonly index: PreparedIndex; readonly outputs: Outputs },
): Assessment {
  const point = points.find(({ name }) => name === defaultOperatingPoint) ?? points[0]
  if (!point) throw new Error('an evaluation without an operating point')
  const { classes, fingerprint: testSet } = index
  return assess({ classes, outputs, testSet, calibration, points, point })
}

function pretrainedOf(job: TrainingJob, architecture: Architecture) {
  const { weights, channels, imageSize } = job.hyperparameters ?? {}
  const wanted = { weights, channels, imageSize, initFrom: job.initFrom?.version }
  return pretrainedFor(job.dataDir, { architecture, ...wanted })
}

function packageName(job: TrainingJob): string {
  const { name } = getArchitecture(job.architecture)
  return parseName((job.name ?? `${name}-${job.preset}`).replaceAll('_', '-'), 'name')
}

/** None when it was interrupted before the first was taken, or when the disk has damaged it. */
async function findCheckpoint(path: string, { report }: JobContext) {
  const isThere = await access(path).then(
    () => true,
    () => false,
  )
  if (!isThere) {
    report({ type: 'log', text: 'No checkpoint yet: starting over.' })
    return undefined
  }
  try {
    return await readCheckpoint(path)
  } catch {
    report({ type: 'log', text: 'The checkpoint is damaged: starting over.' })
    return undefined
  }
}

async function prepare(
  job: TrainingJob,
  o: JobContext & {
    readonly hyperparameters: Hyperparameters
    readonly pretrained: StoredWeights | null
  },
): Promise<string> {
  const { hyperparameters: h, pretrained } = o
  const classes = classesOf(job.condition)
  const maxPerClass = h.maxPerClass ?? job.prepared?.maxPerClass ?? null
  const { bodyPart } = job.condition
  const channels = h.channels ?? pretrained?.channels ?? job.channels
  const { aspect, interpolation } = h
  const choice = {
    preprocessing:
      job.preprocessing ??
      defaultPreprocessing({
        bodyPart,
        side: h.imageSize,
        scaling: pretrained?.scaling ?? getArchitecture(job.architecture).preprocessing,
        ...{ aspect, interpolation },
        ...(channels && { channels }),
      }),
    seed: job.prepared?.seed ?? h.seed,
    ...(classes ? { classes } : {}),
    ...(maxPerClass === null ? {} : { maxPerClass }),
    ...(job.prepared && { exclude: job.prepared.exclude }),
    ...(job.prepared?.uncertain && { uncertain: job.prepared.uncertain }),
  }
  const place = job.prepared?.dir ?? join(job.workDir, 'prepared')
  const outDir = preparedFolder(place, choice)
  let reported = 0
  await prepareOnce({
    ...choice,
    dir: job.datasetDir,
    outDir,
    name: job.datasetName,
    onProgress: async (done, total) => {
      await whilePaused(o.control, o.report)
      if (o.control.wish === 'cancel') throw new AppError('conflict', 'The training was cancelled.')
      if (done < total && done < reported + total / 50) return
      reported = done
      o.report({ type: 'progress', phase: 'preparing', done, total })
    },
  })
  return outDir
}

function classesOf({ kind, classes }: JobCondition): ConditionClasses | undefined {
  return kind && classes ? { kind, classes } : undefined
}
