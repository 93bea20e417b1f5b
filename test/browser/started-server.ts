// The real server in a process of its own, on a home in a temporary folder and on a free port.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/server/main.ts', import.meta.url))
const START_MS = 60_000

export interface StartedServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  /** Holds `models`, `data` and `datasets`. */
  readonly home: string
  stop(): Promise<void>
}

/**
 * Starts with the demonstration models and waits until every condition is answered for. ROENTGEN_TEST_MODELS names
 * another store to copy and try instead.
 */
export async function startServer(): Promise<StartedServer> {
  const home = await mkdtemp(join(tmpdir(), 'roentgen-browser-'))
  const { ROENTGEN_TEST_MODELS: store } = process.env
  if (store) await cp(store, join(home, 'models'), { recursive: true })
  const child = spawn(process.execPath, [MAIN], {
    env: {
      ...process.env,
      PORT: '0',
      HOST: '127.0.0.1',
      ROENTGEN_MODELS: join(home, 'models'),
      ROENTGEN_DATA: join(home, 'data'),
      ROENTGEN_DATASETS: join(home, 'datasets'),
      ROENTGEN_LOG: 'error',
      ROENTGEN_THREADS: '1',
      ROENTGEN_IMAGING_WORKERS: '1',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const stop = async () => {
    if (child.exitCode === null) {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
    await rm(home, { recursive: true, force: true })
  }
  try {
    const url = await listeningUrl(child)
    await untilReady(url)
    return { url, home, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function listeningUrl(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('the server has no output')
  for await (const line of createInterface({ input: child.stdout })) {
    const found = /^Roentgen listening on (http:\S+)$/.exec(line)?.[1]
    if (found) return found
  }
  throw new Error('the server ended before it listened')
}

/** Ready is not enough: the demonstration is activated one condition after the other, after the server listens. */
async function untilReady(url: string): Promise<void> {
  const deadline = performance.now() + START_MS
  while (performance.now() < deadline) {
    const ready = await fetch(`${url}/readyz`)
    const conditions = await fetch(`${url}/api/v1/conditions`)
    // 503 while a busy machine is still recovering the registry.
    const list = conditions.ok
      ? ((await conditions.json()) as { active: object | null; versions: number }[])
      : undefined
    if (ready.ok && list?.length === 0) throw new Error('there are no demonstration models to try')
    const answering = list?.every((one) => one.active !== null || one.versions === 0)
    if (ready.ok && answering) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`the server was not ready after ${START_MS / 1000} s`)
}
