// The work on datasets as kinds of jobs: one after the other, for each uses the disk and a core to the full, and each in a
// process of its own, which ends with its job.
import { rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { links } from '../../../views/shared/links.ts'
import { parseVersion } from '../../package/ids.ts'
import { readServingConfig } from '../../package/serving-config.ts'
import { getCondition } from '../../registry/conditions/conditions.ts'
import { packageDir } from '../../registry/home/store.ts'
import type { Job } from '../../registry/jobs/job-store.ts'
import {
  changeDataset,
  getDataset,
  restDataset,
  type UncertainLabels,
} from '../../registry/runs/datasets.ts'
import { getVersion } from '../../registry/versions/versions.ts'
import type { DatasetJob } from '../../training/dataset/dataset-job.ts'
import { datasetFolder } from '../../training/dataset/dataset-path.ts'
import { runDatasetJob } from '../../training/dataset/dataset-process.ts'
import { defaultPreprocessing } from '../../training/default-preprocessing.ts'
import { checkPrepared } from '../../training/run-checks.ts'
import { DAY_MS, type JobKind, type JobRun, KEEP_MS } from '../jobs/job-kind.ts'
import type { Uses } from '../services.ts'
import { preparedPlace } from './prepared-place.ts'

export const SCAN = 'dataset-scan'
export const PREPARATION = 'dataset-preparation'
export const LABEL_CHECK = 'label-check'
export const KINDS = [SCAN, PREPARATION, LABEL_CHECK]

export interface PrepareInput {
  /** null: its classes are read off the labels. */
  readonly condition: string | null
  readonly seed: number
  readonly maxPerClass: number | null
  readonly imageSize: number
  readonly exclude: readonly string[]
  readonly uncertain?: UncertainLabels
  readonly positive?: string | null
}

export interface LabelCheckInput {
  readonly version: string
}

export type DatasetServices = Uses<'clock' | 'config' | 'db' | 'jobs' | 'store'>

/** One huge file may take long; a whole hour without a single one is no work any more. */
const STALL_MS = 60 * 60_000

export function datasetKinds(services: DatasetServices) {
  const { db, clock, store, config } = services
  const common = {
    unit: 'files',
    // Half a scan or preparation is of no use.
    afterRestart: 'again',
    isCancellable: true,
    lane: 'datasets',
    width: 1,
    maxAttempts: 3,
    timeLimitMs: 7 * DAY_MS,
    stallLimitMs: STALL_MS,
    keepMs: KEEP_MS,
    keepsInput: true,
    page: ({ subject }: Job) => (subject ? links.dataset(subject.id) : undefined),
    onRest: async ({ subject, state, endedAt, reason }: Job) => {
      if (subject && endedAt !== null && state !== 'finished') {
        await restDataset(db, { id: subject.id, reason })
      }
    },
  } as const
  const folderOf = async (path: string) => datasetFolder(config.datasetsDir, path)

  const scan: JobKind<Subjected> = {
    ...common,
    ...{ name: SCAN, title: 'Scan of a dataset' },
    async run(run) {
      const { id, path } = await getDataset(db, run.input.dataset)
      const report = await inProcess(run, { kind: 'scan', dir: await folderOf(path) })
      const { prepared } = await getDataset(db, id)
      const state = prepared ? 'prepared' : 'scanned'
      await changeDataset(db, id, { state, scan: { report, at: clock().toISOString() } })
      return undefined
    },
  }

  const preparation: JobKind<Subjected & PrepareInput> = {
    ...common,
    ...{ name: PREPARATION, title: 'Preparation of a dataset' },
    async run(run) {
      const { seed, maxPerClass, imageSize, exclude } = run.input
      const { uncertain = 'leave-out', positive = null } = run.input
      const { id, name, path } = await getDataset(db, run.input.dataset)
      const condition = run.input.condition && (await getCondition(db, run.input.condition))
      const place = preparedPlace(store, id)
      await rm(place, { recursive: true, force: true })
      const bodyPart = condition ? condition.bodyPart : ''
      const report = await inProcess(run, {
        ...{ kind: 'prepare', dir: await folderOf(path), name, place, seed, maxPerClass, exclude },
        ...{ uncertain, positive },
        preprocessing: defaultPreprocessing({ bodyPart, side: imageSize }),
        condition: condition ? { id: condition.id, classes: condition } : null,
      })
      const prepared = { report, at: clock().toISOString() }
      await changeDataset(db, id, { state: 'prepared', prepared })
      return undefined
    },
  }

  const labelCheck: JobKind<Subjected & LabelCheckInput> = {
    ...common,
    ...{ name: LABEL_CHECK, title: 'Look at the labels of a dataset' },
    async run(run) {
      const { version } = run.input
      const dataset = await getDataset(db, run.input.dataset)
      const { seed, maxPerClass, exclude, uncertain, condition, kind, classes } =
        checkPrepared(dataset)
      const packageOf = packageDir(store, await getVersion(db, parseVersion(version)))
      const { preprocessing } = await readServingConfig(packageOf)
      const found = await inProcess(run, {
        ...{ kind: 'labels', dir: await folderOf(dataset.path), name: dataset.name },
        ...{ place: preparedPlace(store, dataset.id), preprocessing },
        ...{ seed, maxPerClass, exclude, version, packageDir: packageOf },
        ...{ uncertain: uncertain ?? 'leave-out', positive: null },
        condition: condition === null ? null : { id: condition, classes: { kind, classes } },
        threads: availableParallelism(),
      })
      await changeDataset(db, dataset.id, { state: 'prepared', labelCheck: found })
      return undefined
    },
  }
  return [scan, preparation, labelCheck] as const
}

interface Subjected {
  readonly dataset: string
}

function inProcess<Work extends DatasetJob>({ signal, progress }: JobRun<unknown>, work: Work) {
  return runDatasetJob(work, { signal, onProgress: progress })
}
