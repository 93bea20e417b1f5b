// A comparison in a process of its own, at the lowest priority: reading, resampling and running graphs would hold a server up.
import { availableParallelism } from 'node:os'
import { AppError, type ErrorCode } from '../../errors.ts'
import { askChild } from '../../processes/child-answer.ts'
import type { ComparisonSubject } from './collect.ts'
import type { ComparisonResults } from './comparison-results.ts'
import type { ComparedPackage } from './comparison-source.ts'

export interface ComparisonJob {
  readonly packages: readonly ComparedPackage[]
  readonly subject: ComparisonSubject
  readonly threads: number
}

/** What it answers: the results or, with `draw`, the files that they make. */
export type ComparisonRequest =
  | { readonly do: 'compare'; readonly job: ComparisonJob }
  | { readonly do: 'draw'; readonly results: ComparisonResults }

export type ComparisonAnswer =
  | { readonly results: ComparisonResults }
  | { readonly files: Readonly<Record<string, string | Uint8Array>> }
  | { readonly problem: { readonly code: ErrorCode; readonly message: string } }

const WORKER = new URL('./comparison-worker.ts', import.meta.url)

/** @throws AppError `invalid`, `invalid-package` */
export async function compareApart(
  packages: readonly ComparedPackage[],
  subject: ComparisonSubject,
): Promise<ComparisonResults> {
  const job = { packages, subject, threads: availableParallelism() }
  const answer = await ask({ do: 'compare', job })
  if ('results' in answer) return answer.results
  throw failure(answer)
}

/** Names and contents of everything that a comparison leaves. */
export async function comparisonFilesApart(
  results: ComparisonResults,
): Promise<Readonly<Record<string, string | Uint8Array>>> {
  const answer = await ask({ do: 'draw', results })
  if ('files' in answer) return answer.files
  throw failure(answer)
}

function failure(answer: ComparisonAnswer): AppError {
  if ('problem' in answer) return new AppError(answer.problem.code, answer.problem.message)
  return new AppError('internal', 'The comparison ended without a result.')
}

let last: Promise<unknown> = Promise.resolve()

/** One after the other: each takes all processors, and its times are those of a machine that does nothing else. */
function ask(request: ComparisonRequest): Promise<ComparisonAnswer> {
  const next = last.then(() => askChild<ComparisonAnswer>({ worker: WORKER, request }))
  last = next.catch(() => {})
  return next.catch((cause: unknown) => {
    const message = 'The comparison ended before it was done; try again.'
    throw new AppError('unavailable', message, { cause })
  })
}
