// Scans and preparations as jobs: one at a time for a dataset, cancelled in their midst, begun again after a restart.
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { getDataset } from '../../src/registry/runs/datasets.ts'
import { image } from '../inference/tiny-package.ts'
import { homeFolders, jsonBody, jsonOf, openedHome } from '../support/home.ts'
import { sentEvents } from '../support/sse.ts'

const FILES = 600

async function withFiles(t: TestContext) {
  const folders = await homeFolders(t)
  for (const [label, seed] of [
    ['normal', 1],
    ['pneumonia', 2],
  ] as const) {
    const dir = join(folders.env.ROENTGEN_DATASETS ?? '', 'chest', label)
    await mkdir(dir, { recursive: true })
    const bytes = await image(seed)
    for (let n = 1; n <= FILES / 2; n++) await writeFile(join(dir, `${n}.png`), bytes)
  }
  const opened = await openedHome(folders)
  const begun = async (path: string, fields: Record<string, string> = {}) => {
    const response = await opened.call(path, { method: 'POST', body: new URLSearchParams(fields) })
    assert.equal(response.status, 303, await response.text())
    const [job] = (await opened.home.jobs.list({ limit: 1 })).items
    assert.ok(job)
    return job
  }
  const underWay = async (id: string) => {
    for await (const { event } of sentEvents(await opened.call(`/api/v1/jobs/${id}/events`))) {
      if (event === 'progress') return
    }
  }
  return { ...opened, folders, begun, underWay }
}

test('a scan that is cancelled leaves the dataset as it was, and it can be scanned again', async (t) => {
  const { home, call, begun, underWay } = await withFiles(t)
  const { id, subject } = await begun('/datasets/scan', { path: 'chest' })
  await underWay(id)
  const second = await call('/api/v1/datasets/scan', jsonBody({ path: 'chest' }))
  assert.equal(second.status, 409, 'one job a dataset')
  assert.equal((await call(`/api/v1/jobs/${id}/cancel`, { method: 'POST' })).status, 200)
  const { state, reason, scan } = await getDataset(home.db, subject?.id ?? '')
  assert.deepEqual([state, reason, scan], ['failed', 'Cancelled by user.', null])
  const again = await jsonOf<{ state: string; reason: null; progress: null }>(
    await call('/api/v1/datasets/scan', jsonBody({ path: 'chest' })),
  )
  assert.deepEqual([again.state, again.reason, again.progress], ['scanned', null, null])
})

test('a preparation is cancelled in its midst, and goes on by itself after a restart in its midst', async (t) => {
  const { home, call, folders, begun, underWay } = await withFiles(t)
  const { id: dataset } = await jsonOf<{ id: string }>(
    await call('/api/v1/datasets/scan', jsonBody({ path: 'chest' })),
  )
  const cancelled = await begun(`/datasets/${dataset}/prepare`, { imageSize: '512' })
  assert.deepEqual([cancelled.kind, cancelled.subject?.id], ['dataset-preparation', dataset])
  await underWay(cancelled.id)
  await home.jobs.cancel(cancelled.id)
  const { state, reason } = await getDataset(home.db, dataset)
  assert.deepEqual([state, reason], ['scanned', 'Cancelled by user.'])

  const { id } = await begun(`/datasets/${dataset}/prepare`, { imageSize: '32' })
  await underWay(id)
  folders.closing.pop()
  await home.close()
  const again = await openedHome(folders)
  await again.home.jobs.whenIdle()
  const job = await again.home.jobs.get(id)
  assert.equal(job.state, 'finished', job.reason ?? '')
  const prepared = await getDataset(again.home.db, dataset)
  assert.equal(prepared.state, 'prepared')
  assert.equal(prepared.prepared?.imageSize, 32)
})
