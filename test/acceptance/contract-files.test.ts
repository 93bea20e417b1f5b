// What the store's folders do while a server runs: the inbox, active.json, and packages that go from home to home.
import assert from 'node:assert/strict'
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { ConditionSchema } from '../../src/server/conditions/schema.ts'
import { InboxSchema, VersionSchema } from '../../src/server/versions/schema.ts'
import { homeFolders, storePackage } from '../support/home.ts'
import { activationOf, assertProblem, type Started, started } from './served-contract.ts'

const ONE = { seed: 1, accuracy: 0.9 }
const TWO = { seed: 2, accuracy: 0.92 }
const API = '/api/v1/conditions/pneumonia'

async function active(server: Started): Promise<string | undefined> {
  return ConditionSchema.parse(await (await server.call(API)).json()).active?.version
}

async function total(server: Started): Promise<number> {
  const list = (await (await server.call('/api/v1/versions')).json()) as { total: number }
  return list.total
}

async function inbox(server: Started) {
  return InboxSchema.parse(await (await server.call('/api/v1/inbox')).json()).items
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50))
}

/** A package in a folder outside the store. */
async function packageFolder(t: TestContext, o: { seed: number; accuracy: number }) {
  return storePackage(await homeFolders(t), o)
}

test('a folder in the inbox counts when its manifest appears, and answers by itself under policy follow only', async (t) => {
  const server = await started(t, { packages: [ONE] })
  await activationOf(
    await server.post(`${API}/activate`, { version: 'pneumonia/tiny@1', reason: 'first' }),
  )
  const into = join(server.folders.modelsDir, 'inbox')
  const [two, three] = [
    await packageFolder(t, TWO),
    await packageFolder(t, { seed: 3, accuracy: 0.94 }),
  ]

  await cp(two.dir, join(into, 'slow'), {
    recursive: true,
    filter: (path) => !path.endsWith('manifest.json'),
  })
  await until(async () => (await inbox(server)).some((item) => item.name === 'slow'))
  assert.equal((await inbox(server))[0]?.state, 'waiting')
  assert.equal(await total(server), 1)
  await cp(join(two.dir, 'manifest.json'), join(into, 'slow/manifest.json'))
  await until(async () => (await total(server)) === 2)
  await until(async () => (await readdir(into)).length === 0)
  assert.equal(await active(server), 'pneumonia/tiny@1', 'pinned')

  await server.post(API, { policy: 'follow' }, 'PATCH')
  await cp(three.dir, join(into, 'next'), { recursive: true })
  await until(async () => (await active(server)) === 'pneumonia/tiny@3')
  const history = await server.call(`${API}/history?limit=1`)
  const { items } = (await history.json()) as { items: { via: string; sha256: string }[] }
  assert.deepEqual([items[0]?.via, items[0]?.sha256], ['policy', three.sha256])
})

test('a foreign model in the inbox is listed as needing details, and what is damaged with its reason', async (t) => {
  const server = await started(t)
  const into = join(server.folders.modelsDir, 'inbox')
  const { dir } = await packageFolder(t, ONE)
  await cp(join(dir, 'models/tiny.onnx'), join(into, 'lungs.onnx'))
  await writeFile(join(into, 'junk.zip'), 'no zip')
  const state = async (name: string) => (await inbox(server)).find((item) => item.name === name)
  await until(async () => (await state('lungs.onnx'))?.state === 'needs-details')
  assert.match((await state('lungs.onnx'))?.reason ?? '', /lungs\.onnx\.json/)
  for (const path of ['/models', '/status']) {
    const page = await server.call(path, { headers: { accept: 'text/html' } })
    assert.match(await page.text(), /lungs\.onnx<\/th>\s*<td>.*needs details/, path)
  }
  await until(async () => (await state('junk.zip'))?.state === 'refused')
  const details = {
    condition: 'Lungs',
    name: 'From_Elsewhere',
    classes: ['clear', '*shadow'],
    preprocessing: 'unit',
  }
  await writeFile(join(into, 'lungs.onnx.json'), JSON.stringify(details))
  await until(async () => {
    const item = await state('lungs.onnx')
    assert.notEqual(item?.state, 'refused', item?.reason)
    return (await total(server)) === 1
  })
  const made = await server.call('/api/v1/versions/lungs/from_elsewhere/1')
  assert.equal(VersionSchema.parse(await made.json()).status, 'unevaluated')
  await until(async () => !(await readdir(into)).some((name) => name.startsWith('lungs')))
})

test('active.json asks when it names another version, and ends as the truth whatever is written', async (t) => {
  const server = await started(t, { packages: [ONE, TWO, { seed: 3, accuracy: 0.3 }] })
  await activationOf(
    await server.post(`${API}/activate`, { version: 'pneumonia/tiny@1', reason: 'first' }),
  )
  const path = join(server.folders.modelsDir, 'pneumonia/active.json')
  const pointed = async () => JSON.parse(await readFile(path, 'utf8').catch(() => '{}'))
  const lines = async () => {
    const response = await server.call(`${API}/history`)
    return ((await response.json()) as { items: { outcome: string; via: string }[] }).items
  }
  await writeFile(path, '{"version":"pneumonia/tiny@2"}')
  await until(async () => (await active(server)) === 'pneumonia/tiny@2')
  await until(async () => (await pointed()).schema === 1)
  let known = (await lines()).length
  for (const text of ['{"version":"pneumonia/tiny@3"}', '{"version":"pneumonia/x@9"}', 'garbage']) {
    await writeFile(path, text)
    await until(async () => (await lines()).length > known)
    known = (await lines()).length
    const [line] = await lines()
    assert.deepEqual([line?.outcome, line?.via], ['refused', 'file'], text)
    await until(async () => (await pointed().catch(() => ({}))).version === 'pneumonia/tiny@2')
    assert.equal(await active(server), 'pneumonia/tiny@2')
  }
  await rm(path)
  await until(async () => (await pointed()).version === 'pneumonia/tiny@2')
  assert.equal((await lines()).length, known, 'deleting it asks for nothing')
})

test('an exported package is the same one in another home, with its former id; twice it is there already', async (t) => {
  const [from, to] = [await started(t, { packages: [ONE] }), await started(t)]
  const version = '/api/v1/versions/pneumonia/tiny/1'
  const { sha256 } = VersionSchema.parse(await (await from.call(version)).json())
  const zip = await (await from.call(`${version}/export`)).blob()
  for (const status of [201, 200]) {
    const form = new FormData()
    form.set('package', zip, 'tiny.roentgen.zip')
    const response = await to.call('/api/v1/versions/import', { method: 'POST', body: form })
    assert.equal(response.status, status)
    const imported = VersionSchema.parse(await response.json())
    assert.deepEqual([imported.id, imported.sha256], ['pneumonia/tiny@1', sha256])
    assert.equal(imported.lineage.formerId, 'pneumonia/tiny@1')
  }
  const form = new FormData()
  form.set('package', zip.slice(0, zip.size / 2), 'half.roentgen.zip')
  const half = await to.call('/api/v1/versions/import', { method: 'POST', body: form })
  await assertProblem(half, { status: 422, code: 'invalid-package' })
  assert.equal(await total(to), 1)
  await mkdir(join(to.folders.modelsDir, 'pneumonia/tiny/v9'))
  assert.equal(await total(to), 1, 'an empty folder is no version')
})
