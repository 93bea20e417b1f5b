// One training for a caller that waits for it (the command line, the demonstration): folders, log, child process.
// The finished package lies in the store's staging folder; registering it is the caller's.
import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { readConfig } from '../config.ts'
import { isAppError } from '../errors.ts'
import { endOrphan, noteProcess } from '../processes/orphan.ts'
import type { Store } from '../registry/home/store.ts'
import type { TrainingJob, TrainingMessage, TrainingSummary } from './job.ts'
import { logLine } from './log-line.ts'
import { TrainingProcess } from './training-process.ts'

/** What a caller says about a training; the folders follow from the store. */
export interface TrainRequest
  extends Omit<TrainingJob, 'id' | 'workDir' | 'packageDir' | 'threads' | 'dataDir'> {
  /** Safe in a file name; time and random by default. */
  readonly id?: string
  /** All cores by default. */
  readonly threads?: number
}

export interface TrainOnceOptions {
  readonly store: Pick<Store, 'logsDir' | 'stagingDir' | 'dataDir'>
  readonly onMessage?: (message: TrainingMessage) => void
  /** Told of the process while it runs, to stop or cancel it. */
  readonly onProcess?: (process: TrainingProcess) => void
  /** Asked when it ended without a package: true keeps the checkpoint, for going on later. */
  readonly keepsWork?: (error: unknown) => boolean
}

/** Checkpoint and, where no place for them is given, prepared pixels of a run. */
export function workFolder({ dataDir }: Pick<Store, 'dataDir'>, id: string): string {
  return join(dataDir, 'training', id)
}

/**
 * Trains and leaves the package in `summary.packageDir`. The log is models/logs/<id>.log; its work folder is removed.
 * @throws AppError with the reason in one sentence
 */
export async function trainOnce(
  request: TrainRequest,
  { store, onMessage, onProcess, keepsWork = () => false }: TrainOnceOptions,
): Promise<TrainingSummary> {
  const id = request.id ?? newRunId(request)
  const workDir = workFolder(store, id)
  const packageDir = join(store.stagingDir, `run-${id}`)
  await mkdir(workDir, { recursive: true })
  await endOrphan(workDir)
  await mkdir(store.logsDir, { recursive: true })
  await mkdir(store.stagingDir, { recursive: true })
  const log = createWriteStream(join(store.logsDir, `${id}.log`), { flags: 'a' })
  const threads = request.threads ?? availableParallelism()
  const process = new TrainingProcess(
    { ...request, id, workDir, packageDir, threads, dataDir: store.dataDir },
    {
      onMessage: (message) => {
        const line = logLine(message)
        if (line) log.write(`${new Date().toISOString()} ${line}\n`)
        onMessage?.(message)
      },
      onOutput: (text) => log.write(text),
      memoryLimitBytes: readConfig().trainingMemoryBytes,
    },
  )
  onProcess?.(process)
  let isKept = false
  try {
    await noteProcess(workDir, process.pid)
    return await process.result
  } catch (error) {
    isKept = keepsWork(error)
    await rm(packageDir, { recursive: true, force: true })
    if (isAppError(error) && error.cause) log.write(`${String(error.cause)}\n`)
    throw error
  } finally {
    if (!isKept) await rm(workDir, { recursive: true, force: true })
    await new Promise<void>((done) => log.end(done))
  }
}

function newRunId({ condition, architecture }: TrainRequest): string {
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const random = crypto.randomUUID().slice(0, 6)
  return `${time}-${condition.id}-${architecture.toLowerCase()}-${random}`
}
