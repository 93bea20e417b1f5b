// What happens when disks lie and processes die, seen from outside: a server process, its files, its hosts.
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { ConditionSchema } from '../../src/server/conditions/schema.ts'
import { PredictionSchema } from '../../src/server/predictions/schema.ts'
import { image } from '../inference/tiny-package.ts'
import {
  type Folders,
  homeFolders,
  imageForm,
  jsonBody,
  jsonOf,
  servedHome,
  storePackage,
  untilReady,
} from '../support/home.ts'

async function flipOneByte(path: string): Promise<void> {
  const bytes = await readFile(path)
  const at = Math.floor(bytes.length / 2)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  await writeFile(path, bytes)
}

async function post(url: string, body: object): Promise<Response> {
  return fetch(`${url}/api/v1/conditions/pneumonia/activate`, jsonBody(body))
}

async function predict(url: string, bytes: Uint8Array) {
  const body = imageForm({ image: bytes, condition: 'pneumonia', explain: 'none' })
  const response = await fetch(`${url}/api/v1/predict`, { method: 'POST', body })
  assert.equal(response.status, 200, await response.clone().text())
  return PredictionSchema.parse(await response.json())
}

async function condition(url: string) {
  return ConditionSchema.parse(await (await fetch(`${url}/api/v1/conditions/pneumonia`)).json())
}

/** The process of the host that answers, as the metrics page's neighbour `/status` shows it to people. */
async function hostProcess(url: string): Promise<number> {
  const page = await (await fetch(`${url}/status`, { headers: { accept: 'text/html' } })).text()
  const rows = page.split('<tr>').filter((row) => row.includes('<td>active</td>'))
  const pid = /<td class="number">(\d+)<\/td>\s*<\/tr>/.exec(rows[0] ?? '')?.[1]
  assert.ok(pid, 'the status page names the process of the active host')
  return Number(pid)
}

async function started(folders: Folders) {
  const served = await servedHome(folders)
  await untilReady(served.url)
  return served
}

test('one byte changed in a package: it is refused with hash-mismatch, and the old version still answers', async (t) => {
  const folders = await homeFolders(t)
  const one = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const two = await storePackage(folders, { seed: 2, accuracy: 0.95 })
  const { url } = await started(folders)
  assert.equal((await post(url, { version: one.id, reason: 'first' })).status, 200)
  const before = await predict(url, await image(1))
  await flipOneByte(join(two.dir, 'models/tiny.onnx'))
  const refused = await post(url, { version: two.id, reason: 'newer', force: true })
  const problem = await jsonOf(refused)
  assert.equal(refused.status, 409)
  assert.equal(problem.code, 'hash-mismatch')
  const after = await predict(url, await image(1))
  assert.equal(after.version, one.id)
  assert.deepEqual(after.classes, before.classes)
  const { items } = await jsonOf<{ items: { outcome: string; version: string }[] }>(
    await fetch(`${url}/api/v1/conditions/pneumonia/history`),
  )
  assert.deepEqual(
    items.map((item) => [item.version, item.outcome]),
    [
      [two.id, 'refused'],
      [one.id, 'activated'],
    ],
  )
})

test('the active package is damaged and its host killed: a verified copy answers, also after a restart, marked damaged', async (t) => {
  const folders = await homeFolders(t)
  const one = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const first = await started(folders)
  assert.equal((await post(first.url, { version: one.id, reason: 'first' })).status, 200)
  const before = await predict(first.url, await image(1))
  const pid = await hostProcess(first.url)
  await flipOneByte(join(one.dir, 'models/tiny.onnx'))
  process.kill(pid, 'SIGKILL')
  const after = await predict(first.url, await image(1))
  assert.deepEqual(after.classes, before.classes)
  assert.equal(after.version, one.id)
  assert.notEqual(await hostProcess(first.url), pid)
  await until(async () => (await condition(first.url)).active?.state === 'damaged')
  await first.stop()

  const second = await started(folders)
  const later = await predict(second.url, await image(1))
  assert.deepEqual(later.classes, before.classes)
  assert.equal((await condition(second.url)).active?.version, one.id)
  assert.equal((await condition(second.url)).active?.state, 'damaged')
  assert.match(later.warnings.join(' '), /damaged on disk/)
})

test('kill -9 of a model host under load: every request is answered', async (t) => {
  const folders = await homeFolders(t)
  const one = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const { url } = await started(folders)
  assert.equal((await post(url, { version: one.id, reason: 'first' })).status, 200)
  const png = await image(1)
  const { confidence } = await predict(url, png)
  let running = true
  const callers = Promise.all(
    Array.from({ length: 3 }, async () => {
      while (running) assert.equal((await predict(url, png)).confidence, confidence)
    }),
  )
  callers.catch(() => {})
  for (let turn = 0; turn < 3; turn++) {
    process.kill(await hostProcess(url), 'SIGKILL')
    assert.equal((await predict(url, png)).confidence, confidence)
  }
  running = false
  await callers
})

test('kill -9 of the server: it comes back with the version that was last reported, and its history', async (t) => {
  const folders = await homeFolders(t)
  const one = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const two = await storePackage(folders, { seed: 2, accuracy: 0.9 })
  const first = await started(folders)
  for (const version of [one.id, two.id]) {
    assert.equal((await post(first.url, { version, reason: 'next' })).status, 200)
  }
  const inFlight = post(first.url, { version: one.id, reason: 'while it dies' }).catch(
    () => undefined,
  )
  await first.kill()
  const reported = (await inFlight)?.status === 200 ? [one.id] : [one.id, two.id]

  const second = await started(folders)
  const { version } = await predict(second.url, await image(1))
  assert.ok(reported.includes(version), `${version} answers`)
  assert.equal((await condition(second.url)).active?.version, version)
  const pointer = JSON.parse(
    await readFile(join(folders.modelsDir, 'pneumonia/active.json'), 'utf8'),
  )
  assert.equal(pointer.version, version)
  const list = await jsonOf<{ total: number }>(await fetch(`${second.url}/api/v1/versions`))
  assert.equal(list.total, 2)
})

test('an edited active.json is an activation through the whole gate, or is put back', async (t) => {
  const folders = await homeFolders(t)
  const one = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const two = await storePackage(folders, { seed: 2, accuracy: 0.9 })
  const { url } = await started(folders)
  assert.equal((await post(url, { version: one.id, reason: 'first' })).status, 200)
  const path = join(folders.modelsDir, 'pneumonia/active.json')
  await writeFile(path, JSON.stringify({ version: two.id }))
  await until(async () => (await condition(url)).active?.version === two.id)
  assert.equal((await predict(url, await image(1))).version, two.id)
  await writeFile(path, JSON.stringify({ version: 'pneumonia/nothing@9' }))
  await until(async () => JSON.parse(await readFile(path, 'utf8')).version === two.id)
  const { items } = await jsonOf<{ items: { outcome: string; via: string }[] }>(
    await fetch(`${url}/api/v1/conditions/pneumonia/history`),
  )
  assert.deepEqual(
    items.slice(0, 2).map(({ outcome, via }) => [outcome, via]),
    [
      ['refused', 'file'],
      ['activated', 'file'],
    ],
  )
})

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 30))
}
