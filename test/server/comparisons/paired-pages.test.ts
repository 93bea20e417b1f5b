// Two versions on many images by page: begun by a form, kept line by line, with the images on which they differ.
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import {
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
  await home.tasks.whenIdle()
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
  await home.tasks.whenIdle()
  const job = await getPairedJob(home.db, id)
  assert.equal(job.split, 'test')
  assert.ok(
    job.total > 0 && job.total < IMAGES / 2,
    `${job.total} of ${IMAGES} are the test images`,
  )
  assert.equal(job.summary?.truth.n, job.total)
  const train = jobOf(await begin({ a: a.id, b: b.id, folder: scanned.id, split: 'train' }))
  await home.tasks.whenIdle()
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
  await home.tasks.whenIdle()
  const job = await getPairedJob(home.db, id)
  assert.deepEqual([job.kind, job.state, job.done, job.folder], ['reread', 'finished', 2, null])
  assert.match(await page(`/ab/${id}`), /What tiny@1 read, read again with tiny@2/)
  const [first] = await listPairedEntries(home.db, { job: id, limit: 1 })
  assert.equal((await call(`/ab/${id}/images/1`)).status, 200)
  await call(`/api/v1/predictions/${first?.image}`, { method: 'DELETE' })
  assert.equal((await call(`/ab/${id}/images/1`)).status, 404, 'a forgotten image is not shown')
})

test('what cannot be compared is refused on the page, and a lost job says so', async (t) => {
  const { home, call, folders, a, b, begin, page } = await withSet(t)
  const refused = async (fields: Record<string, string>, status: number, words: RegExp) => {
    const response = await begin(fields)
    assert.equal(response.status, status)
    assert.match(await response.text(), words)
  }
  await refused({ a: a.id, b: a.id, folder: 'chest' }, 409, /two different versions/)
  await refused({ a: a.id, b: 'pneumonia/tiny@9', folder: 'chest' }, 404, /no version/)
  await refused({ a: a.id, b: b.id, folder: '../chest' }, 422, /below the data root/)
  await refused({ a: a.id, b: b.id, folder: 'nowhere' }, 404, /no folder/)
  await refused({ a: a.id, b: b.id, folder: 'chest', split: 'half' }, 422, /must be one of/)
  await refused({ a: a.id, b: b.id, folder: 'chest', split: 'test' }, 409, /no image in the split/)
  await refused({ a: a.id, b: b.id, kind: 'reread', limit: '0' }, 422, /whole number/)
  await refused({ a: 'nothing', b: b.id, folder: 'chest' }, 404, /not a version/)
  assert.equal((await call('/ab/ab_nothing')).status, 404)
  const job = { kind: 'folder', condition: 'pneumonia', a: a.id, b: b.id } as const
  const id = await insertPairedJob(home.db, {
    job: { ...job, folder: 'chest', split: 'all', total: 5 },
    actor: ANNA,
    clock: home.clock,
  })
  assert.equal((await call(`/ab/${id}/delete`, { method: 'POST' })).status, 409)
  assert.match(await page(`/ab/${id}`), /hx-trigger="every 2s"/)
  folders.closing.pop()
  await home.close()
  const again = await openedHome(folders)
  const lost = await getPairedJob(again.home.db, id)
  assert.deepEqual([lost.state, lost.reason], ['ended', 'Roentgen was stopped while it ran.'])
  assert.equal((await again.call(`/ab/${id}/stop`, { method: 'POST' })).status, 409)
})
