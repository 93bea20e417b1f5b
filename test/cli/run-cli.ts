// Test support: the real command in a real process.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

export const COMMAND = fileURLToPath(new URL('../../bin/roentgen', import.meta.url))

export interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** Runs `roentgen <words>` to its end. Its output is no terminal. */
export async function roentgen(words: readonly string[], options: RunOptions): Promise<Ended> {
  const child = spawn(process.execPath, [COMMAND, ...words], {
    env: { PATH: process.env.PATH ?? '', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.cwd !== undefined && { cwd: options.cwd }),
  })
  const [stdout, stderr] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { status: child.exitCode, stdout, stderr }
}

/** The parsed output of `roentgen <words> --json`, which must have ended well. */
export async function roentgenJson<T>(words: readonly string[], options: RunOptions): Promise<T> {
  const { status, stdout, stderr } = await roentgen([...words, '--json'], options)
  if (status !== 0) throw new Error(`${words.join(' ')} ended with ${status}: ${stderr}`)
  return JSON.parse(stdout) as T
}

/** It failed, said one line about it, and nothing else. */
export function assertRefused(ended: Ended, words: RegExp, status = 1): void {
  assert.equal(ended.status, status, ended.stderr)
  assert.match(ended.stderr, /^roentgen: [^\n]+\n$/)
  assert.match(ended.stderr, words)
  assert.equal(ended.stdout, '')
}
