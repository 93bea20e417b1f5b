// All uploads together, against a real server: what breaks off leaves nothing, what is too much together is refused for a
// while, and memory does not grow with the number of senders.
import assert from 'node:assert/strict'
import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import test from 'node:test'
import { gzipSync } from 'node:zlib'
import { sweepStaging } from '../../src/app/sweep-staging.ts'
import { UploadBudget } from '../../src/app/upload-budget.ts'
import { bodyOf } from '../../src/server/http/request-body.ts'
import {
  homeFolders,
  imageForm,
  jsonOf,
  openedHome,
  servedHome,
  storePackage,
  untilReady,
} from '../support/home.ts'

const MIB = 1024 * 1024
const ABORTED = 500

const KINDS = [
  { path: '/api/v1/predict', field: 'image' },
  { path: '/api/v1/versions/import', field: 'package' },
  { path: '/api/v1/batch', field: 'image' },
  { path: '/dicomweb/studies', field: undefined },
] as const

function headOf(field: string | undefined): { type: string; head: Buffer } {
  const type = field
    ? 'multipart/form-data; boundary=X'
    : 'multipart/related; type="application/dicom"; boundary=X'
  const disposition = field
    ? `Content-Disposition: form-data; name="${field}"; filename="a.bin"\r\n`
    : 'Content-Type: application/dicom\r\n'
  return { type, head: Buffer.from(`--X\r\n${disposition}\r\n`) }
}

/** Sends so much of an upload that it lies on the disk, and hangs up in the middle of it. */
async function breakOff(url: string, kind: (typeof KINDS)[number]): Promise<void> {
  const { type, head } = headOf(kind.field)
  const request = httpRequest(new URL(kind.path, url), {
    method: 'POST',
    headers: { 'content-type': type },
    agent: false,
  })
  request.on('error', () => {})
  const closed = new Promise((resolve) => request.once('close', resolve))
  await new Promise((resolve) =>
    request.write(Buffer.concat([head, Buffer.alloc(1.5 * MIB)]), resolve),
  )
  request.destroy()
  await closed
}

async function descriptorsOf(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length
}

test(`${ABORTED} broken-off uploads of four kinds leave no file and no descriptor`, {
  skip: process.platform !== 'linux' && 'descriptors are counted in /proc',
}, async (t) => {
  const folders = await homeFolders(t)
  const env = { ...folders.env, ROENTGEN_DICOM_STOW: '1' }
  const { url, child } = await servedHome({ ...folders, env })
  await untilReady(url)
  const before = await descriptorsOf(child.pid ?? 0)
  for (let done = 0; done < ABORTED; done += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, i) => breakOff(url, KINDS[i % 4] ?? KINDS[0])))
  }
  const staging = join(folders.modelsDir, '.staging')
  const left = async (): Promise<number> =>
    (await readdir(staging)).length + Math.max(0, (await descriptorsOf(child.pid ?? 0)) - before)
  // The server learns of the last hang-ups in its own time: asked again until nothing is left, or it never is.
  for (let asked = 0; asked < 200 && (await left()) > 0; asked++) {
    await (await fetch(`${url}/healthz`, { headers: { connection: 'close' } })).text()
  }
  assert.deepEqual(await readdir(staging), [])
  assert.ok((await descriptorsOf(child.pid ?? 0)) <= before + 1)
})

test('more than all uploads may take together is refused with Retry-After, and fits again later', async (t) => {
  const folders = await homeFolders(t)
  const env = {
    ...folders.env,
    ROENTGEN_UPLOADS_MB: '3',
    ROENTGEN_MAX_UPLOAD_MB: '3',
    ROENTGEN_MAX_IMPORT_MB: '3',
  }
  const { url } = await servedHome({ ...folders, env })
  await untilReady(url)
  const { type, head } = headOf('package')
  const first = httpRequest(new URL('/api/v1/versions/import', url), {
    method: 'POST',
    headers: { 'content-type': type },
  })
  first.on('error', () => {})
  await new Promise((resolve) => first.write(Buffer.concat([head, Buffer.alloc(2 * MIB)]), resolve))
  const staging = join(folders.modelsDir, '.staging')
  while ((await sizesBelow(staging)) < 2 * MIB) await (await fetch(`${url}/healthz`)).text()
  const image = new Uint8Array(2 * MIB)
  const send = () =>
    fetch(`${url}/api/v1/predict`, {
      method: 'POST',
      body: imageForm({ image, condition: 'pneumonia' }),
    })
  const refused = await send()
  assert.equal(refused.status, 503)
  assert.ok(Number(refused.headers.get('retry-after')) > 0)
  assert.equal((await jsonOf<{ code: string }>(refused)).code, 'busy')
  first.destroy()
  while ((await readdir(staging)).length > 0) await (await fetch(`${url}/healthz`)).text()
  assert.equal((await send()).status, 404, 'it is read now, and the condition is not known')
})

async function sizesBelow(dir: string): Promise<number> {
  let size = 0
  for (const name of await readdir(dir)) {
    size += (await stat(join(dir, name)).catch(() => undefined))?.size ?? 0
  }
  return size
}

test('in memory uploads wait for each other in their order, one alone may be larger, and who leaves is forgotten', async () => {
  const budget = new UploadBudget({ maxBytes: 100, maxMemoryBytes: 10 })
  await budget.hold(25)
  assert.equal(budget.tryHold(1), false)
  const order: string[] = []
  const leaving = new AbortController()
  const left = budget.hold(9, { signal: leaving.signal })
  const second = budget.hold(6).then(() => order.push('second'))
  const third = budget.hold(6).then(() => order.push('third'))
  leaving.abort(new Error('gone'))
  await assert.rejects(left, /gone/)
  budget.letGo(25)
  await second
  assert.deepEqual(order, ['second'])
  budget.letGo(6)
  await third
  budget.letGo(6)
  assert.deepEqual(budget.usage, { bytes: 0, memoryBytes: 0, waiting: 0 })
  assert.throws(() => budget.take(101), { code: 'busy' })
})

test('who waits for memory too long is told to come again', async () => {
  const budget = new UploadBudget({ maxBytes: 100, maxMemoryBytes: 10, maxWaitMs: 1 })
  await budget.hold(10)
  await assert.rejects(budget.hold(1), { code: 'busy', retryAfterSeconds: 5 })
  budget.letGo(10)
  assert.equal(budget.usage.memoryBytes, 0)
})

test('a sender that falls silent in the middle of its body is let go', async () => {
  const body = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('{')) })
  const init = { method: 'POST', body, duplex: 'half' } as RequestInit
  const read = async (): Promise<void> => {
    for await (const _ of bodyOf(new Request('http://127.0.0.1/', init), { maxIdleMs: 5 }));
  }
  await assert.rejects(read(), { code: 'upload-stalled' })
})

test('a gzipped form is read like a plain one, its limits count what is inflated, and other compressions are refused', async (t) => {
  const folders = await homeFolders(t)
  await storePackage(folders, { seed: 1 })
  const { call } = await openedHome({
    ...folders,
    env: { ...folders.env, ROENTGEN_MAX_UPLOAD_MB: '1' },
  })
  const send = async (form: FormData, encoding: string): Promise<Response> => {
    const plain = new Request('http://127.0.0.1/', { method: 'POST', body: form })
    const type = plain.headers.get('content-type') ?? ''
    const body = gzipSync(Buffer.from(await plain.arrayBuffer()))
    return call('/api/v1/predict', {
      method: 'POST',
      body,
      headers: { 'content-type': type, 'content-encoding': encoding },
    })
  }
  const image = new Uint8Array(
    await readFile(new URL('../imaging/fixtures/gray.png', import.meta.url)).catch(() =>
      Buffer.from('no image'),
    ),
  )
  const read = await send(imageForm({ image, condition: 'pneumonia' }), 'gzip')
  assert.notEqual(read.status, 422, 'the fields were understood')
  assert.notEqual((await jsonOf<{ code: string }>(read)).code, 'condition-required')
  const bomb = await send(
    imageForm({ image: new Uint8Array(64 * MIB), condition: 'pneumonia' }),
    'gzip',
  )
  assert.equal(bomb.status, 413)
  assert.equal((await send(imageForm({ condition: 'pneumonia' }), 'br')).status, 415)
  const broken = await call('/api/v1/conditions', {
    method: 'POST',
    body: Buffer.from('{}'),
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
  })
  assert.equal(broken.status, 422)
})

test('what was left in the staging folder for a day is removed while the server runs, and nothing younger', async (t) => {
  const { home } = await openedHome(await homeFolders(t))
  const old = join(home.store.stagingDir, 'upload-old')
  await writeFile(old, 'x')
  await utimes(old, new Date(0), new Date(0))
  await writeFile(join(home.store.stagingDir, 'upload-new'), 'x')
  assert.deepEqual(await sweepStaging(home), ['upload-old'])
  assert.deepEqual(await readdir(home.store.stagingDir), ['upload-new'])
})

const SENDERS = 200
const SENT_BYTES = 60_000_000

/** Of the server and its children, bytes. */
async function memoryOf(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  let bytes = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024
  for (const child of children.split(' ').filter(Boolean)) bytes += await memoryOf(Number(child))
  return bytes
}

test(`${SENDERS} uploads of ${SENT_BYTES / 1e6} MB at once take at most 500 MB of memory`, {
  skip: process.env.ROENTGEN_SLOW_TESTS !== '1' && 'slow: ROENTGEN_SLOW_TESTS=1 runs it',
}, async (t) => {
  const folders = await homeFolders(t)
  await storePackage(folders, { seed: 1 })
  const env = { ...folders.env, ROENTGEN_UPLOADS_MB: process.env.UPLOADS_MB ?? '4096' }
  const { url, child } = await servedHome({ ...folders, env })
  await untilReady(url)
  const pid = child.pid ?? 0
  const idle = await memoryOf(pid)
  let peak = idle
  const watch = setInterval(async () => {
    peak = Math.max(peak, await memoryOf(pid))
  }, 50)
  t.after(() => clearInterval(watch))
  const { type, head } = headOf('image')
  const png = Buffer.from('89504e470d0a1a0a', 'hex')
  const chunk = Buffer.alloc(1_000_000, 7)
  const tail = Buffer.from(
    '\r\n--X\r\nContent-Disposition: form-data; name="condition"\r\n\r\npneumonia\r\n--X--\r\n',
  )
  const statuses = new Map<number, number>()
  const send = () =>
    new Promise<void>((resolve) => {
      const request = httpRequest(new URL('/api/v1/predict', url), {
        method: 'POST',
        headers: { 'content-type': type },
        agent: false,
      })
      const done = (status: number): void => {
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
        resolve()
      }
      request.on('error', () => done(0))
      request.on('response', (response) => {
        response.resume()
        response.on('end', () => done(response.statusCode ?? 0))
      })
      request.write(Buffer.concat([head, png]))
      let left = SENT_BYTES / chunk.length
      const more = (): void => {
        if (request.destroyed) return
        if (left-- > 0) request.write(chunk, more)
        else request.end(tail)
      }
      more()
    })
  await Promise.all(Array.from({ length: SENDERS }, send))
  t.diagnostic(
    `idle ${Math.round(idle / 1e6)} MB, peak ${Math.round(peak / 1e6)} MB, statuses ${JSON.stringify([...statuses])}`,
  )
  assert.ok(peak - idle <= 500e6, `${Math.round((peak - idle) / 1e6)} MB above idle`)
  assert.ok((statuses.get(503) ?? 0) > 0)
  assert.equal((await readdir(join(folders.modelsDir, '.staging'))).length, 0)
})
