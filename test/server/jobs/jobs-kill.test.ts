// A server that is killed in the midst of jobs: each is afterwards what its kind declares.
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
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
