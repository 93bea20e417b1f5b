// The server's life as a process: what it says, what it leaves behind, and why it may not start.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { findServer } from '../../src/app/server-file.ts'
import { image } from '../inference/tiny-package.ts'
import {
  type Folders,
  homeFolders,
  imageForm,
  jsonBody,
  servedHome,
  storePackage,
  untilReady,
} from '../support/home.ts'

const MAIN = fileURLToPath(new URL('../../src/server/main.ts', import.meta.url))

/** A start that is expected to fail: its exit code and what it says. */
function refusedStart(
  folders: Folders,
  env: Record<string, string>,
): Promise<{ code: number; errors: string }> {
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env.PATH ?? '', ...folders.env, ...env } }
    execFile(process.execPath, [MAIN], options, (error, _stdout, errors) => {
      resolve({ code: Number(error?.code ?? 0), errors })
    })
  })
}

test('it says where it listens, leaves server.json for its owner only, and takes it away when told to stop', async (t) => {
  const folders = await homeFolders(t)
  const { url, stop, child } = await servedHome(folders)
  const file = await until(() => findServer(folders.dataDir))
  assert.equal(file.address, url)
  assert.equal(file.pid, child.pid)
  assert.equal((await stat(join(folders.dataDir, 'server.json'))).mode & 0o777, 0o600)
  assert.equal((await fetch(`${url}/healthz`)).status, 200)
  assert.equal(await stop(), 0)
  assert.ok(!(await readdir(folders.dataDir)).includes('server.json'))
})

test('requests in flight are answered when it is told to stop', async (t) => {
  const folders = await homeFolders(t)
  const { id } = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const { url, stop } = await servedHome(folders)
  await untilReady(url)
  await fetch(`${url}/api/v1/conditions/pneumonia/activate`, jsonBody({ version: id, reason: 'a' }))
  const png = await image(1)
  const inFlight = Array.from({ length: 6 }, async () => {
    const body = imageForm({ image: png, condition: 'pneumonia', explain: 'occlusion' })
    return (await fetch(`${url}/api/v1/predict`, { method: 'POST', body })).status
  })
  // All six have been accepted once one has been answered: they were sent together.
  await Promise.race(inFlight)
  const code = stop()
  assert.deepEqual(await Promise.all(inFlight), [200, 200, 200, 200, 200, 200])
  assert.equal(await code, 0)
})

test('an upload that is too large is refused with 413 while it is being sent', async (t) => {
  const folders = await homeFolders(t)
  const env = { ...folders.env, ROENTGEN_MAX_UPLOAD_MB: '1' }
  const { url } = await servedHome({ ...folders, env })
  const body = imageForm({ image: new Uint8Array(9 * 1024 * 1024), condition: 'pneumonia' })
  const response = await fetch(`${url}/api/v1/predict`, { method: 'POST', body })
  assert.equal(response.status, 413)
})

test('a port or a home that is in use, a wrong setting and a folder that cannot be made are one line each', async (t) => {
  const folders = await homeFolders(t)
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  const { port } = other.address() as AddressInfo
  const taken = await refusedStart(folders, { PORT: String(port) })
  assert.equal(taken.code, 1)
  assert.match(taken.errors, new RegExp(`^roentgen: Port ${port} is in use\\. [^\\n]+\\n$`))

  const wrong = await refusedStart(folders, { PORT: 'seven' })
  assert.match(wrong.errors, /^roentgen: PORT is "seven", but must be [^\n]+\n$/)
  const open = await refusedStart(folders, { HOST: '0.0.0.0' })
  assert.match(open.errors, /^roentgen: HOST is "0\.0\.0\.0"[^\n]+\n$/)

  await mkdir(folders.root, { recursive: true })
  await writeFile(join(folders.root, 'file'), '')
  const blocked = await refusedStart(folders, {
    ROENTGEN_MODELS: join(folders.root, 'file/models'),
  })
  assert.equal(blocked.code, 1)
  assert.match(blocked.errors, /^roentgen: The model store [^\n]+\n$/)

  await servedHome(folders)
  const second = await refusedStart(folders, {})
  assert.match(
    second.errors,
    /^roentgen: Another Roentgen is running on this data folder\. [^\n]+\n$/,
  )
})

async function until<T>(find: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await find()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
