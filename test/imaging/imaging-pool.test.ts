import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, type TestContext, test } from 'node:test'
import sharp from 'sharp'
import { AppError } from '../../src/errors.ts'
import { ImagingPool } from '../../src/imaging/imaging-pool.ts'
import type { Preprocessing } from '../../src/imaging/preprocessing.ts'
import { killChildren } from '../support/kill-children.ts'

const LIMITS = { maxBytes: 64 * 1024 * 1024, maxPixels: 100_000_000 }
const PREPROCESSING: Preprocessing = {
  schema: 1,
  width: 8,
  height: 6,
  channels: 3,
  interpolation: 'bilinear',
  aspect: 'stretch',
  antialias: true,
  scale: 1 / 255,
  mean: [0],
  std: [1],
  order: 'rgb',
}

const pool = new ImagingPool({ workers: 1, limits: LIMITS })
let small: Buffer
let slow: Buffer

before(async () => {
  pool.start()
  const raw = { width: 64, height: 48, channels: 3 } as const
  small = await sharp(
    new Uint8Array(64 * 48 * 3).map((_, i) => i % 251),
    { raw },
  )
    .png()
    .toBuffer()
  // 36 million pixels: seconds of work, in a small file.
  const big = { width: 6000, height: 6000, channels: 3, background: '#123' } as const
  slow = await sharp({ create: big }).png().toBuffer()
})
after(() => pool.stop())

test('reading gives size, digest, one tensor per preprocessing, and a kept copy with the same tensor', async () => {
  const grey = { ...PREPROCESSING, channels: 1, width: 5 } as const
  const read = await pool.read(small, { preprocessing: [PREPROCESSING, grey], keep: true })
  assert.deepEqual([read.width, read.height, read.format], [64, 48, 'png'])
  assert.equal(read.sha256, createHash('sha256').update(small).digest('hex'))
  assert.deepEqual(
    read.tensors.map((tensor) => tensor.length),
    [8 * 6 * 3, 5 * 6],
  )
  assert.ok(read.tensors[0] instanceof Float32Array)
  const again = await pool.read(read.kept as Uint8Array, { preprocessing: [PREPROCESSING] })
  assert.deepEqual(again.tensors[0], read.tensors[0])
  assert.equal(again.kept, undefined)
})

test('the tensors of a read ahead come before its lossless copy, and both are those of a plain read', async () => {
  const bytes = small
  const plain = await pool.read(bytes, { preprocessing: [PREPROCESSING], keep: true })
  const { prepared, kept } = pool.readAhead(bytes, { preprocessing: [PREPROCESSING] })
  const first = await Promise.race([prepared.then(() => 'prepared'), kept.then(() => 'kept')])
  assert.equal(first, 'prepared')
  const { tensors, sha256, kept: none } = await prepared
  assert.deepEqual(tensors, plain.tensors)
  assert.equal(sha256, plain.sha256)
  assert.equal(none, undefined)
  assert.deepEqual(await kept, plain.kept)
})

test('a read ahead of what is no image fails in both parts', async () => {
  const { prepared, kept } = pool.readAhead(Buffer.from('no image'), { preprocessing: [] })
  await assert.rejects(prepared, { code: 'unsupported-image' })
  await assert.rejects(kept, { code: 'unsupported-image' })
})

test('a refused image keeps its code and sentence across the process border', async () => {
  await assert.rejects(pool.read(Buffer.from('GIF89a....'), { preprocessing: [] }), {
    name: 'AppError',
    code: 'unsupported-image',
    message: /a GIF/,
  })
})

test('a preview is a WebP no larger than asked, never enlarged', async () => {
  for (const [maxSide, width, height] of [
    [32, 32, 24],
    [500, 64, 48],
  ] as const) {
    const { bytes, type } = await pool.preview(small, { maxSide })
    const metadata = await sharp(bytes).metadata()
    assert.equal(type, 'image/webp')
    assert.deepEqual([metadata.format, metadata.width, metadata.height], ['webp', width, height])
  }
})

test('a composite is opaque and shows the image where there is no evidence', async () => {
  const request = { grid: Float32Array.of(0, 1), gridWidth: 2, gridHeight: 1, scale: 1 }
  const png = await pool.heatmap({ ...request, width: 64, height: 48, composite: small })
  const got = await sharp(png).raw().toBuffer({ resolveWithObject: true })
  const image = await sharp(small).raw().toBuffer()
  assert.deepEqual([got.info.width, got.info.height, got.info.channels], [64, 48, 3])
  assert.deepEqual(got.data.subarray(0, 3), image.subarray(0, 3))
  assert.notDeepEqual(got.data.subarray(-3), image.subarray(-3))
})

test('a job that takes too long costs its worker, not the next request', async () => {
  const strict = new ImagingPool({ workers: 1, limits: LIMITS, timeoutMs: 1000 })
  strict.start()
  // 900 million pixels to draw, in one stretch of JavaScript that nothing but a signal ends.
  const one = { grid: Float32Array.of(1), gridWidth: 1, gridHeight: 1, scale: 1 }
  const endless = strict.heatmap({ ...one, width: 30_000, height: 30_000 })
  const next = strict.preview(small, { maxSide: 16 })
  await assert.rejects(endless, { code: 'undecodable-image', message: /too long/ })
  assert.equal((await next).type, 'image/webp')
  await strict.stop()
})

test('a crashed worker costs only its own request', async () => {
  const crashing = new ImagingPool({ workers: 1, limits: LIMITS })
  crashing.start()
  await crashing.preview(small, { maxSide: 16 })
  const lost = crashing.read(slow, { preprocessing: [] })
  const next = crashing.preview(small, { maxSide: 16 })
  const [worker] = crashing.status().workers
  assert.deepEqual([worker?.busy, crashing.status().waiting], [true, 1])
  process.kill(worker?.pid as number, 'SIGSEGV')
  await assert.rejects(lost, { code: 'undecodable-image', message: /made the decoder fail/ })
  assert.equal((await next).type, 'image/webp')
  await crashing.stop()
})

test('an image whose worker is killed in the middle of it is read by the next one', async () => {
  const pool = new ImagingPool({ workers: 1, limits: LIMITS })
  pool.start()
  await pool.preview(small, { maxSide: 16 })
  const { prepared, kept } = pool.readAhead(slow, { preprocessing: [PREPROCESSING] })
  const next = pool.preview(small, { maxSide: 16 })
  const [worker] = pool.status().workers
  assert.equal(worker?.busy, true)
  process.kill(worker?.pid as number, 'SIGKILL')
  assert.deepEqual([(await prepared).width, (await prepared).tensors.length], [6000, 1])
  assert.ok(await kept)
  assert.equal((await next).type, 'image/webp')
  assert.notEqual(pool.status().workers[0]?.pid, worker?.pid)
  await pool.stop()
})

test('workers that are killed again and again cost a request 503 and never blame the image', async (t) => {
  for (const [when, kill] of [
    ['as soon as it has its job', killWhenBusy],
    ['before it is ready', killAtOnce],
  ] as const) {
    const pool = new ImagingPool({ workers: 1, limits: LIMITS })
    const killing = kill(t)
    pool.start({ ahead: false })
    await assert.rejects(pool.read(slow, { preprocessing: [] }), (error) => {
      assert.ok(error instanceof AppError)
      const { code, status, retryAfterSeconds } = error
      assert.deepEqual([code, status, retryAfterSeconds], ['unavailable', 503, 5], when)
      assert.match(error.message, /killed twice; the image is not the reason/)
      return true
    })
    assert.equal(killing.kills, 2, when)
    killing.stop()
    assert.equal((await pool.preview(small, { maxSide: 16 })).type, 'image/webp')
    await pool.stop()
  }
})

test('a job that takes too much memory costs its worker, not the next request', async () => {
  const strict = new ImagingPool({ workers: 1, limits: LIMITS, maxWorkerBytes: 180 * 1024 * 1024 })
  strict.start()
  const greedy = strict.read(slow, { preprocessing: [PREPROCESSING], keep: true })
  const next = strict.read(small, { preprocessing: [PREPROCESSING] })
  await assert.rejects(greedy, { code: 'undecodable-image', message: /too much memory/ })
  assert.equal((await next).width, 64)
  await strict.stop()
})

test('a full queue answers busy at once', async () => {
  const narrow = new ImagingPool({ workers: 1, limits: LIMITS, queueLength: 1 })
  narrow.start()
  const waiting = narrow.preview(small, { maxSide: 16 })
  await assert.rejects(narrow.preview(small, { maxSide: 16 }), { code: 'busy', status: 503 })
  await waiting
  await narrow.stop()
})

test('stopping refuses what waits, twice is safe, and nothing is accepted afterwards', async () => {
  const brief = new ImagingPool({ workers: 1, limits: LIMITS })
  brief.start()
  const waiting = brief.preview(small, { maxSide: 16 })
  const refused = assert.rejects(waiting, { code: 'unavailable' })
  await Promise.all([brief.stop(), brief.stop()])
  await refused
  await assert.rejects(brief.preview(small, { maxSide: 16 }), { code: 'unavailable' })
})

const isWorker = ({ spawnargs }: { readonly spawnargs: readonly string[] }) =>
  spawnargs.some((arg) => arg.endsWith('imaging-worker.ts'))

function killAtOnce(t: TestContext) {
  return killChildren(t, { which: isWorker, when: 'spawned' })
}

/** Its first message says that it is ready; the pool, which hears it first, has given it the job by then. */
function killWhenBusy(t: TestContext) {
  return killChildren(t, { which: isWorker, when: 'first message' })
}
