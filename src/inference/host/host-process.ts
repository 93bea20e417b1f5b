// How the child process of a model host is started: small, confined to the files of its version, over a fast pipe.
import { existsSync, mkdirSync } from 'node:fs'
import { type StartedChild, startChild } from '../../processes/start-child.ts'

const HOST_FILE = new URL('./host.ts', import.meta.url)

/** The heap holds little JavaScript: tensors and the graph lie outside of it. */
const NODE_OPTIONS = ['--max-old-space-size=96', '--max-semi-space-size=2', '--v8-pool-size=1']
/** A host reads one file, then one thread does everything but ONNX Runtime's own work. */
const ENVIRONMENT = { MALLOC_ARENA_MAX: '1', UV_THREADPOOL_SIZE: '1' }

export interface HostProcess {
  /** Where Node keeps compiled modules, so that a host needs no compiler and no type stripping: all that it may write. */
  readonly compileCacheDir: string
  /** The private copy of its version. */
  readonly copyDir?: string
  readonly maxDataBytes?: number
}

export function startHostProcess({
  compileCacheDir,
  copyDir,
  maxDataBytes,
}: HostProcess): StartedChild {
  return startChild({
    module: HOST_FILE,
    nodeOptions: NODE_OPTIONS,
    confined: {
      env: { ...ENVIRONMENT, NODE_COMPILE_CACHE: compileCacheDir },
      mayRead: copyDir === undefined ? [] : [copyDir],
      mayWrite: [compileCacheDir],
      ...(maxDataBytes !== undefined && { maxDataBytes }),
    },
  })
}

/** Fills the cache at the very first start (0.3 s), so that the hosts that then start side by side are small at once. */
export async function primeCompileCache(compileCacheDir: string): Promise<void> {
  if (existsSync(compileCacheDir)) return
  mkdirSync(compileCacheDir, { recursive: true, mode: 0o700 })
  const { process: child } = startHostProcess({ compileCacheDir })
  const done = new Promise<void>((resolve) => {
    // Its first message comes when all is compiled. Without one the hosts are larger, no more.
    child.once('message', () => child.kill('SIGKILL'))
    child.once('error', () => resolve())
    child.once('close', () => resolve())
  })
  await done
}
