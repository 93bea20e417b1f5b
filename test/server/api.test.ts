// The API as a program meets it: readings, comparisons, batches, activations, errors; against a real home with real hosts.
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import sharp from 'sharp'
import { ActivationSchema, ConditionSchema } from '../../src/server/conditions/schema.ts'
import { ComparisonSchema, PredictionSchema } from '../../src/server/predictions/schema.ts'
import { VersionSchema } from '../../src/server/versions/schema.ts'
import { image } from '../inference/tiny-package.ts'
import {
  homeFolders,
  imageForm,
  jsonBody,
  jsonOf,
  openedHome,
  storePackage,
} from '../support/home.ts'

test('one image is read by the active version, and the answer is kept until it is deleted', async (t) => {
  const folders = await homeFolders(t)
  const { id, sha256 } = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const { call } = await openedHome(folders)
  const png = await image(7)

  const before = await call('/api/v1/predict', {
    method: 'POST',
    body: imageForm({ image: png, condition: 'pneumonia' }),
  })
  assert.equal(before.status, 409)
  assert.equal((await jsonOf(before)).code, 'no-active-version')

  const activation = await call(
    '/api/v1/conditions/pneumonia/activate',
    jsonBody({ version: id, reason: 'the first' }),
  )
  assert.equal(activation.status, 200)
  const line = ActivationSchema.parse(await activation.json())
  assert.equal(line.version, id)
  assert.deepEqual(
    line.steps.map((step) => [step.name, step.ok]),
    ['manifest', 'load', 'golden', 'metrics', 'pointer'].map((name) => [name, true]),
  )

  const response = await call('/api/v1/predict', {
    method: 'POST',
    body: imageForm({ image: png, condition: 'pneumonia' }),
  })
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('x-roentgen-version'), id)
  const prediction = PredictionSchema.parse(await response.json())
  assert.equal(prediction.version, id)
  assert.equal(prediction.sha256, sha256)
  assert.equal(prediction.role, 'active')
  assert.equal(prediction.activation, line.id)
  assert.deepEqual([prediction.image.width, prediction.image.height], [24, 20])
  const [normal, finding] = prediction.classes
  assert.ok(Math.abs((normal?.probability ?? 0) + (finding?.probability ?? 0) - 1) < 1e-12)
  assert.equal((normal?.logit ?? 0) + (finding?.logit ?? 0), 0)

  const again = await call(`/api/v1/predictions/${prediction.id}`)
  assert.deepEqual(PredictionSchema.parse(await again.json()).classes, prediction.classes)
  const heatmap = await call(prediction.heatmap?.url ?? '')
  assert.equal(heatmap.headers.get('content-type'), 'image/png')
  const { width, height, channels } = await sharp(await heatmap.arrayBuffer()).metadata()
  assert.deepEqual([width, height, channels], [24, 20, 4])
  const composite = await call(`${prediction.heatmap?.url}?composite=1`)
  assert.equal((await sharp(await composite.arrayBuffer()).metadata()).width, 24)

  assert.equal((await readdir(join(folders.dataDir, 'uploads'))).length, 1)
  const deleted = await call(`/api/v1/predictions/${prediction.id}`, { method: 'DELETE' })
  assert.equal(deleted.status, 204)
  assert.equal((await readdir(join(folders.dataDir, 'uploads'))).length, 0)
  assert.equal((await call(`/api/v1/predictions/${prediction.id}`)).status, 404)
})

test('a version can be asked for by name, compared, listed, rolled back to, exported and imported', async (t) => {
  const folders = await homeFolders(t)
  const one = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const two = await storePackage(folders, { seed: 2, accuracy: 0.92 })
  const { call } = await openedHome(folders)
  const activate = (version: string): Promise<Response> =>
    call('/api/v1/conditions/pneumonia/activate', jsonBody({ version, reason: 'better' }))
  assert.equal((await activate(one.id)).status, 200)
  assert.equal((await activate(two.id)).status, 200)
  const same = ActivationSchema.parse(await (await activate(two.id)).json())
  assert.equal(same.version, two.id)

  const form = { image: await image(3), condition: 'pneumonia' }
  const asked = await call('/api/v1/predict', {
    method: 'POST',
    body: imageForm({ ...form, version: one.id, explain: 'none' }),
  })
  const prediction = PredictionSchema.parse(await asked.json())
  assert.equal(prediction.role, 'requested')
  assert.equal(prediction.version, one.id)
  assert.equal(prediction.heatmap, null)

  const compared = await call('/api/v1/compare', {
    method: 'POST',
    body: imageForm({ ...form, a: one.id, b: two.id }),
  })
  const { a, b, agree, deltas } = ComparisonSchema.parse(await compared.json())
  assert.equal(agree, a.decision.label === b.decision.label)
  assert.equal(a.heatmap?.target, 'PNEUMONIA', 'a binary comparison explains the finding')
  assert.equal(b.heatmap?.target, 'PNEUMONIA')
  for (const [index, { label, probability }] of a.classes.entries()) {
    assert.equal(deltas[label], (b.classes[index]?.probability ?? 0) - probability)
  }

  const history = await jsonOf<{ items: { version: string }[] }>(
    await call('/api/v1/conditions/pneumonia/history'),
  )
  assert.deepEqual(
    history.items.map((item) => item.version),
    [two.id, one.id],
  )
  const rolled = await call('/api/v1/conditions/pneumonia/rollback', jsonBody({ reason: 'worse' }))
  assert.equal(ActivationSchema.parse(await rolled.json()).version, one.id)
  const condition = ConditionSchema.parse(await (await call('/api/v1/conditions/pneumonia')).json())
  assert.equal(condition.active?.version, one.id)
  assert.equal(condition.active?.state, 'ok')

  const list = await jsonOf<{ total: number; items: [object] }>(
    await call('/api/v1/versions?sort=accuracy&order=desc&limit=1'),
  )
  assert.equal(list.total, 2)
  assert.equal(VersionSchema.parse(list.items[0]).id, two.id)
  assert.equal('rowId' in list.items[0], false)
  const exported = await call('/api/v1/versions/pneumonia/tiny/2/export')
  assert.match(exported.headers.get('content-disposition') ?? '', /\.roentgen\.zip"$/)
  const form2 = new FormData()
  form2.set('package', new Blob([await exported.arrayBuffer()]), 'x.roentgen.zip')
  const imported = await call('/api/v1/versions/import', { method: 'POST', body: form2 })
  assert.equal(imported.status, 200, 'a digest that is there is the version that exists')
  assert.equal((await jsonOf(imported)).id, two.id)
})

test('a batch answers a line for each image in order, a problem where one cannot be read', async (t) => {
  const folders = await homeFolders(t)
  const { id } = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const { call } = await openedHome(folders)
  await call('/api/v1/conditions/pneumonia/activate', jsonBody({ version: id, reason: 'first' }))
  const form = new FormData()
  for (const bytes of [await image(1), Buffer.from('no image'), await image(2)]) {
    form.append('image', new Blob([Uint8Array.from(bytes)]), 'x.png')
  }
  form.set('condition', 'pneumonia')
  const response = await call('/api/v1/batch', { method: 'POST', body: form })
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson')
  const lines = (await response.text()).trimEnd().split('\n')
  const [first, second, third] = lines.map((line) => JSON.parse(line))
  assert.equal(lines.length, 3)
  assert.equal(PredictionSchema.parse(first).version, id)
  assert.equal(second.code, 'unsupported-image')
  assert.equal(second.status, 415)
  assert.notEqual(third.image.sha256, first.image.sha256)
})

test('what is missing or wrong in a request is named, and changes nothing', async (t) => {
  const folders = await homeFolders(t)
  const { id } = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  await storePackage(folders, { seed: 1, condition: 'fracture', accuracy: 0.9 })
  const { call } = await openedHome(folders)
  await call('/api/v1/conditions/pneumonia/activate', jsonBody({ version: id, reason: 'first' }))
  const png = await image(1)
  const cases: readonly [string, RequestInit, number, string][] = [
    ['/api/v1/predict', { body: imageForm({ image: png }) }, 422, 'condition-required'],
    ['/api/v1/predict', { body: imageForm({ condition: 'pneumonia' }) }, 422, 'image-required'],
    ['/api/v1/predict', {}, 422, 'condition-required'],
    [
      '/api/v1/predict',
      { body: imageForm({ image: png, condition: 'x' }) },
      404,
      'unknown-condition',
    ],
    [
      '/api/v1/predict',
      { body: imageForm({ image: png, condition: 'pneumonia', version: 'fracture/tiny@1' }) },
      404,
      'unknown-version',
    ],
    [
      '/api/v1/predict',
      { body: imageForm({ image: png, condition: 'pneumonia', operatingPoint: 'no' }) },
      422,
      'unknown-operating-point',
    ],
    [
      '/api/v1/predict',
      { body: imageForm({ image: png, condition: 'pneumonia', target: 'no' }) },
      422,
      'unknown-target',
    ],
    [
      '/api/v1/predict',
      { body: imageForm({ image: png, condition: 'pneumonia', explain: 'magic' }) },
      422,
      'invalid',
    ],
    [
      '/api/v1/predict',
      { body: imageForm({ image: png.subarray(0, 60), condition: 'pneumonia' }) },
      422,
      'undecodable-image',
    ],
    [
      '/api/v1/compare',
      { body: imageForm({ image: png, condition: 'pneumonia' }) },
      422,
      'invalid',
    ],
    ['/api/v1/batch', { body: imageForm({ condition: 'pneumonia' }) }, 422, 'image-required'],
    ['/api/v1/conditions', jsonBody({ id: 'inbox', kind: 'binary', classes: [] }), 422, 'invalid'],
    ['/api/v1/conditions/pneumonia/activate', jsonBody({ version: id }), 422, 'invalid'],
    [
      '/api/v1/conditions/pneumonia/activate',
      jsonBody({ version: 'fracture/tiny@1', reason: 'x' }),
      404,
      'unknown-version',
    ],
    ['/api/v1/conditions/pneumonia/activate', { body: '{' }, 422, 'invalid'],
    [
      '/api/v1/conditions/pneumonia/rollback',
      jsonBody({ reason: 'x' }),
      409,
      'nothing-to-roll-back',
    ],
    ['/api/v1/conditions/nothing/rollback', jsonBody({ reason: 'x' }), 404, 'unknown-condition'],
    ['/api/v1/versions/import', { body: new FormData() }, 422, 'invalid'],
  ]
  for (const [path, init, status, code] of cases) {
    const response = await call(path, { method: 'POST', ...init })
    const problem = await jsonOf(response)
    assert.equal(response.status, status, `${path} ${code}: ${JSON.stringify(problem)}`)
    assert.equal(problem.code, code)
    assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/)
    assert.ok(problem.title && problem.detail && problem.type)
    assert.doesNotMatch(JSON.stringify(problem), /\/tmp\/|\/src\/|at .*\.ts/)
  }
  const unknown = await call('/api/v1/predictions/nothing')
  assert.equal((await jsonOf(unknown)).code, 'unknown-prediction')
  const { items } = await jsonOf<{ items: [] }>(await call('/api/v1/predictions'))
  assert.equal(items.length, 0)
  const pointer = await readFile(join(folders.modelsDir, 'pneumonia/active.json'), 'utf8')
  assert.equal(JSON.parse(pointer).version, id)
})

test('a version goes to the bin and comes back by page and by API', async (t) => {
  const folders = await homeFolders(t)
  const { id } = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const { call } = await openedHome(folders)
  const path = `/api/v1/versions/${id.replace('@', '/')}`
  const status = async (response: Response) => VersionSchema.parse(await response.json()).status
  assert.equal(await status(await call(path, { method: 'DELETE' })), 'deleted')
  const page = await call(`/models/${id.replace('@', '/')}`, { headers: { accept: 'text/html' } })
  assert.match(await page.text(), /Restore/)
  assert.equal(await status(await call(`${path}/undelete`, { method: 'POST' })), 'verified')
  const again = await call(`${path}/undelete`, { method: 'POST' })
  assert.equal(again.status, 409)
})
