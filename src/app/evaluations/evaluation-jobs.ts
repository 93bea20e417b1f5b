// Evaluations as jobs: begun by a page, they go on after the answer, and begin again after a restart. What they find is
// kept by evaluate-version.ts.
import { links } from '../../../views/shared/links.ts'
import { AppError } from '../../errors.ts'
import { parseVersion } from '../../package/ids.ts'
import { exclusive } from '../../registry/home/exclusive.ts'
import type { Actor } from '../../registry/home/registry-context.ts'
import { getVersion, type Version } from '../../registry/versions/versions.ts'
import { DAY_MS, type JobKind, KEEP_MS } from '../jobs/job-kind.ts'
import type { Uses } from '../services.ts'
import { evaluateVersion } from './evaluate-version.ts'
import {
  type EvaluationSetRequest,
  type EvaluationSplit,
  evaluationSet,
} from './evaluation-images.ts'

export interface RunningEvaluation {
  readonly dataset: string
  readonly done: number
  readonly total: number
  /** Why it ended without a result; null while it runs. */
  readonly failure: string | null
}

interface EvaluationInput {
  readonly version: string
  /** A path below the data root. */
  readonly dataset: string
  readonly split: EvaluationSplit
}

const KIND = 'evaluation'
/** The figures of many thousand images take a while after the last one is read. */
const STALL_MS = 30 * 60_000

export class EvaluationJobs {
  readonly #services: Uses<'config' | 'db' | 'jobs' | 'store'>

  constructor(
    services: Uses<
      'clock' | 'config' | 'db' | 'imaging' | 'jobs' | 'leaving' | 'log' | 'runtime' | 'store'
    >,
  ) {
    this.#services = services
    services.jobs.kinds.add(evaluationKind(services))
  }

  /** What runs or waits, or how the last one failed. */
  async find(version: Pick<Version, 'id'>): Promise<RunningEvaluation | undefined> {
    const job = await this.#services.jobs.newest([KIND], { type: 'version', id: version.id })
    if (!job || job.state === 'finished' || job.state === 'cancelled') return undefined
    const { dataset } = job.input as EvaluationInput
    const { done, total } = job.progress ?? { done: 0, total: 0 }
    return { dataset, done, total, failure: job.endedAt === null ? null : job.reason }
  }

  /** @throws AppError `conflict` while one of the version runs, or for want of images; `invalid`, `unknown-dataset` */
  async begin(o: {
    readonly version: Version
    readonly request: EvaluationSetRequest
    readonly actor: Actor
  }): Promise<void> {
    const { version, request, actor } = o
    const { dataset, split, files } = await evaluationSet(this.#services, { ...request, version })
    const work = async () => {
      const before = await this.find(version)
      if (before && before.failure === null) {
        throw new AppError(
          'conflict',
          `${version.id} is being evaluated on ${before.dataset} already.`,
        )
      }
      const input: EvaluationInput = { version: version.id, dataset, split }
      const subject = { type: 'version', id: version.id } as const
      await this.#services.jobs.add(KIND, { input, subject, actor, total: files.length })
    }
    await exclusive(this.#services.db, { key: ` ${KIND}`, work })
  }
}

function evaluationKind(
  services: Uses<'clock' | 'config' | 'db' | 'imaging' | 'leaving' | 'log' | 'runtime' | 'store'>,
): JobKind<EvaluationInput> {
  return {
    name: KIND,
    title: 'Evaluation',
    unit: 'images',
    // Nothing of half an evaluation is kept: it begins with the first image.
    afterRestart: 'again',
    isCancellable: true,
    lane: KIND,
    width: 1,
    maxAttempts: 3,
    timeLimitMs: 7 * DAY_MS,
    stallLimitMs: STALL_MS,
    keepMs: KEEP_MS,
    keepsInput: true,
    page: ({ input }) => `${links.version((input as EvaluationInput).version)}#evaluations`,
    async run({ input, signal, by, via, progress }) {
      const { dataset, split } = input
      const version = await getVersion(services.db, parseVersion(input.version))
      const request = { dataset, split, version, actor: { by, via }, signal }
      for await (const line of evaluateVersion(services, request)) {
        if ('done' in line) progress(line.done, line.total)
      }
      signal.throwIfAborted()
      return undefined
    },
  }
}
