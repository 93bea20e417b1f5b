// Fetches TensorFlow's native library: runs the install script of the optional dependency, which npm was told not to run
// because it loads several hundred megabytes. Loading what came is load-library.ts.
import { type ChildProcess, spawn } from 'node:child_process'
import { AppError } from '../../errors.ts'
import { findLibrary, type NativeLibrary } from './find-library.ts'

export interface InstallOptions {
  /** A folder with node_modules in it or above it; Roentgen's own by default. */
  readonly from?: string
  readonly timeoutMs: number
  /** Ends it early. */
  readonly signal?: AbortSignal
  /** What the script says, as it says it. */
  readonly onOutput?: (text: string) => void
}

const KEPT_CHARS = 8000
const UNREACHABLE =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)\b/
const GO_ON = 'Roentgen goes on computing with ONNX Runtime meanwhile.'

/** @throws AppError `unavailable` with why it did not work and what to do */
export async function installLibrary(options: InstallOptions): Promise<NativeLibrary> {
  const found = findLibrary(options.from)
  if (!found) {
    throw new AppError(
      'unavailable',
      'The optional part @tensorflow/tfjs-node-gpu is missing; run "npm ci --include=optional --ignore-scripts" in the folder of Roentgen first.',
    )
  }
  const { status, said } = await runScript(found.dir, options)
  const installed = findLibrary(options.from)
  if (status === 0 && installed?.isComplete) return installed
  const cause = new Error(`exit status ${status}\n${said}`)
  if (status === 'timeout') {
    const minutes = Math.max(1, Math.round(options.timeoutMs / 60_000))
    throw new AppError(
      'unavailable',
      `TensorFlow's library did not come within ${minutes} min; try again on a faster connection or with a longer --timeout. ${GO_ON}`,
      { cause },
    )
  }
  if (status === 'interrupted') {
    throw new AppError('unavailable', `The installation was interrupted. ${GO_ON}`, { cause })
  }
  if (UNREACHABLE.test(said)) {
    throw new AppError(
      'unavailable',
      `The place that TensorFlow's library is fetched from cannot be reached; try again with a connection, or name a mirror in TFJS_NODE_CDN_STORAGE. ${GO_ON}`,
      { cause },
    )
  }
  throw new AppError(
    'unavailable',
    `TensorFlow's library could not be installed; what its script said last: ${lastLine(said)} ${GO_ON}`,
    { cause },
  )
}

interface Ended {
  readonly status: number | 'timeout' | 'interrupted'
  readonly said: string
}

function runScript(dir: string, { timeoutMs, signal, onOutput }: InstallOptions): Promise<Ended> {
  const { promise, resolve, reject } = Promise.withResolvers<Ended>()
  // `--run` knows the package's scripts and finds the tools that they call, as npm does.
  const child = spawn(process.execPath, ['--run', 'install'], {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
  })
  let said = ''
  let ended: 'timeout' | 'interrupted' | undefined
  const end = (why: 'timeout' | 'interrupted') => {
    ended ??= why
    endWithChildren(child)
  }
  const timer = setTimeout(end, timeoutMs, 'timeout')
  const interrupt = () => end('interrupted')
  signal?.addEventListener('abort', interrupt, { once: true })
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-KEPT_CHARS)
      onOutput?.(text)
    })
  }
  child.on('error', reject)
  child.on('close', (code) => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', interrupt)
    resolve({ status: ended ?? code ?? 1, said })
  })
  return promise
}

/** The script starts others, which would go on downloading. */
function endWithChildren(child: ChildProcess): void {
  try {
    if (child.pid !== undefined && process.platform !== 'win32') process.kill(-child.pid, 'SIGKILL')
    else child.kill('SIGKILL')
  } catch {
    // It has ended by itself meanwhile.
  }
}

function lastLine(said: string): string {
  const lines = said.split('\n').map((line) => line.trim())
  const telling = lines.findLast((line) => /error/i.test(line)) ?? lines.findLast(Boolean)
  return `"${(telling ?? 'nothing').replace(/\/\S*\//g, '').slice(0, 200)}".`
}
