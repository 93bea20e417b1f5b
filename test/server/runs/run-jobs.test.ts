// A training run is a job too: one shape for programs, cancelled as any job, and ended when its process hangs.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import type { Dataset } from '../../../src/registry/runs/datasets.ts'
import type { Run } from '../../../src/registry/runs/runs.ts'
import { JobSchema } from '../../../src/server/jobs/schema.ts'
import { workFolder } from '../../../src/training/train-once.ts'
import { homeFolders, jsonBody, jsonOf, openedHome } from '../../support/home.ts'
import { type SentEvent, sentEvents } from '../../support/sse.ts'
import { drawDataset } from '../../support/training/drawn-dataset.ts'

const CLASSES = [
  { label: 'NORMAL', positive: false },
  { label: 'SICK', positive: true },
]

async function withRun(t: TestContext) {
  const folders = await homeFolders(t)
  await drawDataset(join(folders.root, 'datasets', 'spots'), 40)
  const limits: { stallLimitMs: number } = { stallLimitMs: 600_000 }
  const { home, call } = await openedHome(folders, { training: limits })
  const condition = { id: 'spots', kind: 'binary', classes: CLASSES }
  assert.equal((await call('/api/v1/conditions', jsonBody(condition))).status, 201)
  const { id: dataset } = await jsonOf<Dataset>(
    await call('/api/v1/datasets/scan', jsonBody({ path: 'spots' })),
  )
  await home.jobs.whenIdle()
  await call(`/api/v1/datasets/${dataset}/prepare`, jsonBody({ condition: 'spots', imageSize: 32 }))
  await home.jobs.whenIdle()
  const train = async (epochs: number): Promise<Run> => {
    const hyperparameters = { batchSize: 8, imageSize: 32, epochs, earlyStopping: 0 }
    const answer = await call(
      '/api/v1/runs',
      jsonBody({ dataset, architecture: 'tiny_cnn', preset: 'quick', hyperparameters }),
    )
    assert.equal(answer.status, 202, await answer.clone().text())
    return jsonOf<Run>(answer)
  }
  const job = async (id: string) => JobSchema.parse(await jsonOf(await call(`/api/v1/jobs/${id}`)))
  const run = async (id: string) => jsonOf<Run>(await call(`/api/v1/runs/${id}`))
  const until = async (id: string, wanted: (event: SentEvent) => boolean) => {
    for await (const event of sentEvents(await call(`/api/v1/runs/${id}/events`))) {
      if (wanted(event)) return
    }
  }
  return { folders, home, call, train, job, run, until, limits }
}

test('a run is a job of the same id, state and events, and is cancelled as any job', async (t) => {
  const { call, train, job, run, until } = await withRun(t)
  const { id } = await train(200)
  await until(id, ({ event }) => event === 'epoch')
  const shown = await job(id)
  assert.deepEqual(
    [shown.kind, shown.state, shown.attempt, shown.subject],
    ['training', 'running', 1, { type: 'condition', id: 'spots' }],
  )
  assert.deepEqual([shown.progress?.total, shown.progress?.unit], [200, 'epochs'])
  assert.equal(shown.links.page, `/training/${id}`)
  const cancelled = await call(`/api/v1/jobs/${id}/cancel`, { method: 'POST' })
  assert.equal(JobSchema.parse(await jsonOf(cancelled)).state, 'cancelled')
  const { state, reason, endedAt, attempts } = await run(id)
  assert.deepEqual([state, reason, attempts], ['cancelled', 'Cancelled by user.', 1])
  assert.ok(endedAt)
  assert.equal((await call(`/api/v1/runs/${id}/cancel`, { method: 'POST' })).status, 409)

  const ofRun: SentEvent[] = []
  for await (const one of sentEvents(await call(`/api/v1/runs/${id}/events`))) ofRun.push(one)
  const ofJob: SentEvent[] = []
  for await (const one of sentEvents(await call(`/api/v1/jobs/${id}/events`))) ofJob.push(one)
  assert.deepEqual(
    ofRun.map((one) => [one.id, one.event]),
    ofJob.map((one) => [one.id, one.event]),
  )
  const states = (events: readonly SentEvent[]) =>
    events.filter(({ event }) => event === 'state').map(({ data }) => data.state)
  assert.deepEqual([...new Set(states(ofRun))], ['queued', 'preparing', 'running', 'cancelled'])
  assert.deepEqual([...new Set(states(ofJob))], ['queued', 'running', 'cancelled'])
})

test('a training process that hangs is ended, and the run is resumed from its checkpoint', async (t) => {
  const { folders, home, call, train, job, run, until, limits } = await withRun(t)
  const { id } = await train(12)
  await until(id, ({ event }) => event === 'epoch')
  // From its next sign of life on it has half a second; then it is stopped as a process that hangs is.
  limits.stallLimitMs = 500
  const noted = await readFile(
    join(workFolder({ dataDir: folders.dataDir }, id), 'process.json'),
    'utf8',
  )
  let batches = 0
  await until(id, ({ event, data }) => {
    if (event === 'batch') batches += 1
    return batches === 3 || data.state === 'interrupted'
  })
  try {
    process.kill((JSON.parse(noted) as { pid: number }).pid, 'SIGSTOP')
  } catch {
    // On a busy machine it was slower than that already, and has been ended.
  }
  await home.jobs.whenIdle()
  const hung = await run(id)
  assert.equal(hung.state, 'interrupted')
  assert.match(
    hung.reason ?? '',
    /It made no progress for 0\.5 seconds and was ended.*last checkpoint/,
  )
  assert.deepEqual([(await job(id)).state, (await job(id)).endedAt], ['interrupted', null])

  limits.stallLimitMs = 600_000
  assert.equal((await call(`/api/v1/runs/${id}/resume`, { method: 'POST' })).status, 200)
  await home.jobs.whenIdle()
  const ended = await run(id)
  assert.equal(ended.state, 'finished', ended.reason ?? '')
  assert.deepEqual([ended.attempts, ended.version], [2, 'spots/tiny-cnn-quick@1'])
  assert.deepEqual(
    ended.progress.history.map(({ epoch }) => epoch),
    Array.from({ length: ended.progress.history.length }, (_, k) => k + 1),
  )
  assert.equal((await job(id)).state, 'finished')
})
