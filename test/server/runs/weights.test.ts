// Pretrained weights by the API and on the training page: what is kept, what a run may ask for, and what it is told else.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { getArchitecture } from '../../../src/architectures/catalogue.ts'
import { importWeights } from '../../../src/conversion/pretrained/import-weights.ts'
import type { Dataset } from '../../../src/registry/runs/datasets.ts'
import type { Run } from '../../../src/registry/runs/runs.ts'
import { homeFolders, jsonBody, jsonOf, openedHome } from '../../support/home.ts'
import { drawDataset } from '../../support/training/drawn-dataset.ts'
import { torchStateDict } from '../../support/weights/torch-state-dict.ts'

async function withDataset(t: TestContext) {
  const folders = await homeFolders(t)
  await drawDataset(join(folders.root, 'datasets', 'spots'), 20)
  const { call } = await openedHome(folders)
  const classes = [
    { label: 'NORMAL', positive: false },
    { label: 'SICK', positive: true },
  ]
  await call('/api/v1/conditions', jsonBody({ id: 'spots', kind: 'binary', classes }))
  const { id } = await jsonOf<Dataset>(
    await call('/api/v1/datasets/scan', jsonBody({ path: 'spots' })),
  )
  const wishes = jsonBody({ condition: 'spots', imageSize: 32 })
  assert.equal((await call(`/api/v1/datasets/${id}/prepare`, wishes)).status, 200)
  const start = (hyperparameters: object, architecture: string | string[] = 'densenet121') => {
    const body = { condition: 'spots', dataset: id, architecture, preset: 'quick', hyperparameters }
    return call('/api/v1/runs', jsonBody(body))
  }
  return { folders, call, id, start }
}

test('kept weights are listed, a run starts from them, and what is absent is said', async (t) => {
  const { folders, call, id, start } = await withDataset(t)
  const page = async () => (await call('/training', { headers: { accept: 'text/html' } })).text()
  assert.match(await page(), /No ImageNet weights are installed yet. Fetch or import them first/)
  const absent = await start({ weights: 'imagenet' })
  assert.equal(absent.status, 422)
  const problem = await jsonOf<{ detail: string; field: string }>(absent)
  assert.match(problem.detail, /"roentgen weights fetch densenet121", or import a file/)
  assert.equal(problem.field, 'weights')

  const path = join(folders.root, 'grey.safetensors')
  const architecture = getArchitecture('densenet121')
  await torchStateDict(path, { architecture, channels: 1, outputs: 1 })
  const scaling = { scale: 1 / 255, mean: [0.5], std: [0.25], order: 'rgb' as const }
  const { sha256 } = await importWeights({
    ...{ dataDir: folders.dataDir, path, name: 'densenet121-imagenet', scaling, at: new Date() },
  })
  const list = await jsonOf<{ items: Record<string, unknown>[]; fetchable: { key: string }[] }>(
    await call('/api/v1/weights'),
  )
  assert.deepEqual(
    list.items.map((one) => [one.name, one.sha256, one.channels, one.file]),
    [['densenet121-imagenet', sha256, 1, undefined]],
  )
  assert.ok(list.fetchable.some(({ key }) => key === 'vit_b_16'))
  assert.match(await page(), /ImageNet weights are installed for densenet121/)

  const wrong: readonly [object, string | string[], RegExp][] = [
    [{ weights: 'imagenet', channels: 3 }, 'densenet121', /look at grey images/],
    [{ weights: 'densenet121-imagenet' }, 'resnet50', /are of densenet121/],
    [
      { weights: 'imagenet' },
      ['densenet121', 'tiny_cnn'],
      /of tiny_cnn here yet: nobody publishes/,
    ],
    [{ weights: '' }, 'densenet121', /"weights" is wrong/],
    [{ weights: 7 }, 'densenet121', /"weights" is wrong/],
    [{ batchNorm: 'melted' }, 'densenet121', /"batchNorm" is wrong/],
  ]
  for (const [hyperparameters, architecture, words] of wrong) {
    const answer = await start(hyperparameters, architecture)
    assert.equal(answer.status, 422)
    assert.match((await jsonOf<{ detail: string }>(answer)).detail, words)
  }
  const form = { [`dataset:${id}`]: 'on', 'architecture:resnet50': 'on', 'preset:quick': 'on' }
  const sent = await call('/training', {
    method: 'POST',
    headers: { accept: 'text/html', 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ ...form, condition: 'spots', weights: 'imagenet' }).toString(),
  })
  assert.equal(sent.status, 422)
  const text = await sent.text()
  assert.match(text, /There are no ImageNet weights of resnet50 here yet/)
  assert.match(text, /<option value="imagenet" selected>/)

  const taken = await start({ weights: 'imagenet', imageSize: 32, batchSize: 8 })
  assert.equal(taken.status, 202, await taken.clone().text())
  const run = await jsonOf<Run>(taken)
  assert.equal(run.hyperparameters.weights, 'imagenet')
  const shown = await call(`/training/${run.id}`, { headers: { accept: 'text/html' } })
  assert.match(await shown.text(), /ImageNet weights/)
  await call(`/api/v1/runs/${run.id}/cancel`, { method: 'POST' })
})
