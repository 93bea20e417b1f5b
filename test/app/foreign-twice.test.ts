// The same file from elsewhere with the same answers is one version, whichever doors it comes through and whatever it is called.
import assert from 'node:assert/strict'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { convertFromInbox } from '../../src/app/models/import-model.ts'
import { parseForeignFields } from '../../src/conversion/import/foreign-fields.ts'
import { importKeyOf } from '../../src/conversion/import/import-key.ts'
import { listChanges } from '../../src/registry/conditions/changes.ts'
import { Inbox } from '../../src/registry/inbox/inbox.ts'
import { findReplay } from '../../src/registry/versions/replay-golden.ts'
import { listVersions } from '../../src/registry/versions/version-list.ts'
import { createApp } from '../../src/server/app.ts'
import { roentgen } from '../cli/run-cli.ts'
import { image } from '../inference/tiny-package.ts'
import { homeFolders, imageForm, jsonOf, madePackage, openedHome, TOKEN } from '../support/home.ts'

const HTML = { accept: 'text/html' }
const FIELDS = {
  condition: 'effusion',
  name: 'theirs',
  classes: 'NORMAL,*EFFUSION',
  kind: 'binary',
  preprocessing: 'unit',
}

async function onnxFile(root: string, seed: number): Promise<string> {
  const { dir } = await madePackage({ root: join(root, String(seed)) }, { seed })
  return join(dir, 'models/tiny.onnx')
}

test('the same foreign file through API, page, inbox and command is one version; other answers or bytes are another', {
  timeout: 120_000,
}, async (t) => {
  const folders = await homeFolders(t)
  const { home, call } = await openedHome(folders)
  const file = await onnxFile(folders.root, 3)
  const total = async () => (await listVersions(home.db, {})).total
  const send = async (path: string, fields: Record<string, string>, name: string) => {
    const form = imageForm(fields)
    form.set('package', new Blob([await readFile(path)]), name)
    const response = await call('/api/v1/versions/import', { method: 'POST', body: form })
    const { id } = await jsonOf<{ id: string }>(response)
    return [response.status, id]
  }
  assert.deepEqual(await send(file, FIELDS, 'first.onnx'), [201, 'effusion/theirs@1'])
  assert.deepEqual(await send(file, FIELDS, 'renamed.onnx'), [200, 'effusion/theirs@1'])

  const form = new FormData()
  form.set('package', new Blob([await readFile(file)]), 'page.onnx')
  const begun = await call('/models/import', { method: 'POST', headers: HTML, body: form })
  const place = begun.headers.get('location') ?? ''
  const { preprocessing: scaling, ...said } = FIELDS
  const classes = 'NORMAL\n*EFFUSION'
  const body = imageForm({ ...said, classes, scaling, image: await image(5) })
  assert.equal((await call(`${place}/try`, { method: 'POST', headers: HTML, body })).status, 303)
  const saved = await call(`${place}/save`, { method: 'POST', headers: HTML })
  assert.equal(saved.headers.get('location'), '/models/effusion/theirs/1')

  const folder = join(folders.root, 'dropped')
  await mkdir(folder)
  const store = { ...home.store, inboxDir: folder }
  const { db, gate, clock, log } = home
  const inbox = new Inbox(
    { db, gate, clock, log, store },
    {
      steadyMs: 0,
      quietMs: 0,
      convert: (path, details) => convertFromInbox(home, { path, details }),
    },
  )
  await copyFile(file, join(folder, 'dropped.onnx'))
  await writeFile(join(folder, 'dropped.onnx.json'), JSON.stringify(FIELDS))
  const { registered } = await inbox.scan()
  assert.deepEqual(
    registered.map(({ version, created }) => [version.id, created]),
    [['effusion/theirs@1', false]],
  )
  assert.equal(await total(), 1)
  const replays = (await listChanges(home.db, 'effusion/theirs@1')).filter(
    ({ field }) => field === 'goldenReplay',
  )
  assert.equal(replays.length, 1, 'replayed once')
  assert.equal(findReplay(replays)?.ok, true)

  assert.deepEqual(await send(file, { ...FIELDS, preprocessing: 'raw' }, 'first.onnx'), [
    201,
    'effusion/theirs@2',
  ])
  const other = await onnxFile(folders.root, 4)
  assert.deepEqual(await send(other, FIELDS, 'first.onnx'), [201, 'effusion/theirs@3'])

  folders.closing.pop()
  await home.close()
  const words = Object.entries(FIELDS).flatMap(([name, value]) => [`--${name}`, value])
  const ended = await roentgen(['import', file, ...words, '--json'], { env: folders.env })
  assert.equal(ended.status, 0, ended.stderr)
  assert.equal((JSON.parse(ended.stdout) as { id: string }).id, 'effusion/theirs@1')
})

test('a model saved from the page is replayed as at every other door', async (t) => {
  const folders = await homeFolders(t)
  const { home } = await openedHome(folders)
  const app = createApp(home, { token: TOKEN })
  const call = (path: string, body?: FormData) =>
    app.request(`http://127.0.0.1${path}`, {
      method: 'POST',
      headers: HTML,
      ...(body && { body }),
    })
  const form = new FormData()
  form.set('package', new Blob([await readFile(await onnxFile(folders.root, 3))]), 'page.onnx')
  const place = (await call('/models/import', form)).headers.get('location') ?? ''
  const { preprocessing: scaling, ...said } = FIELDS
  const classes = 'NORMAL\n*EFFUSION'
  await call(`${place}/try`, imageForm({ ...said, classes, scaling, image: await image(5) }))
  await call(`${place}/save`)
  assert.equal(findReplay(await listChanges(home.db, 'effusion/theirs@1'))?.ok, true)
})

test('two models of one shape differ in the files beside model.json, and so do their keys', async (t: TestContext) => {
  const root = await mkdtemp(join(tmpdir(), 'roentgen-key-'))
  t.after(() => rm(root, { recursive: true, force: true }))
  const fields = parseForeignFields(FIELDS)
  const key = async (weights: string) => {
    const path = join(root, weights)
    await mkdir(path)
    await writeFile(join(path, 'model.json'), '{}')
    await writeFile(join(path, 'group1-shard1of1.bin'), weights)
    return importKeyOf({ kind: 'tfjs-folder', path, fields })
  }
  const [a, b] = [await key('a'), await key('b')]
  assert.equal(a.sourceSha256, b.sourceSha256)
  assert.notEqual(a.importKey, b.importKey)
  const again = { kind: 'tfjs-folder', path: join(root, 'a'), fields } as const
  assert.deepEqual(await importKeyOf(again), a)
  await rm(join(root, 'a', 'model.json'))
  await assert.rejects(importKeyOf(again), { code: 'invalid-package' })
})
