// Reading a package's results, measuring and drawing files takes a good part of a second of one core: it is done in a thread, one
// after the other, so that a server goes on answering.
import { Worker } from 'node:worker_threads'
import type { Assessment, AssessmentInput } from '../assess.ts'
import type { Plot } from './node.ts'
import type { PackageResults, PackageSubject } from './package-plots.ts'
import type { ResultFigures } from './result-plots.ts'

export type PlotJob =
  | { readonly do: 'read'; readonly packageDir: string; readonly subject: PackageSubject }
  | { readonly do: 'measure'; readonly input: AssessmentInput }
  | { readonly do: 'draw'; readonly plot: Plot; readonly about: string }

/** What a package says about its training and its test split. */
export function readResultsApart(packageDir: string, subject: PackageSubject) {
  return inThread<PackageResults>({ do: 'read', packageDir, subject })
}

export interface Measured {
  readonly assessment: Omit<Assessment, 'answers'>
  readonly figures: ResultFigures
}

/** Figures with intervals, and what their plots need. */
export function measureApart(input: AssessmentInput) {
  return inThread<Measured>({ do: 'measure', input })
}

/** `<name>.png` and `<name>.pdf` with their bytes. */
export function drawFilesApart(plot: Plot, about: string) {
  return inThread<Record<string, Uint8Array>>({ do: 'draw', plot, about })
}

const MAX_MS = 10 * 60_000

let last: Promise<unknown> = Promise.resolve()

function inThread<T>(job: PlotJob): Promise<T> {
  const next = last.then(() => runThread<T>(job))
  last = next.catch(() => {})
  return next
}

function runThread<T>(job: PlotJob): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const worker = new Worker(new URL('./plot-worker.ts', import.meta.url), {
    workerData: job,
    execArgv: [],
  })
  // What waits behind it must not wait for ever for somebody else's package.
  const timer = setTimeout(() => void worker.terminate(), MAX_MS)
  worker.once('message', resolve)
  worker.once('error', reject)
  worker.once('exit', (code) => {
    clearTimeout(timer)
    reject(new Error(`the drawing thread ended with ${code}`))
  })
  return promise
}
