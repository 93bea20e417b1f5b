// The pages as plain forms, without a script: each form leads to a permanent address, each refusal shows the form again.
import assert from 'node:assert/strict'
import test from 'node:test'
import { image } from '../inference/tiny-package.ts'
import {
  homeFolders,
  imageForm,
  jsonBody,
  jsonOf,
  openedHome,
  storePackage,
} from '../support/home.ts'

const HTML = { accept: 'text/html' }
const PARTIAL = { ...HTML, 'hx-request': 'true', 'hx-request-type': 'partial' }

async function bench(t: test.TestContext) {
  const folders = await homeFolders(t)
  const one = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const two = await storePackage(folders, { seed: 2, accuracy: 0.9 })
  const { call } = await openedHome(folders)
  await call('/api/v1/conditions/pneumonia/activate', jsonBody({ version: one.id, reason: 'a' }))
  const get = (path: string, headers: Record<string, string> = HTML) => call(path, { headers })
  const post = (path: string, body: FormData | URLSearchParams, headers = HTML) =>
    call(path, { method: 'POST', body, headers })
  return { get, post, call, one, two }
}

test('diagnose: the form leads to the result’s own page, which has image, heatmap and version', async (t) => {
  const { get, post, one } = await bench(t)
  const form = imageForm({ image: await image(1), condition: 'pneumonia', version: '' })
  const sent = await post('/predictions', form)
  assert.equal(sent.status, 303)
  const address = sent.headers.get('location') ?? ''
  assert.match(address, /^\/predictions\/pr_/)
  const page = await (await get(address)).text()
  assert.ok(
    page.includes(one.id) && page.includes('heatmap.png') && page.includes(`${address}/image`),
  )
  assert.equal((await get(`${address}/image?size=thumb`)).status, 200)
  assert.ok((await (await get('/predictions')).text()).includes(address))

  const said = await post(`${address}/feedback`, new URLSearchParams({ verdict: 'agree' }))
  assert.equal(said.headers.get('location'), `${address}#feedback`)
  const gone = await post(`${address}/delete`, new URLSearchParams())
  assert.equal(gone.headers.get('location'), '/predictions')
  assert.equal((await get(address)).status, 404)
})

test('diagnose: a fragment comes for htmx with the address to push; a refusal shows the form with its words', async (t) => {
  const { post } = await bench(t)
  const form = imageForm({ image: await image(1), condition: 'pneumonia' })
  const fragment = await post('/predictions', form, PARTIAL)
  assert.equal(fragment.status, 200)
  assert.match(fragment.headers.get('hx-push-url') ?? '', /^\/predictions\/pr_/)
  assert.ok(!(await fragment.text()).includes('<!doctype'))
  const refused = await post('/predictions', imageForm({ condition: 'pneumonia' }))
  const html = await refused.text()
  assert.equal(refused.status, 422)
  assert.ok(html.includes('image-required') && html.includes('<form'))
})

test('compare: the form leads to an address that shows both readings, also from an earlier result’s image', async (t) => {
  const { get, post, call, one, two } = await bench(t)
  const body = imageForm({ image: await image(1), condition: 'pneumonia' })
  const earlier = await jsonOf(await call('/api/v1/predict', { method: 'POST', body }))
  const form = imageForm({
    prediction: String(earlier.id),
    condition: 'pneumonia',
    a: one.id,
    b: two.id,
  })
  const sent = await post('/compare', form)
  assert.equal(sent.status, 303)
  const page = await (await get(sent.headers.get('location') ?? '')).text()
  assert.ok(page.includes(one.id) && page.includes(two.id))
  const refused = await post(
    '/compare',
    imageForm({ image: await image(1), condition: 'pneumonia', a: one.id }),
  )
  assert.equal(refused.status, 422)
})

test('condition: activate, roll back, change settings; a refusal keeps the page and its status', async (t) => {
  const { get, post, call, one, two } = await bench(t)
  const active = async () =>
    (await jsonOf<{ active: { version: string } }>(await call('/api/v1/conditions/pneumonia')))
      .active.version
  const fields = new URLSearchParams({ version: two.id, reason: 'newer' })
  assert.equal(
    (await post('/conditions/pneumonia/activate', fields)).headers.get('location'),
    '/conditions/pneumonia',
  )
  assert.equal(await active(), two.id)
  assert.equal((await post('/conditions/pneumonia/rollback', new URLSearchParams())).status, 303)
  assert.equal(await active(), one.id)
  const panel = await post(
    '/conditions/pneumonia/rollback',
    new URLSearchParams({ reason: 'again' }),
    PARTIAL,
  )
  assert.ok((await panel.text()).includes('id="condition-panel"'))
  assert.equal(await active(), two.id)
  const unknown = new URLSearchParams({ version: 'pneumonia/no@1', reason: 'x' })
  const refused = await post('/conditions/pneumonia/activate', unknown)
  assert.equal(refused.status, 404)
  assert.ok((await refused.text()).includes('unknown-version'))
  const settings = new URLSearchParams({
    name: 'Pneumonia (AP)',
    bodyPart: 'chest',
    policy: 'follow',
    metric: 'auc',
    margin: '0.02',
  })
  assert.equal((await post('/conditions/pneumonia/settings', settings)).status, 303)
  const changed = await jsonOf(await call('/api/v1/conditions/pneumonia'))
  assert.deepEqual(
    [changed.name, changed.policy, changed.gate],
    ['Pneumonia (AP)', 'follow', { metric: 'auc', margin: 0.02 }],
  )
  assert.equal((await get('/conditions/pneumonia?at=2026-01-01')).status, 200)
  const noTime = await get('/conditions/pneumonia?at=yesterday')
  assert.equal(noTime.status, 422)
  const words = await noTime.text()
  assert.match(words, /yesterday[^<]* is not a time: use the form/)
  assert.match(words, /<h2>History/, 'on the page itself')
})

test('conditions are added with one class a line; models are edited and deleted', async (t) => {
  const { get, post, two } = await bench(t)
  const fields = new URLSearchParams({
    id: 'Hernia',
    name: 'Hernia',
    bodyPart: 'chest',
    kind: 'binary',
    classes: 'NONE\r\n*HERNIA',
  })
  assert.equal((await post('/conditions', fields)).headers.get('location'), '/conditions/hernia')
  const again = await post('/conditions', fields)
  assert.equal(again.status, 409)
  assert.ok((await again.text()).includes('<form'))
  const edit = new URLSearchParams({ notes: 'good on night shifts', tags: 'night, portable' })
  const address = '/models/pneumonia/tiny/2'
  assert.equal((await post(`${address}/edit`, edit)).headers.get('location'), address)
  const page = await (await get(address)).text()
  assert.ok(
    page.includes('good on night shifts') && page.includes('portable') && page.includes(two.sha256),
  )
  assert.ok((await (await get('/models?tag=night', PARTIAL)).text()).includes('tiny'))
  assert.equal((await post('/models/pneumonia/tiny/1/delete', new URLSearchParams())).status, 409)
  assert.equal(
    (await post(`${address}/delete`, new URLSearchParams())).headers.get('location'),
    '/models',
  )
  const broken = imageForm({})
  broken.set('package', new Blob(['no model']), 'x.onnx')
  const refused = await post('/models/import', broken)
  assert.equal(refused.status, 422)
  assert.ok((await refused.text()).includes('not a model'))
})

test('every page answers, and so do its styles and scripts', async (t) => {
  const { get } = await bench(t)
  for (const path of [
    '/',
    '/compare',
    '/predictions',
    '/models',
    '/conditions',
    '/conditions/pneumonia',
    '/status',
    '/api/docs',
  ]) {
    const response = await get(path)
    const html = await response.text()
    assert.equal(response.status, 200, path)
    const assets = [...html.matchAll(/(?:href|src)="(\/public\/[^"]+)"/g)].map(
      ([, asset]) => asset ?? '',
    )
    assert.ok(assets.length > 0)
    for (const asset of new Set(assets)) {
      const { status, headers } = await get(asset.replaceAll('&amp;', '&'))
      assert.equal(status, 200, asset)
      assert.match(headers.get('cache-control') ?? '', /immutable/)
    }
    assert.doesNotMatch(
      html,
      /<script(?![^>]*src=)|\son\w+=|https?:\/\/(?!127\.0\.0\.1|localhost)/,
      path,
    )
  }
})
