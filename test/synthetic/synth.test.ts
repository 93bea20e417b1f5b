// The generator of synthetic images: deterministic, equal in both classes but for the finding, and honest on disk.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import sharp from 'sharp'
import { isAppError } from '../../src/errors.ts'
import { SYNTH_CONDITIONS } from '../../src/synthetic/conditions.ts'
import { synthesise } from '../../src/synthetic/dataset.ts'
import { ARTEFACTS } from '../../src/synthetic/drawing/artefacts.ts'
import { createRandom } from '../../src/synthetic/drawing/random.ts'
import { renderSynthetic } from '../../src/synthetic/drawing/render.ts'
import { patientNumber } from '../../src/synthetic/patients.ts'
import { areaUnderRoc, logisticScores } from '../support/logistic-regression.ts'

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'roentgen-synth-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const digest = (data: Uint8Array | Uint16Array) =>
  createHash('sha256')
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest('hex')

function share(data: ArrayLike<number>): number {
  let marked = 0
  for (let i = 0; i < data.length; i++) if ((data[i] as number) > 0) marked++
  return marked / data.length
}

const appError = (code: string) => (error: unknown) => isAppError(error) && error.code === code

test('an image depends on its own place only, not on what was drawn before it', () => {
  for (const { id, classes } of SYNTH_CONDITIONS) {
    const request = {
      condition: id,
      label: classes[1]?.label as string,
      seed: 3,
      index: 5,
      size: 64,
    }
    const first = renderSynthetic(request)
    renderSynthetic({ ...request, index: 6 })
    const again = renderSynthetic(request)
    assert.equal(digest(again.pixels.data), digest(first.pixels.data), id)
    assert.equal(digest(again.mask.data), digest(first.mask.data), id)
    const other = renderSynthetic({ ...request, seed: 4 })
    assert.notEqual(digest(other.pixels.data), digest(first.pixels.data), id)
  }
})

test('the mask marks a finding of sensible size in positive images and nothing in normal ones', () => {
  for (const { id, kind, classes } of SYNTH_CONDITIONS) {
    for (const { label, positive } of classes) {
      for (let index = 0; index < 6; index++) {
        const { pixels, mask } = renderSynthetic({ condition: id, label, seed: 9, index, size: 64 })
        assert.equal(mask.data.length, pixels.width * pixels.height)
        const marked = share(mask.data)
        if (kind === 'binary' && !positive) assert.equal(marked, 0, `${id} ${label} ${index}`)
        else assert.ok(marked > 0.002 && marked < 0.6, `${id} ${label} ${index}: ${marked}`)
      }
    }
  }
})

test('images are well exposed: neither black nor white nor flat', () => {
  for (const { id, classes } of SYNTH_CONDITIONS) {
    const { pixels } = renderSynthetic({
      condition: id,
      label: classes[0]?.label as string,
      seed: 1,
      index: 2,
      size: 64,
    })
    const values = Array.from(pixels.data)
    const mean = values.reduce((sum, v) => sum + v, 0) / values.length
    const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length
    assert.ok(mean > 25 && mean < 225, `${id}: mean ${mean}`)
    assert.ok(Math.sqrt(variance) > 15, `${id}: deviation ${Math.sqrt(variance)}`)
  }
})

test('markers, tubes, leads and collimation are as frequent in both classes', () => {
  const count = 150
  const [normal, sick] = ['NORMAL', 'PNEUMONIA'].map((label) =>
    Array.from(
      { length: count },
      (_, index) =>
        renderSynthetic({ condition: 'pneumonia', label, seed: 2, index, size: 32 }).artefacts,
    ),
  ) as [string[][], string[][]]
  for (const name of ARTEFACTS) {
    const [a, b] = [normal, sick].map((all) => all.filter((one) => one.includes(name)).length)
    // Four standard deviations of the difference of two binomial counts at the worst frequency of one half.
    const tolerance = 4 * Math.sqrt(2 * count * 0.25)
    assert.ok(Math.abs((a as number) - (b as number)) < tolerance, `${name}: ${a} and ${b}`)
  }
})

test('some patients have several images, all of one block of four, and most have one', () => {
  const numbers = Array.from({ length: 400 }, (_, index) =>
    patientNumber(7, { group: 'pneumonia/NORMAL', index }),
  )
  const sizes = new Map<number, number>()
  for (const [index, number] of numbers.entries()) {
    assert.equal(Math.floor(number / 4), Math.floor(index / 4))
    sizes.set(number, (sizes.get(number) ?? 0) + 1)
  }
  assert.ok(sizes.size > 200 && sizes.size < 380, `${sizes.size} patients`)
  assert.ok([...sizes.values()].some((n) => n >= 3))
})

test('random streams repeat, are independent of each other and uniform', () => {
  const draw = (...keys: (string | number)[]) => createRandom(1, ...keys).uniform()
  assert.equal(draw('a', 1), draw('a', 1))
  assert.notEqual(draw('a', 1), draw('a', 2))
  assert.notEqual(draw('a', 1), draw('a1'))
  const random = createRandom(5)
  const values = Array.from({ length: 20_000 }, () => random.uniform())
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length
  // Five standard errors of the mean of a uniform variable, whose variance is 1/12.
  assert.ok(Math.abs(mean - 0.5) < 5 * Math.sqrt(1 / 12 / values.length))
  const forked = createRandom(5).fork('x')
  assert.notEqual(forked.uniform(), values[0])
})

test('a dataset on disk has class folders, masks, an index and its notice, and the same bytes each time', async (t) => {
  const folder = await temporaryFolder(t)
  const options = { condition: 'osteoarthritis', perClass: 3, seed: 7, size: 64 }
  const seen: string[] = []
  const made = await synthesise({
    ...options,
    outDir: join(folder, 'a'),
    onProgress: (done, total) => seen.push(`${done}/${total}`),
  })
  await synthesise({ ...options, outDir: join(folder, 'b') })
  assert.deepEqual(made.counts, { NORMAL: 3, OSTEOARTHRITIS: 3 })
  assert.equal(seen.at(-1), '6/6')
  const list = async (name: string) =>
    (await readdir(join(folder, name), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, name).length))
      .sort()
  const files = await list('a')
  assert.deepEqual(await list('b'), files)
  assert.equal(files.length, 6 + 6 + 2)
  for (const file of files) {
    const [a, b] = await Promise.all(['a', 'b'].map((name) => readFile(join(folder, name, file))))
    assert.ok(a?.equals(b as Buffer), `${file} differs`)
  }
  const about = JSON.parse(await readFile(join(folder, 'a/dataset.json'), 'utf8'))
  assert.equal(about.notice, 'synthetic demonstration, not for use on patients')
  assert.equal(about.seed, 7)
  assert.equal(about.condition.id, 'osteoarthritis')
  const [head, ...rows] = (await readFile(join(folder, 'a/index.csv'), 'utf8')).trim().split('\n')
  assert.equal(head, 'file,class,patient,mask,bits,artefacts')
  assert.equal(rows.length, 6)
  for (const row of rows) {
    const [file, label, , mask] = row.split(',')
    assert.ok(file?.startsWith(`${label}/`))
    const both = [file, mask].map((one) => sharp(join(folder, 'a', one as string)).metadata())
    for (const { width, height, channels } of await Promise.all(both)) {
      assert.deepEqual([width, height, channels], [64, 64, 1])
    }
  }
})

test('a share of the radiographs can have 16 bits, photographs are 8-bit colour', async (t) => {
  const folder = await temporaryFolder(t)
  const options = { seed: 7, size: 48, sixteenBitShare: 0.5 }
  await synthesise({ ...options, condition: 'pneumonia', perClass: 2, outDir: join(folder, 'x') })
  const bits = (await readFile(join(folder, 'x/index.csv'), 'utf8')).trim().split('\n').slice(1)
  assert.equal(bits.filter((row) => row.split(',')[4] === '16').length, 2)
  for (const row of bits) {
    const [file, , , , depth] = row.split(',')
    const meta = await sharp(join(folder, 'x', file as string)).metadata()
    assert.equal(meta.depth, depth === '16' ? 'ushort' : 'uchar')
  }
  await synthesise({ ...options, condition: 'skin-lesion', count: 7, outDir: join(folder, 'y') })
  const [photo] = await readdir(join(folder, 'y/VASC'))
  const meta = await sharp(join(folder, 'y/VASC', photo as string)).metadata()
  assert.deepEqual([meta.channels, meta.depth], [3, 'uchar'])
})

test('wrong requests are refused in one sentence', async (t) => {
  const folder = await temporaryFolder(t)
  const request = { condition: 'pneumonia', label: 'NORMAL', seed: 1, index: 0 }
  assert.throws(
    () => renderSynthetic({ ...request, condition: 'gout' }),
    appError('unknown-condition'),
  )
  assert.throws(() => renderSynthetic({ ...request, label: 'GOUT' }), appError('unknown-target'))
  assert.throws(() => renderSynthetic({ ...request, size: 7 }), appError('invalid'))
  assert.throws(() => renderSynthetic({ ...request, seed: 0.5 }), appError('invalid'))
  assert.throws(() => renderSynthetic({ ...request, index: -1 }), appError('invalid'))
  const base = { condition: 'pneumonia', seed: 1, outDir: join(folder, 'new') }
  await assert.rejects(synthesise(base), appError('invalid'))
  await assert.rejects(synthesise({ ...base, perClass: 1, count: 2 }), appError('invalid'))
  await assert.rejects(synthesise({ ...base, count: 1 }), appError('invalid'))
  await assert.rejects(
    synthesise({ ...base, perClass: 1, sixteenBitShare: 2 }),
    appError('invalid'),
  )
  await writeFile(join(folder, 'mine.txt'), 'kept')
  await assert.rejects(synthesise({ ...base, perClass: 1, outDir: folder }), appError('conflict'))
  assert.equal(await readFile(join(folder, 'mine.txt'), 'utf8'), 'kept')
})

test('the logistic regression that judges the thumbnails finds a linear rule and nothing in noise', () => {
  const random = createRandom(11)
  const make = (signal: number) =>
    Array.from({ length: 400 }, () => {
      const features = Float64Array.from({ length: 20 }, () => random.normal(0, 1))
      const target = random.chance(0.5) ? 1 : 0
      features[3] = (features[3] as number) + signal * target
      return { features, target }
    })
  const measure = (signal: number) => {
    const [train, held] = [make(signal), make(signal)]
    const targets = held.map((one) => one.target)
    return areaUnderRoc(logisticScores(train, held, { penalty: 0.1 }), targets)
  }
  assert.ok(measure(3) > 0.95)
  assert.ok(Math.abs(measure(0) - 0.5) < 0.1)
})
