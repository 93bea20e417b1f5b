// Keys over the API, on the command line and on a version's page; and a home that takes signed packages only.
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { roentgen } from '../cli/run-cli.ts'
import { homeFolders, jsonBody, jsonOf, openedHome, storePackage } from '../support/home.ts'

const HTML = { accept: 'text/html' }

test('a package is signed on one machine and taken on another that trusts the key and asks for it', async (t) => {
  const folders = await homeFolders(t)
  const { id } = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const cli = (...words: string[]) => roentgen(words, { env: folders.env })
  const publicKey = join(folders.root, 'a.pub.pem')
  const made = await cli('keys', 'new', 'radiology-a', '--out', publicKey)
  assert.equal(made.status, 0, made.stderr)
  assert.match(await readFile(publicKey, 'utf8'), /^-----BEGIN PUBLIC KEY-----/)
  const signed = await cli('keys', 'sign', id, '--key', 'radiology-a')
  assert.match(signed.stdout, /is signed by radiology-a \(trusted\)/, signed.stderr)
  const zip = join(folders.root, 'signed.roentgen.zip')
  assert.equal((await cli('export', id, '--out', zip)).status, 0)

  const other = await homeFolders(t)
  const strict = { ...other, env: { ...other.env, ROENTGEN_REQUIRE_SIGNATURE: '1' } }
  const { call } = await openedHome(strict)
  const send = async () => {
    const form = new FormData()
    form.set('package', new Blob([await readFile(zip)]), 'signed.roentgen.zip')
    return call('/api/v1/versions/import', { method: 'POST', body: form })
  }
  const refused = await send()
  assert.equal(refused.status, 409)
  assert.equal((await jsonOf(refused)).code, 'untrusted')
  const foreign = new FormData()
  foreign.set('package', new Blob([Uint8Array.of(8, 7, 18, 4, 1, 2, 3, 4)]), 'model.onnx')
  for (const [name, value] of [
    ['condition', 'pneumonia'],
    ['name', 'theirs'],
    ['preprocessing', 'unit'],
  ] as const) {
    foreign.set(name, value)
  }
  const unsigned = await call('/api/v1/versions/import', { method: 'POST', body: foreign })
  assert.equal((await jsonOf(unsigned)).code, 'untrusted')

  const trust = { name: 'Radiology A', publicKey: await readFile(publicKey, 'utf8') }
  assert.equal((await call('/api/v1/keys/trust', jsonBody(trust))).status, 200)
  const taken = await send()
  assert.equal(taken.status, 201)
  const version = await jsonOf<{ id: string; goldenReplay: { ok: boolean } }>(taken)
  assert.equal(version.goldenReplay.ok, true, 'its golden images are replayed when it arrives')
  const page = async () =>
    (await call(`/models/${version.id.replace('@', '/')}`, { headers: HTML })).text()
  assert.match(await page(), /Golden images on import<\/dt><dd>reproduced/)
  assert.match(await page(), /Signed by<\/dt><dd><ul[^>]*><li>Radiology A[\s\S]*?trusted/)
  const revoke = jsonBody({ reason: 'laptop lost' })
  assert.equal((await call('/api/v1/keys/Radiology%20A/revoke', revoke)).status, 200)
  assert.match(await page(), /Radiology A[\s\S]*?revoked/)
  const { items } = await jsonOf<{ items: { revokedReason: string }[] }>(await call('/api/v1/keys'))
  assert.equal(items[0]?.revokedReason, 'laptop lost')
})

test('what is no key, and what cannot be signed, is refused in one sentence', async (t) => {
  const folders = await homeFolders(t)
  const { id } = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const { call } = await openedHome(folders)
  const post = (path: string, body: object) => call(path, jsonBody(body))
  assert.equal((await post('/api/v1/keys', { name: '../x' })).status, 422)
  assert.equal((await post('/api/v1/keys', {})).status, 422)
  assert.equal((await post('/api/v1/keys/trust', { name: 'x', publicKey: 'y' })).status, 422)
  assert.equal((await post('/api/v1/keys/nobody/revoke', { reason: 'x' })).status, 404)
  const path = `/api/v1/versions/${id.replace('@', '/')}`
  assert.equal((await post(`${path}/sign`, { key: 'nobody' })).status, 404)
  assert.equal((await post('/api/v1/keys', { name: 'mine' })).status, 201)
  assert.equal((await post(`${path}/sign`, { key: 'mine' })).status, 200)
  const signature = join(folders.modelsDir, 'pneumonia', 'tiny', 'v1', 'manifest.sig')
  await writeFile(signature, '{}')
  assert.equal((await call(`${path}/signatures`)).status, 409)
  const page = await (await call(`/models/${id.replace('@', '/')}`, { headers: HTML })).text()
  assert.match(page, /invalid signature/)
  const no = join(folders.root, 'nothing.pem')
  const words = ['keys', 'trust', no, '--name', 'x']
  const ended = await roentgen(words, { env: folders.env })
  assert.equal(ended.status, 1)
  assert.match(ended.stderr, /does not exist or is not readable/)
})

test('a package that computes something else here is taken, says so, and stays inactive', async (t) => {
  const folders = await homeFolders(t)
  const { id } = await storePackage(folders, { seed: 1, accuracy: 0.9, goldenError: 0.2 })
  const zip = join(folders.root, 'wrong.roentgen.zip')
  const env = { ...folders.env }
  assert.equal((await roentgen(['export', id, '--out', zip], { env })).status, 0)
  const other = await homeFolders(t)
  const { call } = await openedHome(other)
  const form = new FormData()
  form.set('package', new Blob([await readFile(zip)]), 'wrong.roentgen.zip')
  const answer = await call('/api/v1/versions/import', { method: 'POST', body: form })
  assert.equal(answer.status, 201)
  const { goldenReplay, active } = await jsonOf<{
    goldenReplay: { ok: boolean; detail: string }
    active: boolean
  }>(answer)
  assert.deepEqual([goldenReplay.ok, active], [false, false])
  const page = await (await call(`/models/${id.replace('@', '/')}`, { headers: HTML })).text()
  assert.match(page, /not reproduced/)
})
