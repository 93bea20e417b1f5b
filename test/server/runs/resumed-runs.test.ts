// Runs that are broken off, by the end of their process or of the server, with real processes on tiny drawn images.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import type { Run } from '../../../src/registry/runs/runs.ts'
import { workFolder } from '../../../src/training/train-once.ts'
import { outcome } from '../../support/dataset-outcome.ts'
import {
  type Folders,
  homeFolders,
  jsonBody,
  jsonOf,
  openedHome,
  servedHome,
} from '../../support/home.ts'
import { type SentEvent, sentEvents } from '../../support/sse.ts'
import { drawDataset } from '../../support/training/drawn-dataset.ts'

type Call = (path: string, init?: RequestInit) => Promise<Response>

const CLASSES = [
  { label: 'NORMAL', positive: false },
  { label: 'SICK', positive: true },
]
const small = { batchSize: 8, imageSize: 32, learningRate: 3e-3, schedule: 'constant' }

async function withSpots(t: TestContext, perClass: number): Promise<Folders> {
  const folders = await homeFolders(t)
  await drawDataset(join(folders.root, 'datasets', 'spots'), perClass)
  return folders
}

async function prepared(call: Call): Promise<void> {
  const condition = { id: 'spots', kind: 'binary', classes: CLASSES }
  assert.equal((await call('/api/v1/conditions', jsonBody(condition))).status, 201)
  const scanned = await call('/api/v1/datasets/scan', jsonBody({ path: 'spots' }))
  const { id } = await outcome(call, scanned)
  const wishes = jsonBody({ condition: 'spots', imageSize: 32 })
  await outcome(call, await call(`/api/v1/datasets/${id}/prepare`, wishes))
}

async function untilEnded(call: Call, id: string): Promise<Run> {
  for await (const _ of sentEvents(await call(`/api/v1/runs/${id}/events`)));
  return jsonOf<Run>(await call(`/api/v1/runs/${id}`))
}

test('a training process that is killed is resumed by itself once, then when somebody says so, and ends with the same bits', async (t) => {
  process.env.ROENTGEN_CHECKPOINT_SECONDS = '0'
  t.after(() => delete process.env.ROENTGEN_CHECKPOINT_SECONDS)
  const folders = await withSpots(t, 12)
  const { call } = await openedHome(folders)
  await prepared(call)
  const hyperparameters = { ...small, epochs: 6, earlyStopping: 0 }
  const wishes = { condition: 'spots', dataset: 'spots', architecture: 'tiny_cnn', preset: 'quick' }
  const start = async () =>
    (await jsonOf<Run>(await call('/api/v1/runs', jsonBody({ ...wishes, hyperparameters })))).id
  const whole = await untilEnded(call, await start())
  const id = await start()
  const killable = new Set([1, 3])
  const states: string[] = []
  for await (const { event, data } of sentEvents(await call(`/api/v1/runs/${id}/events`))) {
    if (event === 'epoch' && killable.delete(Number(data.epoch))) killTrainer(folders, id)
    if (event !== 'state') continue
    if (states.at(-1) !== data.state) states.push(`${data.state}`)
    // The stream stays open for whoever waits for the run to be resumed.
    if (data.state === 'interrupted') break
    if (data.state === 'queued' && states.length > 1) {
      assert.match(`${data.reason}`, /was ended by SIGKILL.* resumes from the last checkpoint/)
    }
  }
  const busy = ['queued', 'preparing', 'running']
  assert.deepEqual(states, [...busy, ...busy, 'interrupted'])
  const run = await jsonOf<Run>(await call(`/api/v1/runs/${id}`))
  assert.match(run.reason ?? '', /was ended by SIGKILL.* can be resumed from the last checkpoint/)
  assert.doesNotMatch(run.reason ?? '', /memory/)
  assert.equal(run.offer, null)
  assert.equal((await call(`/api/v1/runs/${id}/resume`, { method: 'POST' })).status, 200)
  const resumed = await untilEnded(call, id)
  assert.deepEqual([whole.state, resumed.state, resumed.attempts], ['finished', 'finished', 3])
  assert.deepEqual(await graphsOf(call, resumed), await graphsOf(call, whole))
})

function killTrainer({ dataDir }: Folders, id: string): void {
  const noted = readFileSync(join(workFolder({ dataDir }, id), 'process.json'), 'utf8')
  process.kill((JSON.parse(noted) as { pid: number }).pid, 'SIGKILL')
}

/** Digests of the graphs that a run left. */
async function graphsOf(call: Call, { version }: Run): Promise<readonly string[]> {
  const path = `/api/v1/versions/${version?.replace('@', '/')}`
  const { files } = await jsonOf<{ files: { path: string; sha256: string }[] }>(await call(path))
  const graphs = files.filter((one) => /^models\/[^/]+\.onnx$/.test(one.path))
  assert.ok(graphs.length > 0)
  return graphs.map(({ sha256 }) => sha256)
}

test('a run is resumed by itself after kill -9 and after SIGTERM of the server, and ends with a version', async (t) => {
  const folders = await withSpots(t, 40)
  const start = async () => {
    const server = await servedHome(folders)
    const call: Call = (path, init) => fetch(`${server.url}${path}`, init)
    return { server, call }
  }
  const { server, call } = await start()
  await prepared(call)
  const hyperparameters = { ...small, epochs: 30, earlyStopping: 0 }
  const wishes = { condition: 'spots', dataset: 'spots', architecture: 'tiny_cnn', preset: 'quick' }
  const { id } = await jsonOf<Run>(
    await call('/api/v1/runs', jsonBody({ ...wishes, hyperparameters })),
  )
  let lastId = ''
  for await (const one of sentEvents(await call(`/api/v1/runs/${id}/events`))) {
    lastId = one.id
    if (one.event === 'epoch' && one.data.epoch === 2) await server.kill()
  }

  const { server: second, call: anew } = await start()
  const headers = { 'last-event-id': lastId }
  const seen: SentEvent[] = []
  for await (const one of sentEvents(await anew(`/api/v1/runs/${id}/events`, { headers }))) {
    seen.push(one)
    if (one.event === 'epoch' && one.data.epoch === 5) await second.stop()
  }
  const requeued = seen.find(({ event }) => event === 'state')
  assert.equal(requeued?.data.state, 'queued')
  assert.match(
    `${requeued.data.reason}`,
    /^The server stopped.*; it resumes from the last checkpoint/,
  )
  assert.ok(seen.some(({ data }) => /bit-exact/.test(`${data.text}`)))

  const { call: again } = await start()
  const run = await untilEnded(again, id)
  assert.equal(run.state, 'finished', run.reason ?? '')
  assert.equal(run.version, 'spots/tiny-cnn-quick@1')
  assert.equal(run.attempts, 3)
  assert.deepEqual(
    run.progress.history.map(({ epoch }) => epoch),
    Array.from({ length: 30 }, (_, i) => i + 1),
  )
})
