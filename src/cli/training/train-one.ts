// One training for a command: in the queue of the running server when the dataset lies below the data root, else in a child
// process of the command itself, whose package is then registered. Printing the result is the command's.
import { stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { Config } from '../../config.ts'
import { AppError, isAppError } from '../../errors.ts'
import { parseName } from '../../package/ids.ts'
import type { Condition } from '../../registry/conditions/conditions.ts'
import type { Run } from '../../registry/runs/runs.ts'
import type { Version } from '../../registry/versions/versions.ts'
import { noticeOfDataset } from '../../training/dataset/dataset-notice.ts'
import type { JobCondition, TrainingMessage, TrainingSummary } from '../../training/job.ts'
import { logLine } from '../../training/log-line.ts'
import type { Preset } from '../../training/settings.ts'
import type { TrainRequest } from '../../training/train-once.ts'
import type { TrainingProcess } from '../../training/training-process.ts'
import { type Api, withApi } from '../api.ts'
import { type Progress, startProgress } from '../progress.ts'
import { batchNote } from './batch-note.ts'
import { belowDataRoot } from './dataset-jobs.ts'
import { type GivenSettings, hyperparametersOf } from './given-settings.ts'

export interface TrainOptions extends GivenSettings {
  readonly condition: string
  readonly dataset: string
  readonly architecture: string
  readonly preset: Preset
  readonly name?: string
  readonly bodyPart?: string
  readonly tag?: readonly string[]
  readonly initFrom?: string
}

/** `run` of the server's queue, or `summary` of the command's own training. */
export type Trained =
  | { readonly version: Version; readonly run: Run }
  | { readonly version: Version; readonly summary: TrainingSummary }

/** @throws AppError with the reason when it left no version */
export async function trainOne(
  config: Config,
  { wishes, quiet }: { readonly wishes: TrainOptions; readonly quiet: boolean },
): Promise<Trained> {
  const path = belowDataRoot(config, await datasetFolder(config, wishes.dataset))
  const trained = await withApi(config, async (api) =>
    api.isRemote && path !== undefined ? trainInServer(api, { path, wishes, quiet }) : undefined,
  )
  return trained ?? trainHere(config, { wishes, quiet })
}

/** In its queue, with everything that its pages show. */
async function trainInServer(
  api: Api,
  o: { readonly path: string; readonly wishes: TrainOptions; readonly quiet: boolean },
): Promise<Trained> {
  const { runInServer } = await import('./server-run.ts')
  const { architecture, preset, bodyPart, initFrom, name, tag: tags } = o.wishes
  const condition = parseName(o.wishes.condition, 'condition')
  const hyperparameters = hyperparametersOf(o.wishes)
  const wishes = {
    ...{ condition, path: o.path, architecture, preset, hyperparameters },
    ...{ bodyPart, initFrom, name, tags },
  }
  const run = await runInServer(api, { wishes, quiet: o.quiet })
  const [id = '', n] = (run.version ?? '').split('@')
  return { version: await api.json<Version>(`/api/v1/versions/${id}/${n}`), run }
}

async function trainHere(
  config: Config,
  { wishes, quiet }: { readonly wishes: TrainOptions; readonly quiet: boolean },
): Promise<Trained> {
  if (wishes.initFrom !== undefined) {
    throw new AppError(
      'invalid',
      '--init-from needs the running server and a dataset inside the dataset folder; start "roentgen serve" first.',
    )
  }
  // Prepared pixels and checkpoints show patients.
  process.umask(0o077)
  const { trainOnce } = await import('../../training/train-once.ts')
  const request = await requestOf(config, wishes)
  const progress = startProgress('training', { quiet })
  const training: { process?: TrainingProcess } = {}
  const release = onInterrupt(training, progress)
  // Not the store's own staging folder: a server that starts meanwhile empties that.
  const stagingDir = join(config.dataDir, 'training', 'finished')
  const logsDir = join(config.modelsDir, 'logs')
  try {
    const summary = await trainOnce(request, {
      store: { dataDir: config.dataDir, logsDir, stagingDir },
      onMessage: (message) => show(message, progress),
      onProcess: (process) => {
        training.process = process
      },
    })
    progress.end()
    return { version: await register(config, summary.packageDir), summary }
  } finally {
    release()
    progress.end()
  }
}

async function requestOf(config: Config, options: TrainOptions): Promise<TrainRequest> {
  const id = parseName(options.condition, 'condition')
  const datasetDir = await datasetFolder(config, options.dataset)
  const { name, tag } = options
  const notice = await noticeOfDataset(datasetDir)
  return {
    condition: await conditionOf(config, { id, bodyPart: options.bodyPart }),
    datasetDir,
    datasetName: basename(datasetDir),
    architecture: options.architecture,
    preset: options.preset,
    hyperparameters: hyperparametersOf(options),
    ...(name !== undefined && { name: parseName(name, 'name') }),
    ...(tag !== undefined && { tags: tag }),
    ...(notice !== undefined && { demonstration: { notice } }),
  }
}

/** As given, or else below ROENTGEN_DATASETS. */
async function datasetFolder({ datasetsDir }: Config, given: string): Promise<string> {
  for (const folder of [resolve(given), resolve(datasetsDir, given)]) {
    const info = await stat(folder).catch(() => undefined)
    if (info?.isDirectory()) return folder
  }
  throw new AppError('unknown-dataset', `There is no folder "${given.slice(0, 200)}".`)
}

/** The registered condition, or one that the registration of the package will create. */
async function conditionOf(
  config: Config,
  { id, bodyPart }: { id: string; bodyPart: string | undefined },
): Promise<JobCondition> {
  const conditions = await withApi(config, (api) => api.json<Condition[]>('/api/v1/conditions'))
  const { findSynthCondition } = await import('../../synthetic/conditions.ts')
  const known = conditions.find((one) => one.id === id) ?? findSynthCondition(id)
  if (known) {
    const { name, kind, classes } = known
    return { id, name, bodyPart: known.bodyPart, kind, classes }
  }
  const words = id.replace(/[._-]+/g, ' ')
  const name = `${words.charAt(0).toUpperCase()}${words.slice(1)}`
  return { id, name, bodyPart: bodyPart ?? '' }
}

/** A package that cannot be taken over stays where it is, and the words say where. */
async function register(config: Config, packageDir: string): Promise<Version> {
  try {
    return await withApi(config, (api) => api.register(packageDir))
  } catch (error) {
    if (!isAppError(error)) throw error
    const where = `The finished package is kept in ${packageDir}; move it into models/inbox to register it.`
    throw new AppError(error.code, `${error.message} ${where}`, { cause: error })
  }
}

function show(message: TrainingMessage, progress: Progress): void {
  if (message.type === 'batch') {
    const { epoch, epochs, batch, batches } = message
    progress.update((epoch - 1) * batches + batch, epochs * batches, batchNote(message))
    return
  }
  // What ends it is said by the command itself.
  const line = message.type === 'failed' ? undefined : logLine(message)
  if (line !== undefined) progress.say(line)
}

/** Ctrl-C once: stop and keep the best; again, or SIGTERM: cancel. Returns what takes the handlers away. */
function onInterrupt(training: { process?: TrainingProcess }, progress: Progress): () => void {
  let asked = false
  const interrupt = () => {
    if (asked) training.process?.cancel()
    else {
      progress.say('Stopping and keeping the best epoch. Ctrl-C again discards the run.')
      training.process?.stopAndKeepBest()
    }
    asked = true
  }
  const terminate = () => training.process?.cancel()
  process.on('SIGINT', interrupt).on('SIGTERM', terminate)
  return () => void process.off('SIGINT', interrupt).off('SIGTERM', terminate)
}
