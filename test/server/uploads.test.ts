// Uploads: limits that bite while bytes arrive, and forms as browsers and programs send them.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { readUpload } from '../../src/server/http/uploads.ts'

const URL_ = 'http://127.0.0.1/'
const limits = { maxFileBytes: 1000, maxFiles: 2 }

function formRequest(parts: Record<string, string | Blob>): Request {
  const form = new FormData()
  for (const [name, value] of Object.entries(parts)) form.set(name, value)
  return new Request(URL_, { method: 'POST', body: form })
}

/** A multipart body that never ends by itself; counts what was taken from it. */
function endlessRequest(): { request: Request; taken: () => number } {
  let taken = 0
  const head = '--X\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = Buffer.from(taken === 0 ? head : 'x'.repeat(500))
      taken += chunk.length
      controller.enqueue(chunk)
    },
  })
  const headers = { 'content-type': 'multipart/form-data; boundary=X' }
  const init = { method: 'POST', headers, body, duplex: 'half' }
  return { request: new Request(URL_, init as RequestInit), taken: () => taken }
}

test('fields and files of a form are given with the bytes that were sent', async () => {
  const request = formRequest({ condition: 'pneumonia', image: new File(['abc'], '../ü.png') })
  const upload = await readUpload(request, limits)
  assert.equal(upload.fields.get('condition'), 'pneumonia')
  assert.equal(upload.files.length, 1)
  assert.equal(Buffer.from(upload.files[0]?.bytes ?? []).toString(), 'abc')
  assert.ok(!upload.files[0]?.fileName.includes('/'))
})

test('a file of exactly the limit is taken and one byte more is refused', async () => {
  const exact = await readUpload(formRequest({ image: new File(['x'.repeat(1000)], 'a') }), limits)
  assert.equal(exact.files[0]?.size, 1000)
  const more = formRequest({ image: new File(['x'.repeat(1001)], 'a') })
  await assert.rejects(readUpload(more, limits), { code: 'upload-too-large' })
})

test('an endless upload is refused after little more than the limit has been read', async () => {
  const { request, taken } = endlessRequest()
  await assert.rejects(readUpload(request, limits), { code: 'upload-too-large' })
  assert.ok(taken() < 200_000, `${taken()} bytes were read`)
})

test('an upload that announces too great a length is refused before it is read', async () => {
  const { request, taken } = endlessRequest()
  request.headers.set('content-length', '999999999999')
  await assert.rejects(readUpload(request, limits), { code: 'upload-too-large' })
  assert.ok(taken() < 2000)
})

test('an upload that breaks off is an invalid form and leaves nothing behind', async (t) => {
  const spoolDir = await mkdtemp(join(tmpdir(), 'roentgen-upload-'))
  t.after(() => rm(spoolDir, { recursive: true }))
  const body = '--X\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\nhalf'
  const headers = { 'content-type': 'multipart/form-data; boundary=X' }
  const request = new Request(URL_, { method: 'POST', headers, body })
  await assert.rejects(readUpload(request, { ...limits, spoolDir }), { code: 'invalid' })
  assert.deepEqual(await readdir(spoolDir), [])
})

test('more files than allowed, too long a field and a form without boundary are refused', async () => {
  const form = new FormData()
  for (let i = 0; i < 3; i++) form.append('image', new File(['a'], 'a'))
  const many = new Request(URL_, { method: 'POST', body: form })
  await assert.rejects(readUpload(many, limits), { code: 'invalid', message: /At most 2 files/ })
  const long = formRequest({ condition: 'x'.repeat(300_000) })
  await assert.rejects(readUpload(long, { ...limits, maxFileBytes: 1e6 }), { code: 'invalid' })
  const headers = { 'content-type': 'multipart/form-data' }
  const noBoundary = new Request(URL_, { method: 'POST', headers, body: 'x' })
  await assert.rejects(readUpload(noBoundary, limits), { code: 'invalid' })
})

test('the empty part of a file input without a choice is no file', async () => {
  const upload = await readUpload(formRequest({ image: new File([], '') }), limits)
  assert.equal(upload.files.length, 0)
})

test('a body that is no form, and none at all, count as an empty form', async () => {
  const headers = { 'content-type': 'application/json' }
  const json = new Request(URL_, { method: 'POST', headers, body: '{}' })
  assert.equal((await readUpload(json, limits)).fields.size, 0)
  const empty = new Request(URL_, { method: 'POST' })
  assert.equal((await readUpload(empty, limits)).files.length, 0)
})

test('spooled files lie in the given folder under names of ours until they are disposed of', async (t) => {
  const spoolDir = await mkdtemp(join(tmpdir(), 'roentgen-upload-'))
  t.after(() => rm(spoolDir, { recursive: true }))
  const request = formRequest({ package: new File(['zip'], '../../evil.zip') })
  const upload = await readUpload(request, { ...limits, spoolDir })
  const path = upload.files[0]?.path ?? ''
  assert.equal(await readFile(path, 'utf8'), 'zip')
  assert.ok(path.startsWith(spoolDir) && !path.includes('evil'))
  await upload.dispose()
  await upload.dispose()
  assert.deepEqual(await readdir(spoolDir), [])
})

test('a plain urlencoded form gives its fields', async () => {
  const body = new URLSearchParams({ reason: 'better', version: 'a/b@1' })
  const upload = await readUpload(new Request(URL_, { method: 'POST', body }), limits)
  assert.equal(upload.fields.get('version'), 'a/b@1')
})
