// A start that cannot write what it must ends with one sentence; whatever does start ends when it is told to.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Folders, homeFolders } from '../support/home.ts'

/** The command: its process lives as long as anything in it is open. */
const COMMAND = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** Starts, tells it to end as soon as it listens, and says how it ended. */
async function startAndEnd({ env }: Folders): Promise<{ code: number | null; errors: string }> {
  const child = spawn(process.execPath, [COMMAND, 'serve'], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  child.stdout.once('data', () => child.kill('SIGTERM'))
  // The test's own limit: what ignores SIGTERM is ended, and fails the test by its exit code.
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000)
  await once(child, 'close')
  clearTimeout(timer)
  return { code: child.exitCode, errors }
}

test('a server whose address file cannot be written ends with one line, and nothing stays open', async (t) => {
  const folders = await homeFolders(t)
  await mkdir(join(folders.dataDir, 'server.json'), { recursive: true })
  await writeFile(join(folders.dataDir, 'server.json', 'in-the-way'), '')
  const { code, errors } = await startAndEnd(folders)
  assert.equal(code, 1)
  assert.equal(errors.trim().split('\n').length, 1, errors)
  assert.match(errors, /^roentgen: /)
})

test('on a disk that is nearly full a start fails with a sentence, or the server ends when told to', async (t) => {
  for (const size of ['40k', '200k', '1m']) {
    const folders = await homeFolders(t)
    await mkdir(folders.dataDir, { recursive: true })
    const mount = ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folders.dataDir]
    if (process.platform !== 'linux' || spawnSync('mount', mount).status !== 0) {
      return t.skip('only root on Linux can mount a small disk')
    }
    folders.closing.push(async () => spawnSync('umount', ['-l', folders.dataDir]))
    const { code, errors } = await startAndEnd(folders)
    assert.ok(code === 0 || code === 1, `${size}: ${code} ${errors}`)
    if (code === 1) assert.match(errors, /^roentgen: .*(full|free space|space)/m, size)
  }
})
