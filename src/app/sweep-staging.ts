// What was left in the staging folder while the server runs: each part of the product removes its own, and this removes
// what did not. A start empties the folder whole.
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Uses } from './services.ts'

/** Nothing is worked on there for longer without being written to; trainings remove theirs themselves. */
const KEEP_MS = 24 * 60 * 60_000

/** Names of what was removed. */
export async function sweepStaging({
  clock,
  store,
  log,
}: Uses<'clock' | 'log' | 'store'>): Promise<string[]> {
  const gone: string[] = []
  for (const name of await readdir(store.stagingDir)) {
    if (name.startsWith('run-')) continue
    const path = join(store.stagingDir, name)
    const found = await stat(path).catch(() => undefined)
    if (!found || clock().getTime() - found.mtimeMs < KEEP_MS) continue
    await rm(path, { recursive: true, force: true })
    gone.push(name)
  }
  if (gone.length > 0) log.warn({ count: gone.length }, 'left in the staging folder, removed')
  return gone
}
