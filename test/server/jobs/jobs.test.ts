// /api/v1/jobs and the page of jobs: one shape, filters, events, cancelling, and what is refused.
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { z } from 'zod'
import type { JobJson } from '../../../src/server/jobs/job-json.ts'
import { JobSchema } from '../../../src/server/jobs/schema.ts'
import { image } from '../../inference/tiny-package.ts'
import { type Folders, homeFolders, jsonOf, openedHome, storePackage } from '../../support/home.ts'
import { sentEvents } from '../../support/sse.ts'

const PageSchema = z.strictObject({ items: z.array(JobSchema), nextCursor: z.string().nullable() })
const HTML = { accept: 'text/html' }

async function labelled(folders: Folders, count: number): Promise<void> {
  for (let seed = 1; seed <= count; seed++) {
    const label = seed % 2 ? 'normal' : 'pneumonia'
    const dir = join(folders.env.ROENTGEN_DATASETS ?? '', 'chest', label)
    await mkdir(dir, { recursive: true })
    await writeFile(join(dir, `${seed}.png`), await image(seed))
  }
}

async function withImages(t: TestContext, count = 24) {
  const folders = await homeFolders(t)
  const { id: version } = await storePackage(folders, { seed: 1 })
  await labelled(folders, count)
  const opened = await openedHome(folders)
  const evaluate = async (): Promise<JobJson> => {
    const body = new URLSearchParams({ dataset: 'chest' })
    const begun = await opened.call('/models/pneumonia/tiny/1/evaluations', {
      ...{ method: 'POST', headers: HTML, body },
    })
    assert.equal(begun.status, 303)
    const [job] = PageSchema.parse(await jsonOf(await opened.call('/api/v1/jobs'))).items
    assert.ok(job)
    return job
  }
  return { ...opened, folders, version, evaluate }
}

test('an evaluation is a job with state, progress, owner, subject and links', async (t) => {
  const { home, call, version, evaluate } = await withImages(t)
  const { id } = await evaluate()
  await home.jobs.whenIdle()
  const job = JobSchema.parse(await jsonOf(await call(`/api/v1/jobs/${id}`)))
  assert.deepEqual(
    [job.kind, job.state, job.reason, job.attempt, job.subject],
    ['evaluation', 'finished', null, 1, { type: 'version', id: version }],
  )
  assert.deepEqual(job.progress, { done: 24, total: 24, unit: 'images' })
  assert.deepEqual(job.links, {
    self: `/api/v1/jobs/${id}`,
    events: `/api/v1/jobs/${id}/events`,
    cancel: null,
    page: '/models/pneumonia/tiny/1#evaluations',
  })
  const page = async (query: string) =>
    PageSchema.parse(await jsonOf(await call(`/api/v1/jobs${query}`))).items.map((one) => one.id)
  assert.deepEqual(await page('?kind=evaluation&state=finished'), [id])
  assert.deepEqual(await page('?state=running'), [])
  const shown = await (await call('/status/jobs?kind=evaluation', { headers: HTML })).text()
  assert.match(shown, /Evaluation<\/a>/)
  assert.match(shown, /24 of 24 images/)
  assert.doesNotMatch(shown, /hx-trigger="every/, 'nothing is open, so the page rests')
})

test('a job is cancelled in its midst by program and by page, and nothing of it is kept', async (t) => {
  const { home, call, evaluate } = await withImages(t, 60)
  for (const path of [
    (id: string) => `/api/v1/jobs/${id}/cancel`,
    (id: string) => `/status/jobs/${id}/cancel`,
  ]) {
    const { id, links } = await evaluate()
    assert.equal(links.cancel, `/api/v1/jobs/${id}/cancel`)
    for await (const { event } of sentEvents(await call(`/api/v1/jobs/${id}/events`))) {
      if (event === 'progress') break
    }
    const cancelled = await call(path(id), { method: 'POST' })
    assert.ok([200, 303].includes(cancelled.status))
    const job = JobSchema.parse(await jsonOf(await call(`/api/v1/jobs/${id}`)))
    assert.deepEqual([job.state, job.reason], ['cancelled', 'Cancelled by user.'])
    assert.ok(job.progress && job.progress.done < 60)
    assert.equal((await call(path(id), { method: 'POST' })).status, 409)
  }
  const { items } = await jsonOf<{ items: unknown[] }>(
    await call('/api/v1/versions/pneumonia/tiny/1/evaluations'),
  )
  assert.deepEqual(items, [])
  await home.jobs.whenIdle()
})

test('events come with ids, from the start or behind the last that was seen, until the end', async (t) => {
  const { home, call, evaluate } = await withImages(t)
  const { id } = await evaluate()
  const events = []
  for await (const event of sentEvents(await call(`/api/v1/jobs/${id}/events`))) events.push(event)
  const kept = events.filter((one) => /^\d+$/.test(one.id))
  assert.deepEqual(
    kept.map((one) => [one.id, one.event, one.data.state]),
    [
      ['1', 'state', 'queued'],
      ['2', 'state', 'running'],
      ['3', 'state', 'finished'],
    ],
  )
  await home.jobs.whenIdle()
  const behind = async (init: RequestInit, query = '') => {
    const ids = []
    const response = await call(`/api/v1/jobs/${id}/events${query}`, init)
    for await (const event of sentEvents(response)) ids.push(event.id)
    return { status: response.status, ids }
  }
  assert.deepEqual(await behind({ headers: { 'last-event-id': '2' } }), { status: 200, ids: ['3'] })
  assert.deepEqual(await behind({}, '?lastEventId=1.9'), { status: 200, ids: ['2', '3'] })
  assert.deepEqual(await behind({ headers: { 'last-event-id': '3' } }), { status: 204, ids: [] })
  assert.deepEqual((await behind({ headers: { 'last-event-id': 'x' } })).ids, ['1', '2', '3'])
})

test('what is asked wrongly of jobs is refused with a code and changes nothing', async (t) => {
  const { call, home, evaluate } = await withImages(t)
  const { id } = await evaluate()
  await home.jobs.whenIdle()
  const before = await jsonOf(await call(`/api/v1/jobs/${id}`))
  for (const [path, method, status, code] of [
    ['/api/v1/jobs?kind=nonsense', 'GET', 422, 'invalid'],
    ['/api/v1/jobs?state=half', 'GET', 422, 'invalid'],
    ['/api/v1/jobs?limit=0', 'GET', 422, 'invalid'],
    ['/api/v1/jobs?limit=1.5', 'GET', 422, 'invalid'],
    ['/api/v1/jobs?cursor=nonsense', 'GET', 422, 'invalid'],
    ['/api/v1/jobs/none', 'GET', 404, 'unknown-job'],
    ['/api/v1/jobs/none/events', 'GET', 404, 'unknown-job'],
    ['/api/v1/jobs/none/cancel', 'POST', 404, 'unknown-job'],
    [`/api/v1/jobs/${id}/cancel`, 'POST', 409, 'conflict'],
    [`/api/v1/jobs/${id}/cancel`, 'GET', 405, 'method-not-allowed'],
    ['/status/jobs?kind=nonsense', 'GET', 422, 'invalid'],
    ['/status/jobs/none/cancel', 'POST', 404, 'unknown-job'],
  ] as const) {
    const response = await call(path, { method })
    assert.equal(response.status, status, path)
    assert.equal((await jsonOf(response)).code, code, path)
  }
  assert.deepEqual(await jsonOf(await call(`/api/v1/jobs/${id}`)), before)
})
