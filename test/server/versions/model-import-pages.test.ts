// The import by page: packages at once; models from elsewhere are described, tried on an image, then saved or thrown away.
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { listVersions } from '../../../src/registry/versions/version-list.ts'
import { image } from '../../inference/tiny-package.ts'
import { homeFolders, imageForm, openedHome, storePackage } from '../../support/home.ts'
import { sharedPath, skipWithout } from '../../support/shared.ts'

const HTML = { accept: 'text/html' }
const DIGITS = Array.from({ length: 10 }, (_, i) => `digit ${i}`).join('\n')

async function importing(t: TestContext, env: Record<string, string> = {}) {
  const folders = await homeFolders(t)
  const opened = await openedHome({ ...folders, env: { ...folders.env, ...env } })
  const { call, home } = opened
  const upload = (bytes: Uint8Array, name: string) => {
    const form = new FormData()
    form.set('package', new Blob([Uint8Array.from(bytes)]), name)
    return call('/models/import', { method: 'POST', headers: HTML, body: form })
  }
  const placeOf = (response: Response): string => response.headers.get('location') ?? ''
  const attempt = (place: string, fields: Record<string, string>, picture?: Uint8Array) => {
    const body = imageForm({ ...fields, ...(picture && { image: picture }) })
    return call(`${place}/try`, { method: 'POST', headers: HTML, body })
  }
  const post = (path: string) => call(path, { method: 'POST', headers: HTML })
  const page = async (path: string): Promise<string> => (await call(path, { headers: HTML })).text()
  const total = async () => (await listVersions(home.db, {})).total
  return { ...opened, folders, upload, placeOf, attempt, post, page, total }
}

/** A small ONNX file that no manifest goes with. */
async function tinyOnnx(t: TestContext, seed = 3): Promise<Uint8Array> {
  const { dir } = await storePackage(await homeFolders(t), { seed })
  return readFile(join(dir, 'models/tiny.onnx'))
}

test('an ONNX model is described, tried on an image, corrected, and saved as an inactive version', async (t) => {
  const { home, upload, placeOf, attempt, post, page, total } = await importing(t)
  const sent = await upload(await tinyOnnx(t, 1), 'theirs.onnx')
  assert.equal(sent.status, 303)
  const place = placeOf(sent)
  assert.match(place, /^\/models\/import\/[\w-]+$/)
  assert.match(await page(place), /theirs\.onnx[\s\S]*Description/)
  const said = {
    condition: 'effusion',
    name: 'theirs',
    classes: 'NORMAL\n*EFFUSION',
    kind: 'binary',
    scaling: 'unit',
  }
  assert.equal((await post(`${place}/save`)).status, 409, 'not before it was tried')
  const picture = await image(5)
  assert.equal((await attempt(place, said, picture)).status, 303)
  const first = await page(place)
  assert.match(first, /Test result/)
  assert.match(first, /EFFUSION/)
  assert.equal(await total(), 0, 'nothing is registered yet')
  assert.ok(
    home.runtime.status().every((host) => !host.id.includes('theirs')),
    'its host has ended',
  )

  // With another scaling the same image gives other scores.
  assert.equal((await attempt(place, { ...said, scaling: 'raw' }, picture)).status, 303)
  const scores = (html: string) => /aria-label="Scores"[\s\S]*?<\/table>/.exec(html)?.[0]
  const second = await page(place)
  assert.notEqual(scores(second), scores(first))
  assert.match(second, /<option value="raw" selected>/)

  const saved = await post(`${place}/save`)
  assert.equal(placeOf(saved), '/models/effusion/theirs/1')
  assert.match(await page('/models/effusion/theirs/1'), /unevaluated/)
  const { items } = await listVersions(home.db, {})
  assert.deepEqual(
    items.map((one) => [one.id, one.status, one.active, one.kind]),
    [['effusion/theirs@1', 'unevaluated', false, 'binary']],
  )
  assert.equal((await post(`${place}/save`)).status, 410, 'it is saved once')
  const left = (await readdir(home.store.stagingDir)).filter((name) => name.startsWith('pending-'))
  assert.deepEqual(left, [])
})

test('what is wrong with a description is said beside the form, which keeps what was said', async (t) => {
  const { upload, placeOf, attempt, post, page, total } = await importing(t)
  const place = placeOf(await upload(await tinyOnnx(t), 'theirs.onnx'))
  const said = {
    condition: 'effusion',
    name: 'theirs',
    classes: 'NORMAL\n*EFFUSION',
    scaling: 'unit',
  }
  const refused = async (fields: Record<string, string>, words: RegExp, picture?: Uint8Array) => {
    const response = await attempt(place, fields, picture)
    assert.ok([415, 422].includes(response.status), `${response.status}`)
    const html = await response.text()
    assert.match(html, words)
    return html
  }
  const picture = await image(1)
  await refused(said, /Choose a test image/)
  await refused({ ...said, condition: '' }, /no description/, picture)
  await refused({ ...said, scaling: '' }, /scaled/, picture)
  await refused({ ...said, scaling: 'own' }, /Choose a preprocessing/, picture)
  await refused({ ...said, scaling: 'own', preprocessing: '{' }, /not readable JSON/, picture)
  await refused({ ...said, classes: 'A\nA' }, /same label/, picture)
  const html = await refused({ ...said, classes: 'A\nB\nC\nD' }, /classes/, picture)
  assert.match(html, /value="theirs"/)
  await refused(said, /image/, new TextEncoder().encode('no image'))
  assert.equal(await total(), 0)
  assert.equal((await post(`${place}/discard`)).status, 303)
  assert.equal((await post(`${place}/save`)).status, 410)
  assert.equal((await attempt(place, said, picture)).status, 410)
  assert.match(await page('/models'), /\.safetensors/)
})

test('files that are no model are refused on the list of models, and only so many can wait', async (t) => {
  const { upload } = await importing(t)
  const refused = await upload(new TextEncoder().encode('hello'), 'model.onnx')
  assert.equal(refused.status, 422)
  assert.match(await refused.text(), /text file/)
  const onnx = await tinyOnnx(t)
  for (let i = 0; i < 8; i++) assert.equal((await upload(onnx, 'a.onnx')).status, 303)
  assert.match(await (await upload(onnx, 'a.onnx')).text(), /imports are open/)
})

test('where only signed packages are taken a model from elsewhere is refused at once', async (t) => {
  const { upload } = await importing(t, { ROENTGEN_REQUIRE_SIGNATURE: '1' })
  const refused = await upload(await tinyOnnx(t, 1), 'theirs.onnx')
  assert.match(await refused.text(), /trusted key/)
})

const FILES = [
  {
    path: 'data/models/onnx-mnist/opt-mnist.onnx',
    fields: { classes: DIGITS, kind: 'single-label', scaling: 'unit' },
    picture: 'data/models/onnx-mnist/7.jpg',
    says: 'digit 7',
  },
  {
    path: 'data/models/keras3-mnist/model.keras',
    fields: { classes: DIGITS, kind: 'single-label', scaling: 'unit' },
    picture: 'data/models/onnx-mnist/7.jpg',
    says: 'digit 7',
  },
  {
    path: 'data/models/keras-h5-teachable-chest/keras_model.h5',
    fields: { classes: 'Normal\n*Covid19\n*Viral Pneumonia', kind: 'single-label', scaling: 'tf' },
    picture:
      'data/models/keras-h5-teachable-chest/inputs/Covid-19__41591_2020_819_Fig1_HTML.webp-day5.png',
    says: 'Covid19',
  },
] as const

for (const { path, fields, picture, says } of FILES) {
  const name = path.split('/').at(-1) ?? ''
  test(`${name} is tried by page and says what it should`, {
    skip: skipWithout(path),
  }, async (t) => {
    const { upload, placeOf, attempt, post, page } = await importing(t)
    const place = placeOf(await upload(await readFile(sharedPath(path) ?? ''), name))
    const said = { condition: 'theirs', name: 'theirs', ...fields }
    const tried = await attempt(place, said, await readFile(sharedPath(picture) ?? ''))
    assert.equal(tried.status, 303, tried.status === 303 ? '' : await tried.text())
    assert.ok((await page(place)).includes(`<p><strong>${says}</strong>`), says)
    assert.equal((await post(`${place}/save`)).status, 303)
  })
}

test('a conversion is a job: cancelled in its midst, the page says so and the model can be tried again', async (t) => {
  const { call, home, upload, placeOf, attempt, total } = await importing(t)
  const place = placeOf(await upload(await tinyOnnx(t), 'theirs.onnx'))
  const said = {
    condition: 'effusion',
    name: 'theirs',
    classes: 'NORMAL\n*EFFUSION',
    kind: 'binary',
    scaling: 'unit',
  }
  const trial = attempt(place, said, await image(5))
  const find = async () => (await home.jobs.list({ kind: 'conversion' })).items
  let [job] = await find()
  while (job === undefined) {
    await new Promise((resolve) => setImmediate(resolve))
    job = (await find())[0]
  }
  assert.deepEqual(job.subject, { type: 'model-file', id: 'effusion/theirs' })
  assert.equal((await call(`/api/v1/jobs/${job.id}/cancel`, { method: 'POST' })).status, 200)
  const refused = await trial
  assert.equal(refused.status, 409)
  assert.match(await refused.text(), /The conversion was cancelled/)
  assert.equal((await home.jobs.get(job.id)).state, 'cancelled')
  assert.equal((await attempt(place, said, await image(5))).status, 303)
  assert.deepEqual(
    (await find()).map(({ state, attempt: n }) => [state, n]),
    [
      ['finished', 1],
      ['cancelled', 1],
    ],
  )
  assert.equal(await total(), 0)
})
