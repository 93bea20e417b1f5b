// The parent's side of an import: starts the child process, waits for its package, ends it when it takes too long.
import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { AppError } from '../../errors.ts'
import type { ForeignFields } from './foreign-fields.ts'
import type { ImportJob, ImportReply, KnownCondition } from './import-job.ts'

const WORKER = fileURLToPath(new URL('./import-worker.ts', import.meta.url))
const DEFAULT_TIMEOUT_MS = 5 * 60_000
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
}

/**
 * Converts a foreign model into a package folder, in a child process at low priority.
 * @returns the folder. @throws AppError `invalid-package`, `invalid`
 */
export async function convertForeign(model: ForeignModel): Promise<string> {
  const { stagingDir, timeoutMs = DEFAULT_TIMEOUT_MS, ...rest } = model
  const outDir = join(stagingDir, 'package')
  const workDir = join(stagingDir, 'work')
  await mkdir(outDir, { recursive: true })
  await mkdir(workDir, { recursive: true })
  const job: ImportJob = {
    ...rest,
    sourceName: basename(model.sourceName.replaceAll('\\', '/')).slice(0, 200),
    sourceSha256: await digestOf(model),
    outDir,
    workDir,
  }
  const reply = await run(job, timeoutMs)
  await rm(workDir, { recursive: true, force: true })
  if (reply.ok) return outDir
  throw new AppError(reply.code, reply.message, { cause: new Error(reply.cause) })
}

function run(job: ImportJob, timeoutMs: number): Promise<ImportReply> {
  return new Promise((resolve, reject) => {
    let stderr = ''
    const child = fork(WORKER, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [`--max-old-space-size=${MAX_OLD_SPACE_MIB}`],
    })
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    const failed = (cause: string): void =>
      reject(
        new AppError(
          'invalid-package',
          'The model could not be converted: it takes too long or too much memory.',
          {
            cause: new Error(cause),
          },
        ),
      )
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString()).slice(-4000)
    })
    child.once('message', (reply) => {
      clearTimeout(timer)
      resolve(reply as ImportReply)
    })
    child.once('error', (error) => failed(error.message))
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      failed(`import worker ended with ${code ?? signal}: ${stderr}`)
    })
    child.send(job, () => {})
  })
}

/** Of the file, or of model.json where a folder is given. */
async function digestOf({ kind, path }: ForeignModel): Promise<string> {
  const file = kind === 'tfjs-folder' ? join(path, 'model.json') : path
  if (!(await stat(file).catch(() => undefined))) {
    throw new AppError('invalid-package', 'There is no model.json in the model folder.')
  }
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}
