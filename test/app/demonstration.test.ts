// The first start on packages marked as demonstration: each condition gets its usual version, once, and everyone is told.
import assert from 'node:assert/strict'
import test from 'node:test'
import { DEMONSTRATION_DIR } from '../../src/app/product.ts'
import { scanStore } from '../../src/registry/versions/scan-store.ts'
import { image } from '../inference/tiny-package.ts'
import {
  homeFolders,
  imageForm,
  jsonBody,
  jsonOf,
  openedHome,
  storePackage,
} from '../support/home.ts'

const HTML = { headers: { accept: 'text/html' } }
const packages = await scanStore(DEMONSTRATION_DIR)

interface Line {
  readonly version: string
  readonly by: string
  readonly via: string
  readonly steps: { name: string; ok: boolean }[]
}

test('a demonstration version answers through the whole gate, by policy, the one tagged default first', async (t) => {
  const folders = { ...(await homeFolders(t)) }
  const demo = { demonstration: true, notice: 'synthetic demonstration, not for use on patients' }
  await storePackage(folders, { seed: 1, accuracy: 0.9, fields: demo })
  const usual = await storePackage(folders, {
    seed: 2,
    accuracy: 0.8,
    fields: { ...demo, tags: ['default'] },
  })
  const env = { ...folders.env, ROENTGEN_DEMO: 'auto' }
  const first = await openedHome({ ...folders, env })
  const { items } = await jsonOf<{ items: Line[] }>(
    await first.call('/api/v1/conditions/pneumonia/history'),
  )
  assert.deepEqual(
    items.map(({ version, by, via }) => [version, by, via]),
    [[usual.id, 'roentgen', 'policy']],
  )
  assert.ok(items[0]?.steps.every((step) => step.ok))
  assert.match(await (await first.call('/', HTML)).text(), /Not for clinical use/)
  const body = imageForm({ image: await image(1), condition: 'pneumonia' })
  const prediction = await jsonOf<{ warnings: string[] }>(
    await first.call('/api/v1/predict', { method: 'POST', body }),
  )
  assert.match(prediction.warnings.join(' '), /synthetic demonstration/)
  const other = jsonBody({ version: 'pneumonia/tiny@1', reason: 'my choice' })
  assert.equal((await first.call('/api/v1/conditions/pneumonia/activate', other)).status, 200)
  await first.home.close()

  const second = await openedHome({ ...folders, env })
  const condition = await jsonOf<{ active: { version: string } }>(
    await second.call('/api/v1/conditions/pneumonia'),
  )
  assert.equal(condition.active.version, 'pneumonia/tiny@1', 'a choice is never taken back')
})

test('an imported version answers by itself under policy follow, and only then', async (t) => {
  const folders = await homeFolders(t)
  const one = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const two = await storePackage(folders, { seed: 2, accuracy: 0.9 })
  const source = await openedHome(folders)
  const zips = []
  for (const n of [1, 2]) {
    const exported = await source.call(`/api/v1/versions/pneumonia/tiny/${n}/export`)
    zips.push(await exported.arrayBuffer())
  }
  const { call } = await openedHome(await homeFolders(t))
  const send = async (zip: ArrayBuffer | undefined): Promise<Response> => {
    const form = new FormData()
    form.set('package', new Blob([zip ?? new ArrayBuffer()]), 'x.roentgen.zip')
    return call('/api/v1/versions/import', { method: 'POST', body: form })
  }
  const active = async () =>
    (
      await jsonOf<{ active: { sha256: string } | null }>(
        await call('/api/v1/conditions/pneumonia'),
      )
    ).active
  assert.equal((await send(zips[0])).status, 201)
  assert.equal(await active(), null)
  await call('/api/v1/conditions/pneumonia', jsonBody({ policy: 'follow' }, 'PATCH'))
  assert.equal((await send(zips[1])).status, 201)
  assert.equal((await active())?.sha256, two.sha256)
  assert.notEqual(one.sha256, two.sha256)
})

test('an empty store is given the demonstration packages that come with the product, with their examples', {
  skip: packages.length === 0 && 'the product has no demonstration packages yet',
}, async (t) => {
  const folders = await homeFolders(t)
  const { call } = await openedHome({ ...folders, env: { ...folders.env, ROENTGEN_DEMO: 'auto' } })
  const conditions = await jsonOf<{ id: string; active: object | null }[]>(
    await call('/api/v1/conditions'),
  )
  assert.equal(conditions.length, new Set(packages.map((one) => one.condition)).size)
  for (const { id, active } of conditions) assert.ok(active, `${id} has no active version`)
  const page = await (await call('/', HTML)).text()
  const examples = new Set([...page.matchAll(/\/examples\/[\w-]+/g)].map(([path]) => path))
  assert.ok(examples.size >= conditions.length)
  for (const path of examples) assert.equal((await call(`${path}?size=thumb`)).status, 200)
})
