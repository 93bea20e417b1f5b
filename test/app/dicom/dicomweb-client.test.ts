// What an archive may do wrong without costing more than its own images: pages that never end, answers that go on.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'node:test'
import {
  type ArchiveAddress,
  fetchImage,
  findImages,
} from '../../../src/app/dicom/archive/dicomweb-client.ts'

async function archive(
  t: test.TestContext,
  answer: Parameters<typeof createServer>[1],
): Promise<ArchiveAddress> {
  const server = createServer({}, answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  const signal = new AbortController().signal
  return {
    base: `http://127.0.0.1:${port}`,
    authorization: undefined,
    maxObjectBytes: 1e6,
    signal,
  }
}

test('an archive that knows no pages is asked twice at most', async (t) => {
  const uid = (value: string) => ({ vr: 'UI', Value: [value] })
  const items = Array.from({ length: 250 }, (_, i) => ({
    '0020000D': uid('1.2'),
    '0020000E': uid('1.2.3'),
    '00080018': uid(`1.2.3.${i + 1}`),
  }))
  let asked = 0
  const address = await archive(t, (_, response) => {
    asked += 1
    response.end(JSON.stringify(items))
  })
  const found = await Array.fromAsync(findImages(address, { modality: 'DX', since: '20260101' }))
  assert.deepEqual([found.length, asked], [250, 2])
})

test('once an image is there its connection is let go, whatever the archive goes on to send', async (t) => {
  const closed = Promise.withResolvers<void>()
  const address = await archive(t, (_, response) => {
    response.writeHead(200, { 'Content-Type': 'multipart/related; boundary=mark' })
    response.write('--mark\r\nContent-Type: application/dicom\r\n\r\nDICM\r\n--mark\r\n\r\nmore')
    // Never ended by the archive.
    response.once('close', () => closed.resolve())
  })
  const bytes = await fetchImage(address, { study: '1', series: '2', instance: '3' })
  assert.equal(Buffer.from(bytes).toString(), 'DICM')
  const late = setTimeout(() => closed.reject(new Error('the connection is still open')), 30_000)
  await closed.promise.finally(() => clearTimeout(late))
})
