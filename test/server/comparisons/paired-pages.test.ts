// Two versions on many images by page: begun by a form, kept line by line, with the images on which they differ.
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { sqliteJobStore } from '../../../src/registry/jobs/sqlite-job-store.ts'
import {
  addPairedEntry,
  getPairedJob,
  insertPairedJob,
  listPairedEntries,
} from '../../../src/registry/paired/paired-jobs.ts'
import { image } from '../../inference/tiny-package.ts'
import {
  homeFolders,
  imageForm,
  jsonBody,
  jsonOf,
  openedHome,
  storePackage,
} from '../../support/home.ts'
import { ANNA } from '../../support/registry.ts'
import { sentEvents } from '../../support/sse.ts'

const IMAGES = 24
const HTML = { accept: 'text/html' }

async function withSet(t: TestContext) {
  const folders = await homeFolders(t)
  const a = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const b = await storePackage(folders, { seed: 2, accuracy: 0.9 })
  for (let seed = 1; seed <= IMAGES; seed++) {
    const label = seed % 2 ? 'normal' : 'PNEUMONIA'
    const dir = join(folders.env.ROENTGEN_DATASETS ?? '', 'chest', label)
    await mkdir(dir, { recursive: true })
    await writeFile(join(dir, `${seed}.png`), await image(seed))
  }
  const opened = await openedHome(folders)
  const begin = (fields: Record<string, string>) =>
    opened.call('/ab', { method: 'POST', headers: HTML, body: new URLSearchParams(fields) })
  const jobOf = (response: Response): string =>
    /^\/ab\/(ab_[\w-]+)$/.exec(response.headers.get('location') ?? '')?.[1] ?? ''
  const page = async (path: string): Promise<string> =>
    (await opened.call(path, { headers: HTML })).text()
  return { ...opened, folders, a, b, begin, jobOf, page }
}

test('a folder is compared as a job, with figures, the images on which they differ, and tables', async (t) => {
  const { home, call, a, b, begin, jobOf, page } = await withSet(t)
  const begun = await begin({ a: a.id, b: b.id, folder: 'chest' })
  assert.equal(begun.status, 303)
  const id = jobOf(begun)
  await home.jobs.whenIdle()
  const job = await getPairedJob(home.db, id)
  assert.deepEqual([job.state, job.done, job.total, job.split], ['finished', IMAGES, IMAGES, 'all'])
  assert.equal(job.summary?.truth.n, IMAGES)
  const different = await listPairedEntries(home.db, { job: id, limit: 100, onlyDifferent: true })
  assert.ok(different.length > 0, 'the two must differ somewhere, or the page shows nothing')
  assert.equal(different.length, IMAGES - (job.summary?.agreeing ?? 0))

  const shown = await page(`/ab/${id}`)
  assert.match(shown, /McNemar/)
  assert.match(shown, /DeLong p/)
  const pictures = [...shown.matchAll(/src="(\/ab\/[^"]+\/images\/\d+)"/g)].map((match) => match[1])
  assert.equal(pictures.length, different.length)
  const picture = await call(pictures[0] ?? '')
  assert.match(picture.headers.get('content-type') ?? '', /^image\//)
  const lines = async (query: string) =>
    (await page(`/ab/${id}/table.csv${query}`)).trim().split('\r\n').length - 1
  assert.equal(await lines(''), IMAGES)
  assert.equal(await lines('?only=different'), different.length)
  assert.match(await page('/ab'), /tiny@1 and tiny@2/)

  const remove = await call(`/ab/${id}/delete`, { method: 'POST', headers: HTML })
  assert.equal(remove.status, 303)
  assert.equal((await call(`/ab/${id}`)).status, 404)
  assert.deepEqual(await listPairedEntries(home.db, { job: id, limit: 10 }), [])
})

test('of a prepared dataset the test images are read, which training did not see', async (t) => {
  const { home, call, a, b, begin, jobOf } = await withSet(t)
  const scanned = await jsonOf<{ id: string }>(
    await call('/api/v1/datasets/scan', jsonBody({ path: 'chest' })),
  )
  const wishes = jsonBody({ condition: 'pneumonia', imageSize: 32 })
  assert.equal((await call(`/api/v1/datasets/${scanned.id}/prepare`, wishes)).status, 200)
  const id = jobOf(await begin({ a: a.id, b: b.id, folder: 'chest' }))
  await home.jobs.whenIdle()
  const job = await getPairedJob(home.db, id)
  assert.equal(job.split, 'test')
  assert.ok(
    job.total > 0 && job.total < IMAGES / 2,
    `${job.total} of ${IMAGES} are the test images`,
  )
  assert.equal(job.summary?.truth.n, job.total)
  const train = jobOf(await begin({ a: a.id, b: b.id, folder: scanned.id, split: 'train' }))
  await home.jobs.whenIdle()
  assert.ok((await getPairedJob(home.db, train)).total > job.total)
})

test('what a version read before is read again by another as a job', async (t) => {
  const { home, call, a, b, begin, jobOf, page } = await withSet(t)
  assert.equal((await begin({ a: a.id, b: b.id, kind: 'reread' })).status, 409)
  for (const seed of [1, 2, 3]) {
    const form = imageForm({ image: await image(seed), condition: 'pneumonia', version: a.id })
    assert.equal((await call('/api/v1/predict', { method: 'POST', body: form })).status, 200)
  }
  const id = jobOf(await begin({ a: a.id, b: b.id, kind: 'reread', limit: '2' }))
  await home.jobs.whenIdle()
  const job = await getPairedJob(home.db, id)
  assert.deepEqual([job.kind, job.state, job.done, job.folder], ['reread', 'finished', 2, null])
  assert.match(await page(`/ab/${id}`), /Predictions of tiny@1, re-run with tiny@2/)
  const [first] = await listPairedEntries(home.db, { job: id, limit: 1 })
  assert.equal((await call(`/ab/${id}/images/1`)).status, 200)
  await call(`/api/v1/predictions/${first?.image}`, { method: 'DELETE' })
  assert.equal((await call(`/ab/${id}/images/1`)).status, 404, 'a forgotten image is not shown')
})

test('what cannot be compared is refused on the page, and what has ended cannot be stopped', async (t) => {
  const { home, call, a, b, begin, jobOf } = await withSet(t)
  const refused = async (fields: Record<string, string>, status: number, words: RegExp) => {
    const response = await begin(fields)
    assert.equal(response.status, status)
    assert.match(await response.text(), words)
  }
  await refused({ a: a.id, b: a.id, folder: 'chest' }, 409, /two different versions/)
  await refused({ a: a.id, b: 'pneumonia/tiny@9', folder: 'chest' }, 404, /no version/)
  await refused({ a: a.id, b: b.id, folder: '../chest' }, 422, /(inside|in) the dataset folder/)
  await refused({ a: a.id, b: b.id, folder: 'nowhere' }, 404, /no folder/)
  await refused({ a: a.id, b: b.id, folder: 'chest', split: 'half' }, 422, /must be one of/)
  await refused({ a: a.id, b: b.id, folder: 'chest', split: 'test' }, 409, /no image in the split/)
  await refused({ a: a.id, b: b.id, kind: 'reread', limit: '0' }, 422, /whole number/)
  await refused({ a: 'nothing', b: b.id, folder: 'chest' }, 404, /not a version/)
  assert.equal((await call('/ab/ab_nothing')).status, 404)
  const again = await begin({ a: a.id, b: b.id, folder: 'chest' })
  const id = jobOf(again)
  await home.jobs.whenIdle()
  assert.equal((await call(`/ab/${id}/stop`, { method: 'POST' })).status, 409)
})

test('a comparison goes on behind its last line after a restart in its midst', async (t) => {
  const { home, call, folders, a, b, begin, jobOf, page } = await withSet(t)
  const whole = jobOf(await begin({ a: a.id, b: b.id, folder: 'chest' }))
  await home.jobs.whenIdle()
  const lines = await listPairedEntries(home.db, { job: whole, limit: 100 })

  // As a killed server leaves it: running, with the first ten lines.
  const id = 'ab_half'
  const rest = { kind: 'folder', condition: 'pneumonia', folder: 'chest', split: 'all' } as const
  await insertPairedJob(home.db, { id, ...rest, a: a.id, b: b.id })
  const store = sqliteJobStore(home.db)
  const at = home.clock().toISOString()
  await store.add([{ id, kind: 'comparison', subject: null, input: {}, at, dueAt: at, ...ANNA }])
  await store.claim({ kinds: ['comparison'], at, ids: [id] })
  for (const { n, ...entry } of lines.slice(0, 10)) {
    await addPairedEntry(home.db, { job: id, n, entry })
  }
  assert.equal((await call(`/ab/${id}/delete`, { method: 'POST' })).status, 409)
  assert.match(await page(`/ab/${id}`), /hx-trigger="every 2s"/)
  folders.closing.pop()
  await home.close()

  const again = await openedHome(folders)
  await again.home.jobs.whenIdle()
  const job = await getPairedJob(again.home.db, id)
  assert.deepEqual([job.state, job.done, job.total], ['finished', IMAGES, IMAGES])
  assert.equal((await again.home.jobs.get(id)).attempt, 2)
  assert.deepEqual(await listPairedEntries(again.home.db, { job: id, limit: 100 }), lines)
  assert.deepEqual(job.summary, (await getPairedJob(again.home.db, whole)).summary)
})

test('a comparison that is stopped in its midst keeps its lines and says so', async (t) => {
  const { home, call, a, b, begin, jobOf, page } = await withSet(t)
  const id = jobOf(await begin({ a: a.id, b: b.id, folder: 'chest' }))
  for await (const { event } of sentEvents(await call(`/api/v1/jobs/${id}/events`))) {
    if (event === 'progress') break
  }
  assert.equal((await call(`/ab/${id}/stop`, { method: 'POST' })).status, 303)
  const job = await getPairedJob(home.db, id)
  assert.deepEqual([job.state, job.reason, job.summary], ['cancelled', 'Cancelled by user.', null])
  assert.ok(job.done < IMAGES)
  assert.match(await page(`/ab/${id}`), /Cancelled by user/)
  assert.match(await page('/ab'), new RegExp(`${job.done} of ${IMAGES}`))
})
