// Datasets and training runs through the API, with real child processes on tiny drawn images.
import assert from 'node:assert/strict'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import type { Dataset } from '../../../src/registry/runs/datasets.ts'
import type { Run } from '../../../src/registry/runs/runs.ts'
import { outcome } from '../../support/dataset-outcome.ts'
import { type Folders, homeFolders, jsonBody, jsonOf, openedHome } from '../../support/home.ts'
import { type SentEvent, sentEvents } from '../../support/sse.ts'
import { drawDataset } from '../../support/training/drawn-dataset.ts'

type Call = (path: string, init?: RequestInit) => Promise<Response>

const CLASSES = [
  { label: 'NORMAL', positive: false },
  { label: 'SICK', positive: true },
]
const small = { batchSize: 8, imageSize: 32, learningRate: 3e-3, schedule: 'constant' }

/** A home with a prepared dataset `spots` and a condition of the same name. */
async function withSpots(t: TestContext): Promise<{ folders: Folders; call: Call }> {
  const folders = await homeFolders(t)
  await drawDataset(join(folders.root, 'datasets', 'spots'), 40)
  return { folders, call: (await openedHome(folders)).call }
}

async function prepared(call: Call, policy = 'pinned'): Promise<Dataset> {
  const condition = { id: 'spots', kind: 'binary', classes: CLASSES, policy }
  assert.equal((await call('/api/v1/conditions', jsonBody(condition))).status, 201)
  const { id } = await outcome(
    call,
    await call('/api/v1/datasets/scan', jsonBody({ path: 'spots' })),
  )
  const wishes = { condition: 'spots', imageSize: 32 }
  return outcome(call, await call(`/api/v1/datasets/${id}/prepare`, jsonBody(wishes)))
}

async function untilEnded(call: Call, id: string): Promise<Run> {
  for await (const _ of sentEvents(await call(`/api/v1/runs/${id}/events`)));
  return jsonOf<Run>(await call(`/api/v1/runs/${id}`))
}

async function codeOf(response: Response): Promise<[number, string]> {
  return [response.status, (await jsonOf<{ code: string }>(response)).code]
}

test('a scan tells classes, broken files, duplicates and leaves the data root alone', async (t) => {
  const { folders, call } = await withSpots(t)
  const dir = join(folders.root, 'datasets', 'spots')
  await writeFile(join(dir, 'SICK', 'broken.png'), 'no image')
  await copyFile(join(dir, 'NORMAL', '0.png'), join(dir, 'NORMAL', 'again.png'))
  await copyFile(join(dir, 'NORMAL', '1.png'), join(dir, 'SICK', 'liar.png'))
  const scan = (path: string) => call('/api/v1/datasets/scan', jsonBody({ path }))
  const dataset = await outcome(call, await scan('spots'))
  assert.equal(dataset.state, 'scanned')
  assert.deepEqual(dataset.scan?.classes, [
    { label: 'NORMAL', count: 41 },
    { label: 'SICK', count: 42 },
  ])
  assert.deepEqual(dataset.scan.sizes?.width, { min: 32, median: 32, max: 32 })
  assert.deepEqual(dataset.scan.bitDepths, { 8: 82 })
  assert.equal(dataset.scan.broken.files[0]?.file, 'SICK/broken.png')
  assert.match(dataset.scan.broken.files[0].reason, /not a supported image|text file/)
  assert.equal(dataset.scan.duplicates.count, 2)
  assert.deepEqual(dataset.scan.conflicts, [['NORMAL/1.png', 'SICK/liar.png']])
  assert.match(dataset.scan.warnings.join(' '), /at least 100 are recommended/)

  for (const path of ['../models', '/etc', 'spots/../../data', '..\\data', 'C:\\x', '']) {
    assert.deepEqual(await codeOf(await scan(path)), [422, 'invalid'], path)
  }
  assert.deepEqual(await codeOf(await scan('nowhere')), [404, 'unknown-dataset'])
  await mkdir(join(folders.root, 'datasets', 'empty'))
  assert.deepEqual(await codeOf(await scan('empty')), [422, 'invalid'])
  const listed = await jsonOf<{ items: Dataset[]; folders: string[] }>(
    await call('/api/v1/datasets'),
  )
  assert.deepEqual(
    listed.items.map(({ path, state }) => [path, state]),
    [
      ['empty', 'failed'],
      ['spots', 'scanned'],
    ],
  )
})

test('a run needs a prepared dataset and known words', async (t) => {
  const { call } = await withSpots(t)
  await call('/api/v1/conditions', jsonBody({ id: 'spots', kind: 'binary', classes: CLASSES }))
  const { id } = await jsonOf<Dataset>(
    await call('/api/v1/datasets/scan', jsonBody({ path: 'spots' })),
  )
  const wishes = { condition: 'spots', dataset: id, architecture: 'tiny_cnn', preset: 'quick' }
  const start = (changes: object) => call('/api/v1/runs', jsonBody({ ...wishes, ...changes }))
  const refused = await start({})
  assert.match(await refused.clone().text(), /Dataset not prepared/)
  assert.deepEqual(await codeOf(refused), [409, 'dataset-not-prepared'])
  await call(`/api/v1/datasets/${id}/prepare`, { method: 'POST' })
  for (const [changes, status, code] of [
    [{ condition: 'nothing' }, 404, 'unknown-condition'],
    [{ dataset: 'nothing' }, 404, 'unknown-dataset'],
    [{ architecture: 'alexnet' }, 422, 'invalid'],
    [{ preset: 'forever' }, 422, 'invalid'],
    [{ hyperparameters: { batchSize: 1 } }, 422, 'invalid'],
    [{ hyperparameters: { dropPath: 1 } }, 422, 'invalid'],
    [{ initFrom: 'spots/none@1' }, 404, 'unknown-version'],
  ] as const) {
    assert.deepEqual(await codeOf(await start(changes)), [status, code], JSON.stringify(changes))
  }
  assert.deepEqual(await codeOf(await call('/api/v1/runs/none')), [404, 'unknown-run'])
  assert.equal((await jsonOf<{ items: Run[] }>(await call('/api/v1/runs'))).items.length, 0)
})

test('a run is watched to its end, leaves a version, and under policy follow it answers', async (t) => {
  const { call } = await withSpots(t)
  const dataset = await prepared(call, 'follow')
  assert.equal(dataset.prepared?.images, 80)
  const wishes = { condition: 'spots', dataset: 'spots', architecture: 'Tiny-CNN', preset: 'quick' }
  const hyperparameters = { ...small, epochs: 3 }
  const started = await call('/api/v1/runs', jsonBody({ ...wishes, hyperparameters }))
  assert.equal(started.status, 202)
  const { id } = await jsonOf<Run>(started)
  const seen: SentEvent[] = []
  for await (const event of sentEvents(await call(`/api/v1/runs/${id}/events`))) seen.push(event)
  const states = seen.filter(({ event }) => event === 'state').map(({ data }) => data.state)
  assert.deepEqual([...new Set(states)], ['queued', 'preparing', 'running', 'finished'])
  const epochs = seen.filter(({ event }) => event === 'epoch')
  assert.deepEqual(
    epochs.map(({ data }) => data.epoch),
    [1, 2, 3],
  )
  assert.ok(seen.some(({ event }) => event === 'batch'))
  assert.ok(seen.some(({ event, data }) => event === 'log' && /^epoch 1\/3/.test(`${data.text}`)))

  const run = await jsonOf<Run>(await call(`/api/v1/runs/${id}`))
  assert.equal(run.version, 'spots/tiny-cnn-quick@1')
  assert.equal(run.progress.history.length, 3)
  assert.equal(run.lineage.dataset, dataset.prepared.fingerprint)
  const condition = await jsonOf<{ active: { version: string } }>(
    await call('/api/v1/conditions/spots'),
  )
  assert.equal(condition.active?.version, run.version)

  const lastId = epochs[1]?.id ?? ''
  const rest = await call(`/api/v1/runs/${id}/events`, { headers: { 'last-event-id': lastId } })
  const again: SentEvent[] = []
  for await (const event of sentEvents(rest)) again.push(event)
  assert.ok(again.every((event) => Number(event.id) > Number(lastId)))
  assert.deepEqual(
    again,
    seen.filter(({ id, event }) => event !== 'batch' && Number(id) > Number(lastId)),
  )
  const headers = { 'last-event-id': seen.at(-1)?.id ?? '' }
  assert.equal((await call(`/api/v1/runs/${id}/events`, { headers })).status, 204)

  const more = { ...wishes, hyperparameters: { ...small, epochs: 1 }, initFrom: run.version }
  const next = await jsonOf<Run>(await call('/api/v1/runs', jsonBody(more)))
  const continued = await untilEnded(call, next.id)
  assert.equal(continued.state, 'finished', continued.reason ?? '')
  const [first] = run.progress.history
  assert.ok((continued.progress.history[0]?.trainLoss ?? 9) < (first?.trainLoss ?? 0))
})

test('a matrix is queued, held back, cancelled, paused, resumed and stopped', async (t) => {
  const { call } = await withSpots(t)
  await prepared(call)
  const wishes = {
    condition: 'spots',
    dataset: 'spots',
    architecture: ['tiny_cnn'],
    preset: ['quick', 'standard', 'intensive'],
    hyperparameters: { ...small, epochs: 1000, earlyStopping: 0 },
  }
  const { runs } = await jsonOf<{ runs: Run[] }>(await call('/api/v1/runs', jsonBody(wishes)))
  assert.deepEqual(
    runs.map(({ preset }) => preset),
    ['quick', 'standard', 'intensive'],
  )
  const [first, second, third] = runs.map(({ id }) => id) as [string, string, string]
  const act = async (id: string, what: string) =>
    jsonOf<Run>(await call(`/api/v1/runs/${id}/${what}`, { method: 'POST' }))
  assert.equal((await act(second, 'pause')).state, 'paused')
  assert.equal((await act(third, 'cancel')).state, 'cancelled')
  let paused = false
  for await (const { event } of sentEvents(await call(`/api/v1/runs/${first}/events`))) {
    if (event !== 'epoch' || paused) continue
    paused = true
    assert.equal((await act(first, 'pause')).state, 'paused')
    const { progress } = await jsonOf<Run>(await call(`/api/v1/runs/${first}`))
    const later = await jsonOf<Run>(await call(`/api/v1/runs/${first}`))
    assert.equal(later.progress.batch, progress.batch)
    assert.equal((await act(first, 'resume')).state, 'running')
    await act(first, 'stop')
  }
  const stopped = await jsonOf<Run>(await call(`/api/v1/runs/${first}`))
  assert.equal(stopped.state, 'finished', stopped.reason ?? '')
  assert.ok(stopped.progress.history.length < 1000)
  assert.equal((await act(second, 'resume')).state, 'queued')
  assert.equal((await act(second, 'cancel')).state, 'cancelled')
  for (const what of ['pause', 'resume', 'stop', 'cancel']) {
    const answer = await call(`/api/v1/runs/${second}/${what}`, { method: 'POST' })
    assert.deepEqual(await codeOf(answer), [409, 'conflict'], what)
  }
})
