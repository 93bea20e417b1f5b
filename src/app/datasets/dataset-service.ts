// Datasets of one home: scanned and prepared one after the other, each in a process of its own, the outcome in the registry.
import { readdir, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { basename, join } from 'node:path'
import { AppError, messageOf } from '../../errors.ts'
import { parseVersion } from '../../package/ids.ts'
import { readServingConfig } from '../../package/serving-config.ts'
import { getCondition } from '../../registry/conditions/conditions.ts'
import { MAX_LIMIT } from '../../registry/cursor.ts'
import type { Clock, RegistryLog, RegistryPlace } from '../../registry/home/registry-context.ts'
import { packageDir, type Store } from '../../registry/home/store.ts'
import {
  addDataset,
  changeDataset,
  type Dataset,
  getDataset,
  listDatasets,
  settleDatasets,
} from '../../registry/runs/datasets.ts'
import { listRuns, runsInState } from '../../registry/runs/runs.ts'
import type { Db } from '../../registry/schema/database.ts'
import { getVersion } from '../../registry/versions/versions.ts'
import type { DatasetJob } from '../../training/dataset/dataset-job.ts'
import { datasetFolder, datasetId, parseDatasetPath } from '../../training/dataset/dataset-path.ts'
import { runDatasetJob } from '../../training/dataset/dataset-process.ts'
import { defaultPreprocessing } from '../../training/default-preprocessing.ts'
import { checkPrepared } from '../../training/run-checks.ts'

export interface DatasetDeskContext extends RegistryPlace {
  readonly clock: Clock
  readonly log: RegistryLog
}

export interface PrepareOptions {
  /** Id of the condition whose classes it is for; without it they are read off the labels. */
  readonly condition?: string | undefined
  /** Of the split; 42 by default. */
  readonly seed?: number | undefined
  readonly maxPerClass?: number | null | undefined
  /** Paths below the dataset, or patterns with `*` and `**`. */
  readonly exclude?: readonly string[] | undefined
  /** Side in pixels at which they are decoded ahead; a run of another size decodes them once more. 224 by default. */
  readonly imageSize?: number | undefined
}

export interface JobProgress {
  readonly done: number
  readonly total: number
}

/** Where the prepared pixels of a dataset lie. */
export function preparedPlace({ dataDir }: Pick<Store, 'dataDir'>, dataset: string): string {
  return join(dataDir, 'datasets', dataset)
}

/** The newest version that a run on this dataset left and that is still there. */
async function newestVersionOf(db: Db, dataset: string): Promise<string | undefined> {
  const { items } = await listRuns(db, { state: 'finished', limit: MAX_LIMIT })
  for (const run of items) {
    if (run.dataset !== dataset || run.version === null) continue
    const { status } = await getVersion(db, parseVersion(run.version))
    if (status === 'verified' || status === 'unevaluated') return run.version
  }
  return undefined
}

export class DatasetService {
  readonly #options: DatasetDeskContext & { readonly datasetsDir: string }
  readonly #progress = new Map<string, JobProgress>()
  readonly #ending = new AbortController()
  /** One after the other: each uses the disk and a core to the full. */
  #last: Promise<void> = Promise.resolve()

  /** `datasetsDir` is the data root. */
  constructor({ db, store, clock, log }: DatasetDeskContext, datasetsDir: string) {
    this.#options = { db, store, clock, log, datasetsDir }
  }

  /** What was under way when the last process ended is said to be so. */
  async start(): Promise<void> {
    await settleDatasets(this.#options.db)
  }

  /** Ends what is under way. Safe to call twice. */
  async stop(): Promise<void> {
    this.#ending.abort()
    await this.#last
  }

  /** How far the scan or preparation of a dataset is; undefined when none is under way. */
  progress(id: string): JobProgress | undefined {
    return this.#progress.get(id)
  }

  /** Folders directly below the data root that were never scanned. */
  async newFolders(): Promise<string[]> {
    const { db, datasetsDir } = this.#options
    const known = new Set((await listDatasets(db)).map(({ path }) => path.split('/')[0]))
    const entries = await readdir(datasetsDir, { withFileTypes: true }).catch(() => [])
    return entries
      .filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && entry.name[0] !== '.')
      .map(({ name }) => name)
      .filter((name) => !known.has(name))
      .sort()
  }

  /**
   * Begins to look at a folder. `done` is fulfilled when it has been looked at, well or not.
   * @throws AppError `invalid`, `unknown-dataset`, `conflict` while it is being scanned or prepared
   */
  async scan(text: string): Promise<{ readonly id: string; readonly done: Promise<void> }> {
    const { db, datasetsDir, clock } = this.#options
    const path = parseDatasetPath(text)
    const dir = await datasetFolder(datasetsDir, path)
    const id = datasetId(path)
    const name = basename(path === '.' ? datasetsDir : path)
    await this.#take(id, () => addDataset(db, { id, path, name, at: clock().toISOString() }))
    const done = this.#begin(id, async () => {
      const report = await this.#run(id, { kind: 'scan', dir })
      const { prepared } = await getDataset(db, id)
      const state = prepared ? 'prepared' : 'scanned'
      await changeDataset(db, id, { state, scan: { report, at: clock().toISOString() } })
    })
    return { id, done }
  }

  /**
   * Begins to check, de-duplicate, split and decode a scanned dataset. `done` as for `scan`.
   * @throws AppError `unknown-dataset`, `unknown-condition`, `conflict` while something uses it
   */
  async prepare(
    id: string,
    wishes: PrepareOptions,
  ): Promise<{ readonly id: string; readonly done: Promise<void> }> {
    const { db, datasetsDir, clock } = this.#options
    const dataset = await getDataset(db, id)
    if (!dataset.scan) {
      throw new AppError('conflict', 'This dataset was not scanned yet; scan it first.')
    }
    const dir = await datasetFolder(datasetsDir, dataset.path)
    const condition = wishes.condition ? await getCondition(db, wishes.condition) : null
    const using = await runsInState(db, ['preparing', 'running', 'paused'])
    if (using.some((run) => run.dataset === dataset.id)) {
      throw new AppError('conflict', 'A run trains on this dataset now; wait until it has ended.')
    }
    await this.#take(dataset.id, () =>
      changeDataset(db, dataset.id, { state: 'preparing', prepared: null }),
    )
    const place = preparedPlace(this.#options.store, dataset.id)
    const { seed = 42, maxPerClass = null, imageSize = 224, exclude = [] } = wishes
    const job = {
      kind: 'prepare',
      dir,
      name: dataset.name,
      place,
      preprocessing: defaultPreprocessing({
        bodyPart: condition?.bodyPart ?? '',
        side: imageSize,
      }),
      seed,
      maxPerClass,
      exclude,
      condition: condition && { id: condition.id, classes: condition },
    } as const
    const done = this.#begin(dataset.id, async () => {
      await rm(place, { recursive: true, force: true })
      const report = await this.#run(dataset.id, job)
      const prepared = { report, at: clock().toISOString() }
      await changeDataset(db, dataset.id, { state: 'prepared', prepared })
    })
    return { id: dataset.id, done }
  }

  /**
   * Begins to look for labels that are wrong, with the features of a version that was trained here: the newest of this
   * dataset, or the one that is named. `done` as for `scan`.
   * @throws AppError `unknown-dataset`, `dataset-not-prepared`, `unknown-version`, `conflict`
   */
  async checkLabels(
    id: string,
    { version: wanted }: { readonly version?: string | undefined } = {},
  ): Promise<{ readonly id: string; readonly done: Promise<void> }> {
    const { db, store, datasetsDir } = this.#options
    const dataset = await getDataset(db, id)
    const { seed, maxPerClass, exclude, condition, kind, classes } = checkPrepared(dataset)
    const dir = await datasetFolder(datasetsDir, dataset.path)
    const version = wanted ?? (await newestVersionOf(db, dataset.id))
    if (version === undefined) {
      throw new AppError(
        'conflict',
        'No version was trained on this dataset yet: train one, the quick preset will do, then look at the labels.',
      )
    }
    const packageOf = packageDir(store, await getVersion(db, parseVersion(version)))
    const { preprocessing } = await readServingConfig(packageOf)
    await this.#take(dataset.id)
    const job = {
      kind: 'labels',
      ...{ dir, name: dataset.name, place: preparedPlace(store, dataset.id), preprocessing },
      ...{ seed, maxPerClass, exclude, version, packageDir: packageOf },
      condition: condition === null ? null : { id: condition, classes: { kind, classes } },
      threads: availableParallelism(),
    } as const
    const done = this.#begin(dataset.id, async () => {
      const labelCheck = await this.#run(dataset.id, job)
      await changeDataset(db, dataset.id, { state: 'prepared', labelCheck })
    })
    return { id: dataset.id, done }
  }

  /** Prepares it again as it was, without these files too: its fingerprint is another then. Errors as `prepare`. */
  async exclude(id: string, files: readonly string[]) {
    const dataset = await getDataset(this.#options.db, id)
    const { condition, seed, maxPerClass, imageSize, exclude } = checkPrepared(dataset)
    if (files.length === 0) {
      throw new AppError('invalid', 'Choose at least one file to leave out.', {
        extra: { field: 'files' },
      })
    }
    return this.prepare(dataset.id, {
      ...{ condition: condition ?? undefined, seed, maxPerClass, imageSize },
      exclude: [...new Set([...exclude, ...files])],
    })
  }

  #run<Job extends DatasetJob>(id: string, job: Job) {
    return runDatasetJob(job, {
      signal: this.#ending.signal,
      onProgress: (done, total) => this.#progress.set(id, { done, total }),
    })
  }

  /** Lets go of it again when its row cannot be changed. */
  async #take(id: string, change?: () => Promise<unknown>): Promise<void> {
    if (this.#ending.signal.aborted) throw new AppError('unavailable', 'The server is stopping.')
    if (this.#progress.has(id)) {
      throw new AppError('conflict', 'This dataset is being scanned or prepared already.')
    }
    this.#progress.set(id, { done: 0, total: 0 })
    try {
      await change?.()
    } catch (error) {
      this.#progress.delete(id)
      throw error
    }
  }

  /** When its turn comes; a failure becomes the dataset's reason. */
  #begin(id: string, work: () => Promise<void>): Promise<void> {
    const { db, log } = this.#options
    const done = this.#last.then(async () => {
      try {
        if (!this.#ending.signal.aborted) await work()
      } catch (error) {
        // At the end of the server the row stays as it is: the next start says that it was interrupted.
        if (this.#ending.signal.aborted) return
        log.warn({ err: error, dataset: id }, 'the dataset could not be read')
        const { scan, prepared } = await getDataset(db, id)
        const state: Dataset['state'] = prepared ? 'prepared' : scan ? 'scanned' : 'failed'
        await changeDataset(db, id, { state, reason: messageOf(error) })
      } finally {
        this.#progress.delete(id)
      }
    })
    this.#last = done
    return done
  }
}
