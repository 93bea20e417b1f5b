// One training from a labelled folder to a package, in this process: prepare, train, evaluate, write.
// Meant for a child process (worker.ts); messages go to `report`, wishes come through `control`.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../errors.ts'
import type { Preprocessing } from '../imaging/preprocessing.ts'
import { parseName } from '../package/ids.ts'
import { getArchitecture } from './architectures/catalogue.ts'
import type { ConditionClasses } from './dataset/labels.ts'
import { prepareDataset } from './dataset/prepare.ts'
import { openPrepared } from './dataset/prepared.ts'
import { evaluate } from './evaluation/evaluate.ts'
import { predictAll } from './evaluation/predict.ts'
import type {
  JobCondition,
  TrainingJob,
  TrainingMessage,
  TrainingPhase,
  TrainingSummary,
} from './job.ts'
import { outputsOf } from './loop/batches.ts'
import { type Control, trainModel } from './loop/train.ts'
import { writePackage } from './record/write-package.ts'
import { augmentationFor, completeHyperparameters, type Hyperparameters } from './settings.ts'

export interface JobContext {
  readonly control: Control
  readonly report: (message: TrainingMessage) => void
}

/** @throws AppError with one sentence that says what to do */
export async function runJob(job: TrainingJob, context: JobContext): Promise<TrainingSummary> {
  const startedAt = new Date()
  const phases: Record<string, number> = {}
  const inPhase = async <T>(phase: TrainingPhase, work: () => Promise<T>): Promise<T> => {
    if (context.control.wish === 'cancel') {
      throw new AppError('conflict', 'The training was cancelled.')
    }
    context.report({ type: 'phase', phase })
    const from = performance.now()
    const result = await work()
    phases[phase] = (performance.now() - from) / 1000
    return result
  }
  const architecture = getArchitecture(job.architecture)
  const name = packageName(job)
  const hyperparameters = completeHyperparameters(job.hyperparameters ?? {}, {
    preset: job.preset,
    learningRate: architecture.learningRate,
    imageSize: job.preprocessing?.width ?? architecture.inputSize,
    augmentation: augmentationFor(job.condition.bodyPart),
  })
  await inPhase('preparing', () => prepare(job, { ...context, hyperparameters }))
  const prepared = await openPrepared(preparedDir(job))
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
    const model = architecture.build({ ...shape, outputs: outputsOf(index), seed })
    const trained = await inPhase('training', () =>
      trainModel(model, {
        ...context,
        prepared,
        hyperparameters,
        threads: job.threads,
        checkpointPath: join(job.workDir, 'checkpoint.bin'),
      }),
    )
    const evaluation = await inPhase('evaluating', async () => {
      const outputs = (split: 'calibration' | 'test') =>
        predictAll(model, { prepared, images: prepared.imagesOf(split), threads: job.threads })
      return evaluate({
        classes: index.classes,
        calibration: await outputs('calibration'),
        test: await outputs('test'),
        testSet: index.testSet,
      })
    })
    const { manifest, sha256 } = await inPhase('writing', async () => {
      await rm(job.packageDir, { recursive: true, force: true })
      const input = { job, name, architecture, model, prepared, hyperparameters, trained }
      return writePackage({ ...input, evaluation, startedAt, phases })
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

function packageName(job: TrainingJob): string {
  const { name } = getArchitecture(job.architecture)
  return parseName((job.name ?? `${name}-${job.preset}`).replaceAll('_', '-'), 'name')
}

function preparedDir(job: TrainingJob): string {
  return join(job.workDir, 'prepared')
}

async function prepare(
  job: TrainingJob,
  o: JobContext & { readonly hyperparameters: Hyperparameters },
): Promise<void> {
  const { hyperparameters: h } = o
  const classes = classesOf(job.condition)
  let reported = 0
  await prepareDataset({
    dir: job.datasetDir,
    outDir: preparedDir(job),
    name: job.datasetName,
    preprocessing: job.preprocessing ?? defaultPreprocessing(job, h.imageSize),
    seed: h.seed,
    ...(classes ? { classes } : {}),
    ...(h.maxPerClass === null ? {} : { maxPerClass: h.maxPerClass }),
    onProgress: (done, total) => {
      if (o.control.wish === 'cancel') throw new AppError('conflict', 'The training was cancelled.')
      if (done < total && done < reported + total / 50) return
      reported = done
      o.report({ type: 'progress', phase: 'preparing', done, total })
    },
  })
}

function classesOf({ kind, classes }: JobCondition): ConditionClasses | undefined {
  return kind && classes ? { kind, classes } : undefined
}

/** Values from -1 to 1; X-rays keep their proportions, for the shape of a heart is a finding. */
function defaultPreprocessing(job: TrainingJob, side: number): Preprocessing {
  const skin = job.condition.bodyPart.toLowerCase().includes('skin')
  return {
    schema: 1,
    width: side,
    height: side,
    channels: job.channels ?? (skin ? 3 : 1),
    interpolation: 'bilinear',
    aspect: 'pad',
    antialias: true,
    scale: 1 / 127.5,
    mean: [1],
    std: [1],
    order: 'rgb',
  }
}
