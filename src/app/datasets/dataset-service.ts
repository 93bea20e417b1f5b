// What is asked of datasets: to be scanned, prepared, looked through for wrong labels. The work is done by jobs of their own,
// dataset-kinds.ts; the outcome is in the registry.
import { readdir } from 'node:fs/promises'
import { basename } from 'node:path'
import { AppError } from '../../errors.ts'
import { parseVersion } from '../../package/ids.ts'
import { getCondition } from '../../registry/conditions/conditions.ts'
import { MAX_LIMIT } from '../../registry/cursor.ts'
import { exclusive } from '../../registry/home/exclusive.ts'
import type { Actor } from '../../registry/home/registry-context.ts'
import type { Job } from '../../registry/jobs/job-store.ts'
import {
  addDataset,
  changeDataset,
  getDataset,
  listDatasets,
  type ScanReport,
  settleDataset,
  type UncertainLabels,
} from '../../registry/runs/datasets.ts'
import { listRuns, runsInState } from '../../registry/runs/runs.ts'
import type { Db } from '../../registry/schema/database.ts'
import { getVersion } from '../../registry/versions/versions.ts'
import { datasetFolder, datasetId, parseDatasetPath } from '../../training/dataset/dataset-path.ts'
import { guessClasses } from '../../training/dataset/labels.ts'
import { checkPrepared } from '../../training/run-checks.ts'
import {
  type DatasetServices,
  datasetKinds,
  KINDS,
  LABEL_CHECK,
  type LabelCheckInput,
  PREPARATION,
  type PrepareInput,
  SCAN,
} from './dataset-kinds.ts'

export interface PrepareOptions {
  /** Id of the condition whose classes it is for; without it they are read off the labels. */
  readonly condition?: string | undefined
  /** Of the split; 42 by default. */
  readonly seed?: number | undefined
  readonly maxPerClass?: number | null | undefined
  /** Paths below the dataset, or patterns with `*` and `**`. */
  readonly exclude?: readonly string[] | undefined
  readonly uncertain?: UncertainLabels | undefined
  /** Which of two classes is the finding, where no condition says it and their names do not tell. */
  readonly positive?: string | null | undefined
  /** Side in pixels at which they are decoded ahead; a run of another size decodes them once more. 224 by default. */
  readonly imageSize?: number | undefined
}

export interface JobProgress {
  readonly done: number
  readonly total: number
}

/** Something that takes a while: `done` is fulfilled when it has ended, well or not. */
export interface Begun {
  /** Of the dataset. */
  readonly id: string
  readonly done: Promise<void>
}

/** Asks at once what the preparation would ask after an hour of decoding. @throws AppError `invalid` with `choices` */
function checkFinding(scan: ScanReport, positive: string | null | undefined): void {
  const labels = scan.classes.map(({ label }) => label)
  const count = scan.classes.reduce((sum, one) => sum + one.count, 0)
  guessClasses(labels, { severalPerImage: count > scan.images, ...(positive && { positive }) })
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
  readonly #services: DatasetServices

  constructor(services: DatasetServices) {
    this.#services = services
    for (const kind of datasetKinds(services)) services.jobs.kinds.add(kind)
  }

  /** What was under way when a process ended that kept no jobs is put where it was before. After the jobs have settled. */
  async settle(): Promise<void> {
    const { db } = this.#services
    for (const { id } of await listDatasets(db)) {
      if (!(await this.#openJob(id))) await settleDataset(db, id)
    }
  }

  /** How far the scan, preparation or look at its labels is; undefined when none is under way. */
  async progress(id: string): Promise<JobProgress | undefined> {
    const job = await this.#openJob(id)
    return job && (job.progress ?? { done: 0, total: 0 })
  }

  /** Folders directly below the data root that were never scanned. */
  async newFolders(): Promise<string[]> {
    const { db, config } = this.#services
    const { datasetsDir } = config
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
  async scan(text: string, actor: Actor): Promise<Begun> {
    const { db, config, clock } = this.#services
    const path = parseDatasetPath(text)
    await datasetFolder(config.datasetsDir, path)
    const id = datasetId(path)
    const name = basename(path === '.' ? config.datasetsDir : path)
    const at = clock().toISOString()
    return this.#begin(id, {
      ...{ kind: SCAN, input: {}, actor },
      change: () => addDataset(db, { id, path, name, at }),
    })
  }

  /**
   * Begins to check, de-duplicate, split and decode a scanned dataset. `done` as for `scan`.
   * @throws AppError `unknown-dataset`, `unknown-condition`, `conflict` while something uses it
   */
  async prepare(
    id: string,
    { actor, ...options }: PrepareOptions & { readonly actor: Actor },
  ): Promise<Begun> {
    const { db, config } = this.#services
    const dataset = await getDataset(db, id)
    if (!dataset.scan) {
      throw new AppError('conflict', 'This dataset has not been scanned; scan it first.')
    }
    await datasetFolder(config.datasetsDir, dataset.path)
    if (options.condition) await getCondition(db, options.condition)
    else checkFinding(dataset.scan, options.positive)
    const using = await runsInState(db, ['preparing', 'running', 'paused'])
    if (using.some((run) => run.dataset === dataset.id)) {
      throw new AppError(
        'conflict',
        'A training run is using this dataset; wait until it has finished.',
      )
    }
    const input: PrepareInput = {
      condition: options.condition ?? null,
      seed: options.seed ?? 42,
      maxPerClass: options.maxPerClass ?? null,
      imageSize: options.imageSize ?? 224,
      exclude: options.exclude ?? [],
      uncertain: options.uncertain ?? 'leave-out',
      positive: options.positive ?? null,
    }
    return this.#begin(dataset.id, {
      ...{ kind: PREPARATION, input, actor },
      change: () => changeDataset(db, dataset.id, { state: 'preparing', prepared: null }),
    })
  }

  /**
   * Begins to look for labels that are wrong, with the features of a version that was trained here: the newest of this
   * dataset, or the one that is named. `done` as for `scan`.
   * @throws AppError `unknown-dataset`, `dataset-not-prepared`, `unknown-version`, `conflict`
   */
  async checkLabels(
    id: string,
    { version: wanted, actor }: { readonly version?: string | undefined; readonly actor: Actor },
  ): Promise<Begun> {
    const { db, config } = this.#services
    const dataset = await getDataset(db, id)
    checkPrepared(dataset)
    await datasetFolder(config.datasetsDir, dataset.path)
    const version = wanted ?? (await newestVersionOf(db, dataset.id))
    if (version === undefined) {
      throw new AppError(
        'conflict',
        'No version has been trained on this dataset: train one (the quick preset is enough), then check the labels.',
      )
    }
    await getVersion(db, parseVersion(version))
    const input: LabelCheckInput = { version }
    return this.#begin(dataset.id, { kind: LABEL_CHECK, input, actor })
  }

  /** Prepares it again as it was, without these files too: its fingerprint is another then. Errors as `prepare`. */
  async exclude(
    id: string,
    { files, actor }: { readonly files: readonly string[]; readonly actor: Actor },
  ): Promise<Begun> {
    const dataset = await getDataset(this.#services.db, id)
    const { condition, seed, maxPerClass, imageSize, exclude, uncertain, kind, classes } =
      checkPrepared(dataset)
    const finding = kind === 'binary' ? classes.find(({ positive }) => positive) : undefined
    if (files.length === 0) {
      throw new AppError('invalid', 'Choose at least one file to exclude.', {
        extra: { field: 'files' },
      })
    }
    return this.prepare(dataset.id, {
      ...{ condition: condition ?? undefined, seed, maxPerClass, imageSize, uncertain },
      positive: finding?.label,
      exclude: [...new Set([...exclude, ...files])],
      actor,
    })
  }

  async #openJob(id: string): Promise<Job | undefined> {
    const job = await this.#services.jobs.newest(KINDS, { type: 'dataset', id })
    return job?.endedAt === null ? job : undefined
  }

  /** `change` is of its row, before the job is there. */
  async #begin(
    id: string,
    o: {
      readonly kind: string
      readonly input: object
      readonly actor: Actor
      readonly change?: () => Promise<unknown>
    },
  ): Promise<Begun> {
    const { db, jobs } = this.#services
    const work = async () => {
      if (await this.#openJob(id)) {
        throw new AppError('conflict', 'This dataset is already being scanned or prepared.')
      }
      await o.change?.()
      const subject = { type: 'dataset', id } as const
      return jobs.add(o.kind, { input: { ...o.input, dataset: id }, subject, actor: o.actor })
    }
    const job = await exclusive(db, { key: ` dataset ${id}`, work })
    return { id, done: jobs.whenRested(job.id).then(() => {}) }
  }
}
