// The pages of datasets and training as plain forms, without a script: scan, prepare, start, act, look again.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import test from 'node:test'
import type { Dataset } from '../../../src/registry/runs/datasets.ts'
import type { Run } from '../../../src/registry/runs/runs.ts'
import { homeFolders, jsonBody, jsonOf, openedHome } from '../../support/home.ts'
import { sentEvents } from '../../support/sse.ts'
import { drawDataset } from '../../support/training/drawn-dataset.ts'

test('a dataset is scanned and prepared and a training started, watched and repeated with forms alone', async (t) => {
  const folders = await homeFolders(t)
  await drawDataset(join(folders.root, 'datasets', 'spots'), 30)
  const { call, home } = await openedHome(folders)
  const form = (path: string, fields: Record<string, string>) =>
    call(path, { method: 'POST', body: new URLSearchParams(fields), headers: HTML })
  const page = async (path: string) => (await call(path, { headers: HTML })).text()
  const classes = [
    { label: 'NORMAL', positive: false },
    { label: 'SICK', positive: true },
  ]
  await call('/api/v1/conditions', jsonBody({ id: 'spots', kind: 'binary', classes }))

  assert.match(await page('/datasets'), /Scan spots/)
  assert.match(await page('/training'), /Dataset not prepared/)
  const nothing = await form('/training/whole-set', {})
  assert.equal(nothing.status, 409)
  assert.match(await nothing.text(), /Dataset not prepared/)
  const refused = await form('/datasets/scan', { path: '../models' })
  assert.equal(refused.status, 422)
  assert.match(await refused.text(), /(inside|in) the dataset folder/)
  const scanned = await form('/datasets/scan', { path: 'spots' })
  assert.equal(scanned.status, 303)
  const address = scanned.headers.get('location') ?? ''
  const id = address.split('/').at(-1) ?? ''
  const until = async (state: string): Promise<Dataset> => {
    for (;;) {
      const dataset = await jsonOf<Dataset>(await call(`/api/v1/datasets/${id}`))
      if (dataset.state === state) return dataset
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  await until('scanned')
  assert.match(await page(address), /Overview/)
  const wrong = await form(`${address}/prepare`, { imageSize: '3' })
  assert.equal(wrong.status, 422)
  const prepare = { condition: 'spots', imageSize: '32', seed: '42', maxPerClass: '' }
  assert.equal((await form(`${address}/prepare`, prepare)).status, 303)
  assert.equal((await until('prepared')).prepared?.images, 60)
  assert.match(await page(address), /Train on it/)

  const start = { condition: 'spots', [`dataset:${id}`]: 'on', 'preset:quick': 'on' }
  const without = await form('/training', start)
  assert.equal(without.status, 422)
  assert.match(await without.text(), /Choose at least one architecture/)
  const settings = {
    ...{ epochs: '2', batchSize: '8', imageSize: '32', learningRate: '0,003' },
    ...{ optimizer: 'sgd', schedule: 'step', stepEpochs: '1', trainedLayers: '4', momentum: '' },
    ...{ 'augmentation.rotationDegrees': '3', 'augmentation.flipHorizontal': 'false' },
    ...{ aspect: 'crop', interpolation: '' },
  }
  const started = await form('/training', { ...start, 'architecture:tiny_cnn': 'on', ...settings })
  assert.equal(started.status, 303, await started.clone().text())
  const run = (started.headers.get('location') ?? '').replace('/training/', '')
  for await (const _ of sentEvents(await call(`/api/v1/runs/${run}/events`)));
  const ended = await jsonOf<Run>(await call(`/api/v1/runs/${run}`))
  assert.equal(ended.state, 'finished', ended.reason ?? '')
  const settled = {
    ...{ epochs: 2, batchSize: 8, imageSize: 32, learningRate: 0.003 },
    ...{ optimizer: 'sgd', schedule: 'step', stepEpochs: 1, trainedLayers: 4 },
    ...{ augmentation: { rotationDegrees: 3, flipHorizontal: false }, aspect: 'crop' },
  }
  assert.deepEqual(ended.hyperparameters, settled)
  const shown = await page(`/training/${run}`)
  assert.match(shown, /spots\/tiny-cnn-quick@1/)
  assert.match(shown, /<polyline/)
  assert.match(await page('/training'), /images a second here/)
  const late = await form(`/training/${run}/pause`, {})
  assert.equal(late.status, 409)
  assert.match(await late.text(), /is finished and cannot be paused/)

  const again = await form(`/training/${run}/again`, { batchSize: '4' })
  assert.equal(again.status, 303)
  const next = (again.headers.get('location') ?? '').replace('/training/', '')
  const repeated = await home.runs.get(next)
  assert.deepEqual([repeated.hyperparameters.batchSize, repeated.lineage.again], [4, run])
  assert.equal((await form(`/training/${next}/cancel`, {})).status, 303)
  assert.equal((await home.runs.get(next)).state, 'cancelled')

  const together = await form('/training/whole-set', {})
  assert.equal(together.status, 303, await together.clone().text())
  const set = together.headers.get('location') ?? ''
  assert.match(set, /^\/training\/sets\//)
  assert.match(await page(set), /Run group \(2\).*heatmap-standard.*heatmap-intensive/s)
  const { items } = await home.runs.list({ set: set.split('/').at(-1) })
  assert.deepEqual(
    items.map(({ architecture, condition, preset }) => [architecture, condition, preset]),
    [
      ['densenet121', 'spots', 'heatmap-intensive'],
      ['densenet121', 'spots', 'heatmap-standard'],
    ],
  )
  for (const { id: one } of items) await home.runs.cancel(one)
  assert.match(await page(set), /2 of 2 finished/)
  assert.equal((await call('/training/sets/none')).status, 404)
})

const HTML = { accept: 'text/html' }
