// How the child process of a model host is started: small, without the parent's environment, over a fast pipe.
import { type ChildProcess, fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const HOST_FILE = fileURLToPath(new URL('./host.ts', import.meta.url))

/** The heap holds little JavaScript: tensors and the graph lie outside of it. */
const NODE_OPTIONS = ['--max-old-space-size=96', '--max-semi-space-size=2', '--v8-pool-size=1']
/** A host reads one file, then one thread does everything but ONNX Runtime's own work. */
const ENVIRONMENT = { MALLOC_ARENA_MAX: '1', UV_THREADPOOL_SIZE: '1' }

/** `compileCacheDir`: where Node keeps compiled modules, so that a host needs no compiler and no type stripping. */
export function forkHost(compileCacheDir: string): ChildProcess {
  return fork(HOST_FILE, [], {
    execPath: process.execPath,
    execArgv: NODE_OPTIONS,
    env: { ...ENVIRONMENT, NODE_COMPILE_CACHE: compileCacheDir },
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
}

/** Fills the cache at the very first start (0.3 s), so that the hosts that then start side by side are small at once. */
export async function primeCompileCache(compileCacheDir: string): Promise<void> {
  if (existsSync(compileCacheDir)) return
  const child = forkHost(compileCacheDir)
  child.stderr?.resume()
  const done = new Promise<void>((resolve) => {
    // Its first message comes when all is compiled. Without one the hosts are larger, no more.
    child.once('message', () => child.kill('SIGKILL'))
    child.once('error', () => resolve())
    child.once('close', () => resolve())
  })
  await done
}
