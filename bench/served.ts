// A server of a home of its own for benches, started as a user starts it.
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../src/server/main.ts', import.meta.url))

export interface Served {
  readonly url: string
  stop(): Promise<void>
}

/** Resolves once it is ready. `root` is where its folders are made. */
export async function serve(root: string, env: Record<string, string> = {}): Promise<Served> {
  const child: ChildProcess = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env.PATH ?? '',
      PORT: '0',
      ROENTGEN_MODELS: join(root, 'models'),
      ROENTGEN_DATA: join(root, 'data'),
      ROENTGEN_DATASETS: join(root, 'datasets'),
      ROENTGEN_DEMO: 'off',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) child.kill('SIGTERM')
    await ended
  }
  if (!child.stdout) throw new Error('the server says nothing')
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /http:\S+/.exec(line)?.[0] ?? ''
    for (;;) {
      const ready = await fetch(`${url}/readyz`)
      await ready.arrayBuffer()
      if (ready.ok) return { url, stop }
      await after(20)
    }
  }
  throw new Error('the server did not start')
}

/** A GET, or with a body a POST of JSON. @throws what the server said */
export async function json<T>(url: string, body?: object): Promise<T> {
  const response = await fetch(url, {
    ...(body && {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
  })
  if (!response.ok) throw new Error(await response.text())
  return (await response.json()) as T
}
