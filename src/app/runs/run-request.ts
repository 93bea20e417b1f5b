// From what somebody asks for to rows of the queue (a matrix becomes one run for each combination), and from a row to what
// the training process is told.
import { randomUUID } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { getArchitectureCard } from '../../architectures/architecture-cards.ts'
import { pretrainedFor } from '../../conversion/pretrained/pretrained.ts'
import { AppError } from '../../errors.ts'
import { PreprocessingSchema } from '../../imaging/preprocessing.ts'
import { formatVersion, parseName, parseVersion } from '../../package/ids.ts'
import { ModelConfigSchema } from '../../package/schema.ts'
import { getCondition } from '../../registry/conditions/conditions.ts'
import type { Actor, Clock, RegistryPlace } from '../../registry/home/registry-context.ts'
import { packageDir } from '../../registry/home/store.ts'
import { type Dataset, getDataset } from '../../registry/runs/datasets.ts'
import type { NewRun, Run } from '../../registry/runs/runs.ts'
import { resolveVersion } from '../../registry/versions/aliases.ts'
import { getVersion } from '../../registry/versions/versions.ts'
import { noticeOfDataset } from '../../training/dataset/dataset-notice.ts'
import { datasetFolder } from '../../training/dataset/dataset-path.ts'
import {
  checkClassesFit,
  checkHyperparameters,
  checkMachine,
  checkPrepared,
  type Need,
} from '../../training/run-checks.ts'
import type { GivenHyperparameters } from '../../training/settings.ts'
import { type Preset, parsePreset, withCurrentNames } from '../../training/settings.ts'
import type { TrainRequest } from '../../training/train-once.ts'
import { preparedPlace } from '../datasets/prepared-place.ts'

/** One list or one of each. */
export interface RunRequest {
  /** Left out: the one that each dataset was prepared for. */
  readonly condition?: string | undefined
  readonly dataset: string | readonly string[]
  readonly architecture: string | readonly string[]
  readonly preset: string | readonly string[]
  readonly hyperparameters?: Readonly<Record<string, unknown>> | undefined
  readonly initFrom?: string | null | undefined
  readonly name?: string | undefined
  readonly tags?: readonly string[] | undefined
  /** The run that this one repeats with other settings. */
  readonly again?: string | undefined
}

export interface RequestContext extends RegistryPlace {
  readonly datasetsDir: string
  readonly clock: Clock
}

const MAX_RUNS = 200

/** Whether any of them was given as a list: the answer is then a list too. */
export function isMatrix({ dataset, architecture, preset }: RunRequest): boolean {
  return [dataset, architecture, preset].some((one) => typeof one !== 'string')
}

/**
 * Checked rows, all of them or none.
 * @throws AppError `unknown-condition`, `unknown-dataset`, `dataset-not-prepared`, `unknown-version`, `invalid`, `class-mismatch`,
 * `unavailable` for want of disk or memory
 */
export async function newRuns(
  context: RequestContext,
  { wishes, actor }: { readonly wishes: RunRequest; readonly actor: Actor },
): Promise<NewRun[]> {
  const hyperparameters = checkHyperparameters(wishes.hyperparameters ?? {})
  const from = wishes.initFrom ?? null
  const initFrom = from && formatVersion(await resolveVersion(context.db, from))
  const runs: NewRun[] = []
  const set = isMatrix(wishes) ? randomUUID() : undefined
  for (const wantedDataset of listOf(wishes.dataset)) {
    const dataset = await getDataset(context.db, wantedDataset)
    const { fingerprint, images, condition: preparedFor } = checkPrepared(dataset)
    const condition = await getCondition(context.db, wishes.condition ?? own(preparedFor, dataset))
    checkClassesFit(condition, dataset)
    for (const wantedArchitecture of listOf(wishes.architecture)) {
      const card = await getArchitectureCard(wantedArchitecture)
      if (initFrom !== null) await checkInitial(context, { initFrom, architecture: card.name })
      const { weights, channels, imageSize } = hyperparameters as GivenHyperparameters
      const start = { weights, channels, imageSize, initFrom }
      await pretrainedFor(context.store.dataDir, { architecture: card, ...start })
      await checkMachine(needOf({ card, hyperparameters, images }), context.store)
      for (const preset of listOf(wishes.preset).map(parsePreset)) {
        runs.push({
          id: newRunId(context.clock, `${condition.id}-${card.name}-${preset}`),
          condition: condition.id,
          dataset: dataset.id,
          architecture: card.name,
          preset,
          name: wishes.name === undefined ? null : parseName(wishes.name, 'name'),
          hyperparameters,
          initFrom,
          tags: wishes.tags ?? [],
          lineage: {
            dataset: fingerprint,
            ...(set !== undefined && { set }),
            ...(initFrom !== null && { initFrom }),
            ...(wishes.again !== undefined && { again: wishes.again }),
          },
          at: context.clock().toISOString(),
          ...actor,
        })
      }
    }
  }
  if (runs.length === 0 || runs.length > MAX_RUNS) {
    throw new AppError('invalid', `A run group has 1 to ${MAX_RUNS} runs.`)
  }
  return runs
}

/** @throws AppError `invalid` */
function own(preparedFor: string | null, { name }: Pick<Dataset, 'name'>): string {
  if (preparedFor !== null) return preparedFor
  throw new AppError(
    'invalid',
    `"${name}" was not prepared for a condition: prepare it for one, or specify the condition.`,
    { extra: { field: 'condition' } },
  )
}

function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : [...new Set(value)]
}

function needOf(o: {
  readonly card: Need['card']
  readonly hyperparameters: Run['hyperparameters']
  readonly images: number
}): Need {
  const { batchSize = 32, imageSize = o.card.inputSize } = o.hyperparameters as GivenHyperparameters
  return { card: o.card, images: o.images, imageSize, batchSize }
}

/** A version whose weights can be put into that architecture. */
async function checkInitial(
  { db, store }: RegistryPlace,
  { initFrom, architecture }: { readonly initFrom: string; readonly architecture: string },
): Promise<string> {
  const version = await getVersion(db, parseVersion(initFrom))
  if (version.status === 'deleted' || version.status === 'quarantined') {
    throw new AppError('conflict', `${initFrom} is ${version.status}; start from another version.`)
  }
  const modelDir = join(packageDir(store, version), 'models', 'tfjs')
  const isThere = await stat(join(modelDir, 'model.json')).then(
    () => true,
    () => false,
  )
  if (!isThere || version.architecture !== architecture) {
    throw new AppError(
      'invalid',
      isThere
        ? `${initFrom} is a ${version.architecture}; only a run of the same architecture can start from it.`
        : `${initFrom} has no TF.js weights to start from; choose a version trained with Roentgen.`,
      { extra: { field: 'initFrom' } },
    )
  }
  return modelDir
}

/** Safe in a file name: it is also the name of the log. */
function newRunId(clock: Clock, words: string): string {
  const time = clock()
    .toISOString()
    .replaceAll(/[-:]|\.\d+/g, '')
  const plain = words.toLowerCase().replaceAll(/[^a-z0-9.-]+/g, '-')
  return `${time}-${plain}-${randomUUID().slice(0, 6)}`
}

/**
 * What the training process is told, and a sentence for each check; everything is checked again, for time has passed.
 * @throws AppError as `newRuns`
 */
export async function trainRequestOf(
  context: RequestContext & { readonly threads: number },
  run: Run,
): Promise<{ readonly request: TrainRequest; readonly checks: readonly string[] }> {
  const { db, store } = context
  const condition = await getCondition(db, run.condition)
  const dataset = await getDataset(db, run.dataset)
  const { seed, maxPerClass, exclude, uncertain, images } = checkPrepared(dataset)
  const datasetDir = await datasetFolder(context.datasetsDir, dataset.path)
  const card = await getArchitectureCard(run.architecture)
  const need = needOf({ card, images, hyperparameters: run.hyperparameters })
  const checks = [
    `Dataset: ${dataset.name} is prepared, ${images} images.`,
    ...(await checkMachine(need, store)),
  ]
  const notice = await noticeOfDataset(datasetDir)
  const { id, name, bodyPart, kind, classes } = condition
  const request: TrainRequest = {
    id: run.id,
    condition: { id, name, bodyPart, kind, classes },
    datasetDir,
    datasetName: dataset.name,
    architecture: run.architecture,
    preset: run.preset as Preset,
    hyperparameters: withCurrentNames(run.hyperparameters) as GivenHyperparameters,
    prepared: {
      ...{ dir: preparedPlace(store, dataset.id), seed, maxPerClass, exclude },
      ...(uncertain && { uncertain }),
    },
    // This attempt is counted already.
    resume: run.attempts > 1,
    threads: context.threads,
    tags: run.tags,
    ...(run.name !== null && { name: run.name }),
    ...(notice !== undefined && { demonstration: { notice } }),
    ...(run.initFrom !== null && (await initialOf(context, run.initFrom, run.architecture))),
  }
  return { request, checks }
}

/** The weights of the version, the details of its network, and its very preprocessing. */
async function initialOf(place: RegistryPlace, initFrom: string, architecture: string) {
  const modelDir = await checkInitial(place, { initFrom, architecture })
  const ref = parseVersion(initFrom)
  const configs = join(packageDir(place.store, ref), 'configs')
  const read = async (file: string) => JSON.parse(await readFile(join(configs, file), 'utf8'))
  const preprocessing = PreprocessingSchema.parse(await read('preprocessing.json'))
  const { variant } = ModelConfigSchema.parse(await read('model.json'))
  const version = formatVersion(ref)
  return { initFrom: { version, modelDir, ...(variant && { variant }) }, preprocessing }
}
