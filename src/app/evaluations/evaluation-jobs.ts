// Evaluations that a page began: they go on after the answer, and the page asks how far they are. What they find is kept by
// evaluating.ts; a server that ends takes unfinished ones with it.
import { AppError } from '../../errors.ts'
import type { Actor } from '../../registry/home/registry-context.ts'
import type { Version } from '../../registry/versions/versions.ts'
import { asAppError } from '../problem.ts'
import type { Uses } from '../services.ts'
import { evaluateVersion } from './evaluate-version.ts'
import { type EvaluationSetRequest, evaluationSet } from './evaluation-images.ts'

export interface RunningEvaluation {
  readonly dataset: string
  readonly done: number
  readonly total: number
  /** Why it ended without a result; null while it runs. */
  readonly failure: string | null
}

export class EvaluationJobs {
  readonly #services: Uses<
    'clock' | 'config' | 'db' | 'imaging' | 'leaving' | 'log' | 'runtime' | 'store' | 'tasks'
  >
  /** By the version's id: what runs, or how the last one failed. */
  readonly #running = new Map<string, RunningEvaluation>()

  constructor(
    services: Uses<
      'clock' | 'config' | 'db' | 'imaging' | 'leaving' | 'log' | 'runtime' | 'store' | 'tasks'
    >,
  ) {
    this.#services = services
  }

  find(version: Version): RunningEvaluation | undefined {
    return this.#running.get(version.id)
  }

  /** @throws AppError `conflict` while one of the version runs, or for want of images; `invalid`, `unknown-dataset` */
  async begin(o: {
    readonly version: Version
    readonly request: EvaluationSetRequest
    readonly actor: Actor
  }): Promise<void> {
    const { version, request, actor } = o
    const { dataset, files } = await evaluationSet(this.#services, { ...request, version })
    const before = this.find(version)
    if (before && before.failure === null) {
      throw new AppError(
        'conflict',
        `${version.id} is being evaluated on ${before.dataset} already.`,
      )
    }
    const state = { dataset, done: 0, total: files.length, failure: null }
    this.#running.set(version.id, state)
    this.#services.tasks.run('an evaluation', async () => {
      try {
        const signal = this.#services.leaving
        const lines = evaluateVersion(this.#services, { ...request, version, actor, signal })
        for await (const line of lines) {
          if ('done' in line) this.#running.set(version.id, { ...state, ...line })
        }
        this.#running.delete(version.id)
      } catch (error) {
        this.#running.set(version.id, { ...state, failure: asAppError(error).message })
        throw error
      }
    })
  }
}
