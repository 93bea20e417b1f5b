// A comparison in a process of its own, at the lowest priority: reading, resampling and running graphs would hold a server up.
import { fork } from 'node:child_process'
import { availableParallelism, constants, setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { AppError, type ErrorCode } from '../../errors.ts'
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

const WORKER = fileURLToPath(new URL('./comparison-worker.ts', import.meta.url))

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
  return new AppError('internal', 'The comparison ended without an answer.')
}

function ask(request: ComparisonRequest): Promise<ComparisonAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<ComparisonAnswer>()
  const child = fork(WORKER, [], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: [],
  })
  try {
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW)
  } catch {
    // Where that is not allowed it runs beside the server as an equal.
  }
  child.once('message', (answer) => resolve(answer as ComparisonAnswer))
  child.once('error', reject)
  child.once('exit', () =>
    reject(new AppError('unavailable', 'The comparison ended before it was done; try again.')),
  )
  child.send(request)
  return promise
}
