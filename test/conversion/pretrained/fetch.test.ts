// Published weights fetched from a server of this test: whole, broken off and gone on with, wrong, too large, not there.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { getArchitecture } from '../../../src/architectures/catalogue.ts'
import { fetchWeights } from '../../../src/conversion/pretrained/fetch-weights.ts'
import {
  PUBLISHED,
  type PublishedFile,
} from '../../../src/conversion/pretrained/published-files.ts'
import { weightsFolder } from '../../../src/conversion/pretrained/weights-store.ts'
import { torchStateDict } from '../../support/weights/torch-state-dict.ts'

const root = await mkdtemp(join(tmpdir(), 'roentgen-fetch-'))
const path = join(root, 'file')
await torchStateDict(path, {
  architecture: getArchitecture('densenet121'),
  channels: 3,
  outputs: 1,
})
const content = await readFile(path)

const FILE: PublishedFile = {
  key: 'densenet121',
  title: 'DenseNet121 of this test',
  architecture: 'densenet121',
  from: 'https://published.invalid/',
  fileName: 'densenet121-test.safetensors',
  sha256: createHash('sha256').update(content).digest('hex').slice(0, 8),
  maxMegabytes: 40,
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void
let answer: Answer = (_, response) => response.end()
const asked: string[] = []
const server = createServer((request, response) => {
  asked.push(`${request.url} ${request.headers.range ?? 'whole'}`)
  answer(request, response)
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}/weights`
after(async () => {
  server.closeAllConnections()
  server.close()
  await rm(root, { recursive: true, force: true })
})

function wishes(home: string, files: readonly PublishedFile[] = [FILE]) {
  const dataDir = join(root, home)
  return { dataDir, key: 'DenseNet121', mirror, files, at: new Date('2026-11-20T22:00:00Z') }
}

/** All of it, or from where it was asked to go on. */
const serve: Answer = (request, response) => {
  const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
  const part = content.subarray(from)
  response.writeHead(from > 0 ? 206 : 200, { 'content-length': part.length }).end(part)
}

const left = (home: string) => readdir(weightsFolder(join(root, home)))

test('a published file is fetched, checked, kept, and not fetched again', async () => {
  answer = serve
  const steps: number[] = []
  const onProgress = (done: number, total: number) => steps.push(done / total)
  const kept = await fetchWeights({ ...wishes('whole'), onProgress })
  assert.equal(kept.name, 'densenet121-imagenet')
  assert.equal(kept.source.url, `${mirror}/${FILE.fileName}`)
  assert.equal(kept.source.fileName, FILE.fileName)
  assert.equal(steps.at(-1), 1)
  assert.deepEqual(asked.splice(0), [`/weights/${FILE.fileName} whole`])
  assert.deepEqual(await fetchWeights(wishes('whole')), kept)
  assert.deepEqual(asked, [])
  assert.equal((await left('whole')).length, 2)
})

test('a download that broke off goes on from where it was', async () => {
  const half = Math.floor(content.length / 2)
  answer = (_, response) => {
    response.writeHead(200, { 'content-length': content.length })
    response.write(content.subarray(0, half), () => response.destroy())
  }
  await assert.rejects(fetchWeights(wishes('half')), { code: 'unavailable' })
  const [part = ''] = await left('half')
  const { size } = await stat(join(weightsFolder(join(root, 'half')), part))
  assert.ok(size > 0 && size <= half)
  answer = serve
  asked.splice(0)
  const kept = await fetchWeights(wishes('half'))
  assert.deepEqual(asked, [`/weights/${FILE.fileName} bytes=${size}-`])
  assert.ok(kept.source.sha256.startsWith(FILE.sha256 ?? '?'))
})

test('what has another check sum is thrown away, and the next attempt begins anew', async () => {
  const wrong = Buffer.from(content)
  wrong[wrong.length - 1] = (wrong.at(-1) ?? 0) ^ 1
  answer = (_, response) => response.end(wrong)
  const message = /its check sum is another/
  await assert.rejects(fetchWeights(wishes('wrong')), { code: 'invalid-package', message })
  assert.deepEqual(await left('wrong'), [])
})

test('a source that gives too much, nothing, an error or no answer is told in words', async () => {
  const small = [{ ...FILE, maxMegabytes: 1 }]
  answer = serve
  const large = { code: 'invalid-package', message: /larger than the file/ } as const
  await assert.rejects(fetchWeights(wishes('large', small)), large)
  answer = (_, response) => {
    response.write(Buffer.alloc(1_500_000))
    response.end(Buffer.alloc(1_500_000))
  }
  await assert.rejects(fetchWeights(wishes('endless', small)), large)
  answer = (_, response) => response.writeHead(404).end()
  const status = { code: 'unavailable', message: /127\.0\.0\.1 .*status 404/ } as const
  await assert.rejects(fetchWeights(wishes('absent')), status)
  answer = (_, response) => response.end()
  await assert.rejects(fetchWeights(wishes('empty')), /check sum/)
  const nowhere = { ...wishes('nowhere'), mirror: 'http://127.0.0.1:9/' }
  const unreachable = { code: 'unavailable', message: /cannot be reached.*ROENTGEN_WEIGHTS_URL/ }
  await assert.rejects(fetchWeights(nowhere), unreachable)
})

test('Ctrl-C ends a download, and names and addresses that are none are refused', async () => {
  const interrupted = new AbortController()
  answer = (_, response) => {
    response.write(content.subarray(0, 1000))
    interrupted.abort()
  }
  const { signal } = interrupted
  await assert.rejects(fetchWeights({ ...wishes('stopped'), signal }), /goes on from here/)
  await assert.rejects(fetchWeights({ ...wishes('x'), key: 'alexnet' }), /there are: densenet121/)
  await assert.rejects(fetchWeights({ ...wishes('x'), mirror: 'ftp://a/' }), { code: 'setting' })
  const { sha256: _, ...unchecked } = FILE
  const plain = { ...wishes('x', [unchecked]), mirror: 'http://mirror.invalid/' }
  await assert.rejects(fetchWeights(plain), /nobody publishes a check sum/)
})

test('every published file has a place, a limit, and for all but MobileNetV2 a check sum', () => {
  for (const file of PUBLISHED) {
    assert.match(new URL(file.fileName, file.from).href, /^https:/)
    assert.ok(getArchitecture(file.architecture))
    const isChecked = file.md5 !== undefined || file.sha256 !== undefined
    assert.equal(isChecked, !file.architecture.startsWith('mobilenet'), file.fileName)
    if (file.sha256) assert.ok(file.fileName.includes(file.sha256))
  }
})
