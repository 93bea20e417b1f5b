// roentgen train: one training, in the queue of the running server when its dataset lies below the data root, else in a child
// process of this command; the package that it leaves is registered and answers only under policy `follow`.
import { openAsBlob } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { type Config, readConfig } from '../../config.ts'
import { AppError } from '../../errors.ts'
import { parseName } from '../../package/ids.ts'
import type { Condition } from '../../registry/conditions.ts'
import type { Version } from '../../registry/versions.ts'
import { noticeOfDataset } from '../../training/dataset-notice.ts'
import type { JobCondition, TrainingMessage } from '../../training/job.ts'
import { logLine } from '../../training/log-line.ts'
import { PRESETS, type Preset } from '../../training/settings.ts'
import type { TrainRequest } from '../../training/train-once.ts'
import type { TrainingProcess } from '../../training/training-process.ts'
import { type Api, withApi } from '../api.ts'
import { command, wholeNumber } from '../command.ts'
import { addCoolingOptions } from '../cooling-options.ts'
import { belowDataRoot } from '../dataset-jobs.ts'
import { type GivenSettings, hyperparametersOf } from '../given-settings.ts'
import { printFields, printJson, printLine, share } from '../output.ts'
import { type Progress, startProgress } from '../progress.ts'

interface Options extends GivenSettings {
  readonly json?: true
  readonly condition: string
  readonly dataset: string
  readonly architecture: string
  readonly preset: Preset
  readonly name?: string
  readonly bodyPart?: string
  readonly tag?: readonly string[]
  readonly initFrom?: string
  readonly all?: true
}

export function addTrainCommand(program: Command): void {
  const train = command(program, 'train', {
    does: 'Train a model on a folder of labelled images and register it. Ctrl-C once keeps the best so far, twice keeps nothing.',
    example:
      'roentgen train --condition pneumonia --dataset Dataset/pneumonia --architecture tiny_cnn --preset quick',
  })
    .option('--condition <id>', 'what it shall diagnose')
    .option('--dataset <folder>', 'a folder with a folder of images for each class')
    .option(
      '--all',
      'instead: every dataset that was prepared for a condition, one after the other in the running server; by default DenseNet121 with both heatmap presets',
    )
    .option('--architecture <name>', 'how it is built', 'tiny_cnn')
    .addOption(
      new Option('--preset <preset>', 'epochs: 5, 25, 50; 10 and 15 with 500 images a class')
        .choices(Object.keys(PRESETS))
        .default('standard'),
    )
    .option('--name <name>', 'name of the version; by default architecture and preset')
    .option('--body-part <text>', 'of a new condition, e.g. chest')
    .option('--epochs <number>', 'instead of the preset', wholeNumber(1, 1000))
    .option('--batch-size <number>', 'images of one step', wholeNumber(2, 512))
    .option('--learning-rate <number>', 'of the first step')
    .option('--image-size <pixels>', 'side of the input', wholeNumber(16, 1024))
    .option('--seed <number>', 'of split, order and augmentation', wholeNumber(0, 2_147_483_647))
    .option(
      '--weights <name>',
      'pretrained weights to start from: imagenet, or a name of "weights list"',
    )
    .option('--set <name=value...>', 'any other setting, e.g. optimizer=sgd trainedLayers=20')
    .option(
      '--int8',
      'also make the graph in int8; kept if it loses at most half a point of accuracy',
    )
  addCoolingOptions(train)
    .option('--init-from <version>', 'start from the weights of a version (in the running server)')
    .option('--tag <tag...>', 'tags of the version')
    .action(run)
}

async function run(given: Partial<Options>, program: Command): Promise<void> {
  const config = readConfig()
  if (given.all) return trainAll(config, given, program)
  const options = complete(given)
  const path = belowDataRoot(config, await datasetFolder(config, options.dataset))
  const isDone = await withApi(config, async (api) => {
    if (!api.isRemote || path === undefined) return false
    await trainInServer(api, path, options)
    return true
  })
  if (!isDone) await trainHere(config, options)
}

/** @throws AppError `invalid` */
function complete(given: Partial<Options>): Options {
  const { condition, dataset, architecture = 'tiny_cnn', preset = 'standard' } = given
  if (condition === undefined || dataset === undefined) {
    throw new AppError('invalid', 'Say what to train: --condition and --dataset, or --all.')
  }
  return { ...given, condition, dataset, architecture, preset }
}

async function trainAll(
  config: Config,
  options: Partial<Options>,
  program: Command,
): Promise<void> {
  const { trainTogether } = await import('../train-together.ts')
  const isGiven = (name: string): boolean => program.getOptionValueSource(name) === 'cli'
  const { architecture = '', preset = 'standard' } = options
  const wishes = {
    architecture: isGiven('architecture') ? architecture : 'DenseNet121',
    presets: isGiven('preset') ? [preset] : ['heatmap-standard', 'heatmap-intensive'],
    hyperparameters: hyperparametersOf(options),
  }
  const set = await withApi(config, async (api) => {
    if (api.isRemote) return trainTogether(api, { wishes, quiet: options.json === true })
    throw new AppError('invalid', '--all needs the running server; start "roentgen serve" first.')
  })
  if (options.json) printJson(set)
  const failed = set.runs.filter(({ run }) => run.state !== 'finished').length
  if (failed > 0) throw new AppError('conflict', `${failed} of ${set.runs.length} left no version.`)
}

/** In its queue, with everything that its pages show. */
async function trainInServer(api: Api, path: string, options: Options): Promise<void> {
  const { runInServer } = await import('../server-run.ts')
  const { architecture, preset, bodyPart, initFrom, name, tag: tags, json } = options
  const condition = parseName(options.condition, 'condition')
  const hyperparameters = hyperparametersOf(options)
  const wishes = {
    ...{ condition, path, architecture, preset, hyperparameters },
    ...{ bodyPart, initFrom, name, tags },
  }
  const run = await runInServer(api, { wishes, quiet: json === true })
  const [id = '', n] = (run.version ?? '').split('@')
  const version = await api.json<Version>(`/api/v1/versions/${id}/${n}`)
  if (json) return printJson({ version, run })
  const { history, bestEpoch } = run.progress
  printFields({
    version: version.id,
    status: version.status,
    epochs: `${history.length}, best ${bestEpoch}`,
    'balanced accuracy': share(version.metrics?.balancedAccuracy),
    auc: share(version.metrics?.auc),
  })
  if (version.active) printLine(`${version.id} answers now (policy follow).`)
  else printLine(`To let it answer: roentgen activate ${version.id} --reason "…"`)
}

async function trainHere(config: Config, options: Options): Promise<void> {
  if (options.initFrom !== undefined) {
    throw new AppError(
      'invalid',
      '--init-from needs the running server and a dataset below the data root; start "roentgen serve" first.',
    )
  }
  const { trainOnce } = await import('../../training/train-once.ts')
  const request = await requestOf(config, options)
  const progress = startProgress('training', { quiet: options.json === true })
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
    const version = await register(config, summary.packageDir)
    if (options.json) return printJson({ version, summary: { ...summary, packageDir: undefined } })
    printFields({
      version: version.id,
      status: version.status,
      epochs: `${summary.epochs}, best ${summary.bestEpoch} (${summary.endedBy})`,
      'balanced accuracy': share(summary.balancedAccuracy),
      auc: share(summary.auc),
      time: `${Math.round(summary.seconds)} s`,
    })
    printLine(`To let it answer: roentgen activate ${version.id} --reason "…"`)
  } finally {
    release()
    progress.end()
  }
}

async function requestOf(config: Config, options: Options): Promise<TrainRequest> {
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
  const { findSynthCondition } = await import('../../training/synth/conditions.ts')
  const known = conditions.find((one) => one.id === id) ?? findSynthCondition(id)
  if (known) {
    const { name, kind, classes } = known
    return { id, name, bodyPart: known.bodyPart, kind, classes }
  }
  const words = id.replace(/[._-]+/g, ' ')
  const name = `${words.charAt(0).toUpperCase()}${words.slice(1)}`
  return { id, name, bodyPart: bodyPart ?? '' }
}

async function register(config: Config, packageDir: string): Promise<Version> {
  const { zipFolder } = await import('../folder-zip.ts')
  const zip = await zipFolder(packageDir)
  try {
    const form = new FormData()
    form.set('package', await openAsBlob(zip.path), 'run.roentgen.zip')
    const version = await withApi(config, (api) =>
      api.form<Version>('/api/v1/versions/import', form),
    )
    await rm(packageDir, { recursive: true, force: true })
    return version
  } finally {
    await zip.remove()
  }
}

function show(message: TrainingMessage, progress: Progress): void {
  if (message.type === 'batch') {
    const { epoch, epochs, batch, batches, loss } = message
    const note = `epoch ${epoch}/${epochs}, loss ${loss.toFixed(4)}`
    progress.update((epoch - 1) * batches + batch, epochs * batches, note)
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
      progress.say('Stopping; the best so far is kept. Ctrl-C again keeps nothing.')
      training.process?.stopAndKeepBest()
    }
    asked = true
  }
  const terminate = () => training.process?.cancel()
  process.on('SIGINT', interrupt).on('SIGTERM', terminate)
  return () => void process.off('SIGINT', interrupt).off('SIGTERM', terminate)
}
