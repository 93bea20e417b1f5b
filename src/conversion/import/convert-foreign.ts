// The parent's side of an import: starts the child process, waits for its package, ends it when it takes too long.
import { mkdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { AppError } from '../../errors.ts'
import { askChild } from '../../processes/child-answer.ts'
import { timeFor } from './conversion-time.ts'
import type { ForeignFields } from './foreign-fields.ts'
import type { ImportJob, ImportReply, KnownCondition } from './import-job.ts'
import { importKeyOf } from './import-key.ts'

const WORKER = new URL('./import-worker.ts', import.meta.url)
const MAX_OLD_SPACE_MIB = 3072

export interface ForeignModel {
  readonly kind: ImportJob['kind']
  readonly path: string
  readonly sourceName: string
  readonly fields: ForeignFields
  readonly condition: KnownCondition | undefined
  /** A new folder of this name is made and removed again by the caller; the package is `package` in it. */
  readonly stagingDir: string
  readonly timeoutMs?: number
  /** Ends the process. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Converts a foreign model into a package folder, in a child process at low priority.
 * @returns the folder. @throws AppError `invalid-package`, `invalid`
 */
export async function convertForeign(model: ForeignModel): Promise<string> {
  const { stagingDir, signal, timeoutMs = await timeFor(model.path), ...rest } = model
  const outDir = join(stagingDir, 'package')
  const workDir = join(stagingDir, 'work')
  await mkdir(outDir, { recursive: true })
  await mkdir(workDir, { recursive: true })
  const job: ImportJob = {
    ...rest,
    sourceName: basename(model.sourceName.replaceAll('\\', '/')).slice(0, 200),
    ...(await importKeyOf(model)),
    outDir,
    workDir,
  }
  const reply = await run(job, { timeoutMs, signal }).finally(() =>
    rm(workDir, { recursive: true, force: true }),
  )
  if (reply.ok) return outDir
  throw new AppError(reply.code, reply.message, { cause: new Error(reply.cause) })
}

async function run(
  job: ImportJob,
  limits: { readonly timeoutMs: number; readonly signal: AbortSignal | undefined },
): Promise<ImportReply> {
  const nodeOptions = [`--max-old-space-size=${MAX_OLD_SPACE_MIB}`]
  const confined = { mayRead: [job.path], mayWrite: [job.outDir, job.workDir] }
  const question = { worker: WORKER, request: job, ...limits, nodeOptions, confined }
  return askChild<ImportReply>(question).catch((cause: unknown) => {
    const message = 'The model could not be converted: it takes too long or too much memory.'
    throw new AppError('invalid-package', message, { cause })
  })
}
