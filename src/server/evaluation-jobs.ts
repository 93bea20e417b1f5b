// Evaluations that a page began: they go on after the answer, and the page asks how far they are. What they find is kept by
// evaluating.ts; a server that ends takes unfinished ones with it.
import { AppError } from '../errors.ts'
import type { Actor } from '../registry/home/registry-context.ts'
import type { Version } from '../registry/versions/versions.ts'
import { evaluateVersion } from './evaluating.ts'
import { type EvaluationWish, evaluationSet } from './evaluation-images.ts'
import type { Home } from './home.ts'
import { asAppError } from './problem.ts'

export interface RunningEvaluation {
  readonly dataset: string
  readonly done: number
  readonly total: number
  /** Why it ended without a result; null while it runs. */
  readonly failure: string | null
}

/** Of each home, by the version's id: what runs, or how the last one failed. */
const running = new WeakMap<Home, Map<string, RunningEvaluation>>()

export function runningEvaluation(home: Home, version: Version): RunningEvaluation | undefined {
  return running.get(home)?.get(version.id)
}

/** @throws AppError `conflict` while one of the version runs, or for want of images; `invalid`, `unknown-dataset` */
export async function beginEvaluation(
  home: Home,
  o: { readonly version: Version; readonly wish: EvaluationWish; readonly actor: Actor },
): Promise<void> {
  const { version, wish, actor } = o
  const { dataset, files } = await evaluationSet(home, { ...wish, version })
  const before = runningEvaluation(home, version)
  if (before && before.failure === null) {
    throw new AppError('conflict', `${version.id} is being evaluated on ${before.dataset} already.`)
  }
  const of = running.get(home) ?? new Map<string, RunningEvaluation>()
  running.set(home, of)
  const state = { dataset, done: 0, total: files.length, failure: null }
  of.set(version.id, state)
  home.chores.run('an evaluation', async () => {
    try {
      const lines = evaluateVersion(home, { ...wish, version, actor, signal: home.leaving })
      for await (const line of lines) {
        if ('done' in line) of.set(version.id, { ...state, ...line })
      }
      of.delete(version.id)
    } catch (error) {
      of.set(version.id, { ...state, failure: asAppError(error).message })
      throw error
    }
  })
}
