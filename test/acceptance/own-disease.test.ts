// A disease of the user's own, from nothing to an answering model, by the forms of the pages and without a restart: the
// condition, its images, a training, the gate, a diagnosis, and a look back at who did what and why.
import assert from 'node:assert/strict'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import { ConditionSchema } from '../../src/server/conditions/schema.ts'
import { PredictionSchema } from '../../src/server/predictions/schema.ts'
import { homeFolders, imageForm, jsonOf, servedHome, untilReady } from '../support/home.ts'
import { sentEvents } from '../support/sse.ts'
import { drawDataset } from '../support/training/drawn-dataset.ts'

test('a disease that nobody has heard of is made, trained and answered for while the server runs', async (t) => {
  const folders = await homeFolders(t)
  const datasets = join(folders.root, 'datasets')
  await mkdir(datasets)
  const { url, child, errors } = await servedHome(folders)
  await untilReady(url)
  const send = async (path: string, fields: Record<string, string>): Promise<string> => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      redirect: 'manual',
      headers: { accept: 'text/html' },
      body: new URLSearchParams(fields),
    })
    const text = await response.text()
    const problem = /notice-bad[\s\S]{0,600}/.exec(text)?.[0]
    assert.equal(response.status, 303, `${path}: ${problem ?? text}`)
    return response.headers.get('location') ?? ''
  }
  const condition = async () =>
    ConditionSchema.parse(await (await fetch(`${url}/api/v1/conditions/dragon-scale`)).json())

  const made = await send('/conditions', {
    id: 'Dragon-Scale',
    name: 'Dragon scale',
    bodyPart: 'hand',
    kind: 'binary',
    classes: 'NORMAL\r\n*SICK',
  })
  assert.equal(made, '/conditions/dragon-scale')
  assert.equal((await condition()).active, null)

  // The images arrive while the server runs.
  await drawDataset(join(datasets, 'scales'), 40)
  const dataset = await send('/datasets/scan', { path: 'scales' })
  const id = dataset.split('/').at(-1) ?? ''
  const reached = async (state: string): Promise<void> => {
    const until = performance.now() + 60_000
    for (;;) {
      const now = await jsonOf<{ state: string }>(await fetch(`${url}/api/v1/datasets/${id}`))
      if (now.state === state) return
      assert.ok(now.state !== 'failed' && performance.now() < until, `it is ${now.state}`)
      await after(50)
    }
  }
  await reached('scanned')
  await send(`${dataset}/prepare`, { condition: 'dragon-scale', imageSize: '32' })
  await reached('prepared')

  const training = await send('/training', {
    condition: 'dragon-scale',
    [`dataset:${id}`]: 'on',
    'architecture:tiny_cnn': 'on',
    'preset:quick': 'on',
    epochs: '1',
    batchSize: '8',
    imageSize: '32',
    learningRate: '0.003',
    schedule: 'constant',
  })
  const run = training.split('/').at(-1)
  const events = await fetch(`${url}/api/v1/runs/${run}/events`)
  for await (const _ of sentEvents(events));
  const ended = await jsonOf<{ state: string; version: string; reason: string | null }>(
    await fetch(`${url}/api/v1/runs/${run}`),
  )
  assert.deepEqual([ended.state, ended.version], ['finished', 'dragon-scale/tiny-cnn-quick@1'])

  await send('/conditions/dragon-scale/activate', { version: ended.version, reason: 'our first' })
  await send('/conditions/dragon-scale/settings', {
    operatingPoint: 'sensitivity>=0.95',
    reason: 'we screen',
  })
  await send('/conditions/dragon-scale/aliases', { alias: 'champion', version: ended.version })
  const now = await condition()
  assert.equal(now.active?.version, ended.version)

  const picture = await readFile(join(datasets, 'scales', 'SICK', '3.png'))
  const body = imageForm({ image: picture, condition: 'dragon-scale' })
  const read = await fetch(`${url}/api/v1/predict`, { method: 'POST', body })
  const prediction = PredictionSchema.parse(await read.json())
  assert.equal(prediction.version, ended.version)
  assert.equal(prediction.decision.operatingPoint, 'sensitivity>=0.95')
  assert.ok(prediction.heatmap)

  const { items } = await jsonOf<{ items: { field: string; reason: string | null }[] }>(
    await fetch(`${url}/api/v1/conditions/dragon-scale/changes`),
  )
  assert.deepEqual(
    items.map((one) => [one.field, one.reason]),
    [
      ['alias:champion', null],
      ['operatingPoint', 'we screen'],
      ['created', null],
    ],
  )
  assert.equal(child.exitCode, null, 'it is the same server')
  assert.equal(errors(), '')
})
