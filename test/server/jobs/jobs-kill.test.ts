// A server that is killed in the midst of jobs: each is afterwards what its kind declares.
import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import type { JobJson } from '../../../src/server/jobs/job-json.ts'
import { image } from '../../inference/tiny-package.ts'
import {
  type Folders,
  homeFolders,
  servedHome,
  storePackage,
  untilReady,
} from '../../support/home.ts'
import { sentEvents } from '../../support/sse.ts'

const IMAGES = 120

async function chest(folders: Folders): Promise<void> {
  for (let seed = 1; seed <= IMAGES; seed++) {
    const label = seed % 2 ? 'normal' : 'pneumonia'
    const dir = join(folders.env.ROENTGEN_DATASETS ?? '', 'chest', label)
    await mkdir(dir, { recursive: true })
    await writeFile(join(dir, `${seed}.png`), await image(seed))
  }
}

async function newestJob(url: string): Promise<JobJson> {
  const { items } = (await (await fetch(`${url}/api/v1/jobs`)).json()) as { items: JobJson[] }
  assert.ok(items[0])
  return items[0]
}

/** Until the job has progressed this time. */
async function untilUnderWay(url: string, id: string): Promise<void> {
  for await (const { event } of sentEvents(await fetch(`${url}/api/v1/jobs/${id}/events`))) {
    if (event === 'progress') return
  }
}

async function untilEnd(url: string, id: string): Promise<JobJson> {
  for await (const _ of sentEvents(await fetch(`${url}/api/v1/jobs/${id}/events`)));
  return (await (await fetch(`${url}/api/v1/jobs/${id}`)).json()) as JobJson
}

async function post(url: string, fields: Record<string, string>): Promise<void> {
  const body = new URLSearchParams(fields)
  const response = await fetch(url, { method: 'POST', body, redirect: 'manual' })
  assert.equal(response.status, 303, await response.text())
}

test('an evaluation in whose midst the server is killed begins again and ends', async (t) => {
  const folders = await homeFolders(t)
  await storePackage(folders, { seed: 1 })
  await chest(folders)
  const first = await servedHome(folders)
  await untilReady(first.url)
  await post(`${first.url}/models/pneumonia/tiny/1/evaluations`, { dataset: 'chest' })
  const { id } = await newestJob(first.url)
  await untilUnderWay(first.url, id)
  await first.kill()
  const second = await servedHome(folders)
  const job = await untilEnd(second.url, id)
  assert.deepEqual([job.state, job.attempt], ['finished', 2])
  const { items } = (await (
    await fetch(`${second.url}/api/v1/versions/pneumonia/tiny/1/evaluations`)
  ).json()) as { items: { metrics: { n: number } }[] }
  assert.deepEqual(
    items.map(({ metrics }) => metrics.n),
    [IMAGES],
  )
})

test('a comparison in whose midst the server is killed goes on behind its last line', async (t) => {
  const folders = await homeFolders(t)
  const a = await storePackage(folders, { seed: 1 })
  const b = await storePackage(folders, { seed: 2 })
  await chest(folders)
  const first = await servedHome(folders)
  await untilReady(first.url)
  await post(`${first.url}/ab`, { a: a.id, b: b.id, folder: 'chest' })
  const { id } = await newestJob(first.url)
  await untilUnderWay(first.url, id)
  await first.kill()
  const second = await servedHome(folders)
  const job = await untilEnd(second.url, id)
  assert.deepEqual([job.state, job.attempt], ['finished', 2])
  assert.deepEqual(job.progress, { done: IMAGES, total: IMAGES, unit: 'images' })
  const table = await (await fetch(`${second.url}/ab/${id}/table.csv`)).text()
  const names = table.trim().split('\r\n').slice(1)
  assert.equal(new Set(names.map((line) => line.split(',')[0])).size, IMAGES, 'each image once')
  assert.equal(names.length, IMAGES)
})

test('a batch in whose midst the server is killed is over, and no name of a file is on the disk', async (t) => {
  const folders = await homeFolders(t)
  const { id: version } = await storePackage(folders, { seed: 1 })
  const first = await servedHome(folders)
  await untilReady(first.url)
  const form = new FormData()
  form.set('condition', 'pneumonia')
  form.set('version', version)
  for (let seed = 1; seed <= IMAGES; seed++) {
    form.append('image', new Blob([Uint8Array.from(await image(seed))]), `MUELLER^ANNA-${seed}.png`)
  }
  const begun = await fetch(`${first.url}/batch`, {
    ...{ method: 'POST', body: form, redirect: 'manual' },
  })
  assert.equal(begun.status, 303)
  const { id, kind, links } = await newestJob(first.url)
  assert.deepEqual([kind, links.page], ['batch', `/batch/${id}`])
  assert.equal(begun.headers.get('location'), `/batch/${id}`)
  await untilUnderWay(first.url, id)
  await first.kill()
  for (const name of await readdir(folders.dataDir)) {
    if (!name.startsWith('roentgen.sqlite')) continue
    const bytes = await readFile(join(folders.dataDir, name))
    assert.equal(bytes.includes('MUELLER'), false, name)
  }
  const second = await servedHome(folders)
  const job = await untilEnd(second.url, id)
  assert.equal(job.state, 'interrupted')
  assert.match(job.reason ?? '', /^The server stopped during the job\. Names of files are not kept/)
  assert.ok(job.endedAt)
  assert.deepEqual([job.links.page, job.links.cancel], [null, null])
  assert.equal((await fetch(`${second.url}/batch/${id}`)).status, 404)
  const cancel = await fetch(`${second.url}/api/v1/jobs/${id}/cancel`, { method: 'POST' })
  assert.equal(cancel.status, 409)
})

test('a scan in whose midst the server is killed begins again and ends', async (t) => {
  const folders = await homeFolders(t)
  const dir = join(folders.env.ROENTGEN_DATASETS ?? '', 'many', 'normal')
  await mkdir(dir, { recursive: true })
  const bytes = await image(1)
  for (let n = 1; n <= 1500; n++) await writeFile(join(dir, `${n}.png`), bytes)
  const first = await servedHome(folders)
  await untilReady(first.url)
  await post(`${first.url}/datasets/scan`, { path: 'many' })
  const { id, kind, subject, owner } = await newestJob(first.url)
  assert.deepEqual([kind, subject?.type, owner !== ''], ['dataset-scan', 'dataset', true])
  await untilUnderWay(first.url, id)
  await first.kill()
  const second = await servedHome(folders)
  const job = await untilEnd(second.url, id)
  assert.deepEqual([job.state, job.attempt], ['finished', 2])
  const dataset = (await (await fetch(`${second.url}/api/v1/datasets/${subject?.id}`)).json()) as {
    state: string
    reason: string | null
    scan: { images: number }
  }
  assert.deepEqual([dataset.state, dataset.reason, dataset.scan.images], ['scanned', null, 1500])
})
