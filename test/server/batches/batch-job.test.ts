// A batch of a page as a job: cancelled in its midst, and ended with the server.
import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { image } from '../../inference/tiny-package.ts'
import { homeFolders, openedHome, storePackage } from '../../support/home.ts'
import { sentEvents } from '../../support/sse.ts'

const IMAGES = 40

async function underWay(t: TestContext) {
  const folders = await homeFolders(t)
  const { id: version } = await storePackage(folders, { seed: 1 })
  const opened = await openedHome(folders)
  const form = new FormData()
  form.set('condition', 'pneumonia')
  form.set('version', version)
  for (let seed = 1; seed <= IMAGES; seed++) {
    form.append('image', new Blob([Uint8Array.from(await image(seed))]), `${seed}.png`)
  }
  const begun = await opened.call('/batch', { method: 'POST', body: form })
  assert.equal(begun.status, 303)
  const id = begun.headers.get('location')?.split('/').at(-1) ?? ''
  for await (const { event } of sentEvents(await opened.call(`/api/v1/jobs/${id}/events`))) {
    if (event === 'progress') break
  }
  return { ...opened, folders, id }
}

test('a batch that is cancelled in its midst keeps the rows that are there, and its page ends', async (t) => {
  const { home, call, id } = await underWay(t)
  const page = call(`/batch/${id}`, { headers: { accept: 'text/html' } }).then((one) => one.text())
  assert.equal((await call(`/api/v1/jobs/${id}/cancel`, { method: 'POST' })).status, 200)
  const { state, progress } = await home.jobs.get(id)
  assert.equal(state, 'cancelled')
  const done = progress?.done ?? 0
  assert.ok(done > 0 && done < IMAGES)
  const rows = (await page).match(/class="file-name"/g)?.length
  assert.equal(rows, done)
  const csv = await (await call(`/batch/${id}/results.csv`)).text()
  assert.equal(csv.trim().split('\r\n').length, done + 1)
})

test('a server that ends in the midst of a batch waits for no more than one image of it', async (t) => {
  const { home, folders, id } = await underWay(t)
  folders.closing.pop()
  await home.close()
  const again = await openedHome(folders)
  const { state, reason, endedAt, progress } = await again.home.jobs.get(id)
  assert.equal(state, 'interrupted')
  assert.match(reason ?? '', /^The server was stopped during the job\. Names of files are not kept/)
  assert.ok(endedAt && progress && progress.done < IMAGES)
})
