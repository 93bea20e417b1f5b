// Suspicious labels, from a first training to files left out: API, page and image.
import assert from 'node:assert/strict'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import type { Dataset } from '../../src/registry/runs/datasets.ts'
import type { Run } from '../../src/registry/runs/runs.ts'
import { homeFolders, jsonBody, jsonOf, openedHome } from '../support/home.ts'
import { sentEvents } from '../support/sse.ts'
import { drawDataset } from '../support/training/drawn-dataset.ts'

/** Without these in the wrong folder the images are told apart without error. */
const WRONG = [3, 17, 31, 40]

test('images that lie in the wrong folder are found after a first training, and left out in one click', async (t) => {
  const folders = await homeFolders(t)
  const dir = await drawDataset(join(folders.root, 'datasets', 'spots'), 60)
  for (const n of WRONG) {
    await rename(join(dir, 'SICK', `${n}.png`), join(dir, 'NORMAL', `wrong-${n}.png`))
  }
  const { call } = await openedHome(folders)
  const classes = [
    { label: 'NORMAL', positive: false },
    { label: 'SICK', positive: true },
  ]
  await call('/api/v1/conditions', jsonBody({ id: 'spots', kind: 'binary', classes }))
  const { id } = await jsonOf<Dataset>(
    await call('/api/v1/datasets/scan', jsonBody({ path: 'spots' })),
  )
  const address = `/api/v1/datasets/${id}`
  const check = (body: object) => call(`${address}/label-check`, jsonBody(body))
  assert.equal((await check({})).status, 409, 'not prepared')
  const prepare = { condition: 'spots', imageSize: 32 }
  const first = await jsonOf<Dataset>(await call(`${address}/prepare`, jsonBody(prepare)))
  const early = await check({})
  assert.equal(early.status, 409)
  assert.match((await jsonOf<{ detail: string }>(early)).detail, /train one \(the quick preset/)

  const hyperparameters = { batchSize: 8, imageSize: 32, learningRate: 3e-3, epochs: 4 }
  const wishes = { dataset: id, architecture: 'tiny_cnn', preset: 'quick', hyperparameters }
  const run = await jsonOf<Run>(
    await call('/api/v1/runs', jsonBody({ condition: 'spots', ...wishes })),
  )
  for await (const _ of sentEvents(await call(`/api/v1/runs/${run.id}/events`)));
  const { version } = await jsonOf<Run>(await call(`/api/v1/runs/${run.id}`))
  assert.equal((await check({ version: 'spots/none@1' })).status, 404)
  const looked = await check({})
  assert.equal(looked.status, 200, await looked.clone().text())
  const { labelCheck } = await jsonOf<Dataset>(looked)
  assert.deepEqual(
    [labelCheck?.version, labelCheck?.fingerprint, labelCheck?.images],
    [version, first.prepared?.fingerprint, 120],
  )
  const worst = (labelCheck?.labels ?? []).slice(0, WRONG.length + 2)
  const found = worst.filter(({ file }) => file.includes('wrong-'))
  assert.ok(found.length === WRONG.length, JSON.stringify(worst))
  for (const { given, suggested } of found) assert.deepEqual([given, suggested], ['NORMAL', 'SICK'])

  const headers = { accept: 'text/html', 'content-type': 'application/x-www-form-urlencoded' }
  const form = (path: string, fields: Record<string, string>) =>
    call(path, { method: 'POST', headers, body: new URLSearchParams(fields) })
  const page = await (await call(`/datasets/${id}`, { headers })).text()
  assert.match(page, /Suspicious labels/)
  assert.match(page, /name="file:NORMAL\/wrong-/)
  const image = `/datasets/${id}/image?file=`
  const shown = await call(`${image}${encodeURIComponent(found[0]?.file ?? '')}`)
  assert.deepEqual([shown.status, shown.headers.get('content-type')], [200, 'image/webp'])
  assert.equal((await call(`${image}${encodeURIComponent('../spots/SICK/1.png')}`)).status, 404)
  assert.equal((await form(`/datasets/${id}/exclude`, {})).status, 422)
  const chosen = Object.fromEntries(found.map(({ file }) => [`file:${file}`, 'on']))
  assert.equal((await form(`/datasets/${id}/exclude`, chosen)).status, 303)
  const until = async (): Promise<Dataset> => {
    for (;;) {
      const dataset = await jsonOf<Dataset>(await call(address))
      if (dataset.state === 'prepared') return dataset
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const after = await until()
  assert.equal(after.prepared?.images, 120 - found.length)
  assert.notEqual(after.prepared?.fingerprint, first.prepared?.fingerprint)
  const later = await (await call(`/datasets/${id}`, { headers })).text()
  assert.match(later, /re-prepared since/)
  assert.ok(!later.includes(`name="file:${found[0]?.file}"`))
})
