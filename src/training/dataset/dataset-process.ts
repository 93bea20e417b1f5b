// Scanning or preparing a dataset as a child process at the lowest priority, so that no file in it can harm the server.
import { AppError, ERROR_CODES, type ErrorCode } from '../../errors.ts'
import { startChild } from '../../processes/start-child.ts'
import type { DatasetJob, DatasetMessage, DatasetResult } from './dataset-job.ts'

const WORKER = new URL('./dataset-worker.ts', import.meta.url)

/** Without any progress for so long it hangs. */
const MAX_STALL_MS = 30 * 60_000

export interface DatasetProcessOptions {
  readonly maxStallMs?: number
  readonly onProgress?: (done: number, total: number) => void
  /** Ends it; the promise is then rejected. */
  readonly signal?: AbortSignal
}

/** @throws AppError with one sentence */
export async function runDatasetJob<Job extends DatasetJob>(
  job: Job,
  { onProgress, signal, maxStallMs = MAX_STALL_MS }: DatasetProcessOptions = {},
): Promise<DatasetResult<Job>> {
  signal?.throwIfAborted()
  const { process: child, lastOutput } = startChild({
    module: WORKER,
    lowPriority: true,
    messages: 'json',
  })
  const end = (): void => void child.kill('SIGKILL')
  signal?.addEventListener('abort', end)
  let stalled: NodeJS.Timeout | undefined
  try {
    return await new Promise((resolve, reject) => {
      stalled = setTimeout(() => {
        reject(hangs())
        end()
      }, maxStallMs)
      child.on('message', (message: DatasetMessage) => {
        stalled?.refresh()
        if (message.type === 'progress') onProgress?.(message.done, message.total)
        if (message.type === 'done') resolve(message.report as DatasetResult<Job>)
        if (message.type === 'failed') reject(new AppError(codeOf(message.code), message.message))
      })
      child.on('error', (cause) => reject(ended(cause)))
      child.on('close', (code, by) => {
        reject(ended(new Error(`exit status ${code}, signal ${by}\n${lastOutput.text()}`)))
      })
      child.send(job, () => {})
    })
  } finally {
    clearTimeout(stalled)
    signal?.removeEventListener('abort', end)
  }
}

function hangs(): AppError {
  const message =
    'The process that looked at the dataset made no progress any more and was ended; look for a file system that does not answer.'
  return new AppError('unavailable', message)
}

function ended(cause: Error): AppError {
  const message = 'The process that looked at the dataset ended unexpectedly; try again.'
  return new AppError('internal', message, { cause })
}

function codeOf(code: string): ErrorCode {
  return Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'internal'
}
