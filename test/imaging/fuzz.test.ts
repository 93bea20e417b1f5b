// Damaged files by the thousand through the real pool: each is a picture or a sentence, no worker is lost, nothing grows.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import sharp from 'sharp'
import { AppError } from '../../src/errors.ts'
import { ImagingPool } from '../../src/imaging/imaging-pool.ts'
import { codestream, losslessJpeg, rle, twelveBitJpeg } from '../support/dicom/coded-frames.ts'
import { deep, dicomFile, image, SYNTAX } from '../support/dicom/dicom-file.ts'
import { mutated, seeded } from '../support/seeded-mutations.ts'
import { sharedPath } from '../support/shared.ts'

const isSlow = process.env.ROENTGEN_SLOW_TESTS === '1'
const INPUTS = isSlow ? 20_000 : 300
const SEED = 20261120
const MAX_SECONDS = 10
const MAX_WORKER_BYTES = 700 * 1024 * 1024
/** Small files are damaged deeper for the same time. */
const MAX_FILE_BYTES = 600 * 1024

test(`${INPUTS} damaged files give pictures or sentences, and the decoder stays as it was`, {
  timeout: isSlow ? 7_200_000 : 120_000,
}, async (t) => {
  const limits = { maxBytes: 2 ** 24, maxPixels: 10 ** 7 }
  const options = { workers: 2, limits, timeoutMs: MAX_SECONDS * 1000 }
  const pool = new ImagingPool({ ...options, maxWorkerBytes: MAX_WORKER_BYTES })
  pool.start()
  t.after(() => pool.stop())
  const files = [...(await madeFiles()), ...realFiles()]
  for (const file of files.slice(0, 8)) await pool.read(file, { preprocessing: [] })
  const workers = pool.status().workers.map(({ pid }) => pid)
  const random = seeded(SEED)
  const outcomes: Record<string, number> = {}
  const count = (outcome: string) => {
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  }
  let [slowest, largest] = [0, 0]

  const one = async (input: Buffer, n: number) => {
    const started = performance.now()
    try {
      const { width, height } = await pool.read(input, { preprocessing: [] })
      assert.ok(width * height <= limits.maxPixels)
      count('read')
    } catch (error) {
      assert.ok(error instanceof AppError && error.status < 500, `input ${n}: ${String(error)}`)
      assert.match(error.message, /^[A-Z].*\.$/)
      assert.doesNotMatch(
        error.message,
        /takes too long|too much memory|decoder fail/,
        `input ${n}`,
      )
      count(error.code)
    }
    slowest = Math.max(slowest, performance.now() - started)
  }

  const identify = async (input: Buffer, n: number) => {
    try {
      const { studyInstanceUid } = await pool.identify(input)
      assert.match(studyInstanceUid, /^[\d.]{1,64}$/)
      count('identified')
    } catch (error) {
      assert.ok(error instanceof AppError && error.status < 500, `input ${n}: ${String(error)}`)
    }
  }

  for (let n = 0; n < INPUTS; n += 2) {
    const inputs = [n, n + 1].map(() => {
      return mutated(files[Math.floor(random() * files.length)] as Uint8Array, random)
    })
    await Promise.all(inputs.map((input, i) => one(input, n + i)))
    await Promise.all(inputs.map((input, i) => identify(input, n + i)))
    if (n % 50 === 0) largest = Math.max(largest, ...workers.map(residentBytes))
  }
  assert.deepEqual(
    pool.status().workers.map(({ pid }) => pid),
    workers,
  )
  assert.ok((outcomes.read ?? 0) > 0 && (outcomes['undecodable-image'] ?? 0) > 0)
  assert.ok(largest < MAX_WORKER_BYTES, `${largest} bytes`)
  t.diagnostic(`${JSON.stringify(outcomes)}, slowest ${slowest.toFixed(0)} ms`)
  t.diagnostic(`largest worker ${(largest / 2 ** 20).toFixed(0)} MiB`)
})

/** From /proc; 0 where there is none. */
function residentBytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

async function madeFiles(): Promise<Buffer[]> {
  const size = { width: 24, height: 16 }
  const words = Uint16Array.from({ length: 24 * 16 }, (_, i) => (i * i * 37) % 4096)
  const plane = { ...size, values: words }
  const attributes = image(size, {
    ...deep(12),
    '00281050': ['DS', '2048'],
    '00281051': ['DS', '4096'],
    '00400275': ['SQ', [[['00080060', 'CS', 'CR']], [['00180015', 'CS', 'CHEST']]]],
  })
  const bytes = new Uint8Array(words.buffer)
  const planes = [1, 0].map((n) => bytes.filter((_, i) => i % 2 === n))
  const coded = async (kind: Parameters<typeof codestream>[0]) => [
    await codestream(kind, { ...plane, bits: 12 }),
  ]
  const raw = { ...size, channels: 1 } as const
  const grey = sharp(bytes.subarray(0, 24 * 16), { raw })
  const [jpeg, png] = [await grey.jpeg().toBuffer(), await grey.png().toBuffer()]
  const lossless = losslessJpeg(plane, { precision: 12, predictor: 4 })
  return [
    dicomFile({ attributes, pixels: words }),
    dicomFile({ syntax: SYNTAX.implicit, attributes, pixels: words }),
    dicomFile({ syntax: SYNTAX.bigEndian, attributes, pixels: words }),
    dicomFile({ syntax: SYNTAX.deflated, attributes, pixels: words }),
    dicomFile({ syntax: SYNTAX.rle, attributes, fragments: [rle(planes)] }),
    dicomFile({ syntax: SYNTAX.jpegLossless, attributes, fragments: [lossless] }),
    dicomFile({
      syntax: SYNTAX.jpeg,
      attributes,
      fragments: [twelveBitJpeg(size, [0, 900, 4095, 2, 30, 500])],
    }),
    dicomFile({ syntax: SYNTAX.jpegLs, attributes, fragments: await coded('jpeg-ls') }),
    dicomFile({ syntax: SYNTAX.jpeg2000, attributes, fragments: await coded('jpeg-2000') }),
    dicomFile({ syntax: SYNTAX.htj2k, attributes, fragments: await coded('htj2k') }),
    dicomFile({ syntax: SYNTAX.jpeg, attributes: image(size), fragments: [jpeg] }),
    jpeg,
    png,
  ]
}

function realFiles(): Buffer[] {
  return ['data/dicom', 'data/nasty-images'].flatMap((name) => {
    const folder = sharedPath(name)
    if (!folder) return []
    return readdirSync(folder)
      .filter((file) => /\.(dcm|jpg|png|tiff?|webp|gif|bmp|svg)$/.test(file))
      .map((file) => readFileSync(join(folder, file)))
      .filter(({ length }) => length <= MAX_FILE_BYTES)
  })
}
