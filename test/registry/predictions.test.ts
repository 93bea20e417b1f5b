// Kept predictions: given back as they were given out, listed, deleted with their image, expired to a 410; feedback;
// and the lock that makes one process the writer.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { exists } from '../../src/package/durable-files.ts'
import { recover } from '../../src/registry/activation/recover.ts'
import { lockFolders, lockHome } from '../../src/registry/home/home-lock.ts'
import { openRegistry } from '../../src/registry/home/open-registry.ts'
import { addFeedback, listFeedback } from '../../src/registry/predictions/feedback.ts'
import {
  deletePrediction,
  expirePredictions,
  getPrediction,
  keptImagePath,
  listPredictions,
  type Prediction,
  storePrediction,
} from '../../src/registry/predictions/predictions.ts'
import { makeTempDir } from '../support/package.ts'
import { openApplication, type TestHome } from '../support/registry.ts'

const LATER = '2027-01-01T00:00:00.000Z'

function prediction(id: string): Prediction {
  return {
    id,
    condition: 'pneumonia',
    version: 'pneumonia/tiny-quick@1',
    sha256: 'a'.repeat(64),
    role: 'active',
    classes: [
      { label: 'NORMAL', probability: 0.09, uncalibrated: 0.01, logit: -4.2 },
      { label: 'PNEUMONIA', probability: 0.91, uncalibrated: 0.99, logit: 4.2 },
    ],
    decision: {
      label: 'PNEUMONIA',
      positive: true,
      threshold: 0.37,
      operatingPoint: 'youden',
      findings: [{ label: 'PNEUMONIA', positive: true, threshold: 0.37 }],
    },
    confidence: 0.91,
    calibration: null,
    heatmap: null,
    image: { width: 64, height: 32, sha256: 'b'.repeat(64), format: 'png' },
    familiarity: null,
    preprocessing: 'c'.repeat(64),
    precision: 'float32',
    activation: 'act_1',
    at: '2026-03-03T13:05:00.000Z',
    warnings: [],
    timings: { decode: 1, preprocess: 2, infer: 3, explain: 0, total: 6 },
  }
}

async function keep({ ctx }: TestHome, id: string, expiresAt = LATER): Promise<string> {
  const grid = Float32Array.from([0, 0.25, 0.5, 1, -1, 1e-7])
  const image = join(ctx.store.uploadsDir, `${id}.png`)
  await writeFile(image, 'png')
  await storePrediction(ctx.db, {
    prediction: prediction(id),
    heatmap: { grid, gridWidth: 3, gridHeight: 2, scale: 2.5 },
    imageFile: `${id}.png`,
    expiresAt,
  })
  return image
}

test('a prediction comes back as it was given out, with its heatmap to the last bit', async (t) => {
  const home = await openApplication(t)
  const image = await keep(home, 'p1')
  const stored = await getPrediction(home.ctx.db, 'p1')
  assert.deepEqual(stored.prediction, prediction('p1'))
  assert.deepEqual(
    [...(stored.heatmap?.grid ?? [])],
    [...Float32Array.from([0, 0.25, 0.5, 1, -1, 1e-7])],
  )
  assert.deepEqual(
    [stored.heatmap?.gridWidth, stored.heatmap?.gridHeight, stored.heatmap?.scale],
    [3, 2, 2.5],
  )
  assert.equal(keptImagePath(home.ctx, stored), image)
})

test('predictions are listed newest first, by page, version and condition', async (t) => {
  const home = await openApplication(t)
  for (const id of ['p1', 'p2', 'p3']) await keep(home, id)
  const { db } = home.ctx
  const first = await listPredictions(db, { limit: 2 })
  assert.deepEqual(
    first.items.map((one) => one.id),
    ['p3', 'p2'],
  )
  await keep(home, 'p4')
  const second = await listPredictions(db, { limit: 2, cursor: first.nextCursor ?? '' })
  assert.deepEqual(
    second.items.map((one) => one.id),
    ['p1'],
  )
  assert.equal(second.nextCursor, null)
  assert.equal((await listPredictions(db, { condition: 'covid' })).items.length, 0)
  assert.equal((await listPredictions(db, { version: 'pneumonia/tiny-quick@1' })).items.length, 4)
})

test('deleting forgets row, feedback and image; what never was is unknown', async (t) => {
  const home = await openApplication(t)
  const image = await keep(home, 'p1')
  const { db, clock } = home.ctx
  await addFeedback(db, { prediction: 'p1', verdict: 'agree', by: 'anna', clock })
  await deletePrediction(home.ctx, 'p1')
  assert.equal(await exists(image), false)
  await assert.rejects(getPrediction(db, 'p1'), { code: 'unknown-prediction', status: 404 })
  await assert.rejects(deletePrediction(home.ctx, 'p1'), { code: 'unknown-prediction' })
  assert.deepEqual(await listFeedback(db, 'p1'), [])
})

test('an expired prediction is gone, which is told from unknown', async (t) => {
  const home = await openApplication(t)
  const image = await keep(home, 'old', '2026-03-04T00:00:00.000Z')
  await keep(home, 'new')
  const clock = () => new Date('2026-03-04T00:00:01Z')
  assert.deepEqual(await expirePredictions(home.ctx, { clock }), ['old'])
  assert.deepEqual(await expirePredictions(home.ctx, { clock }), [])
  assert.equal(await exists(image), false)
  await assert.rejects(getPrediction(home.ctx.db, 'old'), { code: 'gone', status: 410 })
  await getPrediction(home.ctx.db, 'new')
})

test('a start removes images that belong to no prediction', async (t) => {
  const home = await openApplication(t)
  const kept = await keep(home, 'p1')
  const stray = join(home.ctx.store.uploadsDir, 'stray.png')
  await writeFile(stray, 'png')
  await recover(home.ctx)
  assert.deepEqual([await exists(kept), await exists(stray)], [true, false])
})

test('feedback keeps every opinion and only labels that the prediction has', async (t) => {
  const home = await openApplication(t)
  await keep(home, 'p1')
  const { db, clock } = home.ctx
  const say = (verdict: 'agree' | 'disagree', label?: string) =>
    addFeedback(db, { prediction: 'p1', verdict, label, by: 'anna', clock })
  await say('agree')
  await say('disagree', 'NORMAL')
  await assert.rejects(say('disagree', 'COVID'), { code: 'invalid' })
  const opinions = await listFeedback(db, 'p1')
  assert.deepEqual(
    opinions.map((one) => [one.verdict, one.label]),
    [
      ['disagree', 'NORMAL'],
      ['agree', null],
    ],
  )
  const lost = addFeedback(db, { prediction: 'none', verdict: 'agree', by: 'anna', clock })
  await assert.rejects(lost, { code: 'unknown-prediction' })
})

test('a home has one writer: another process is refused until the first ends, however it ends', async (t) => {
  const dataDir = await makeTempDir()
  t.after(() => rm(dataDir, { recursive: true, force: true }))
  const url = new URL('../../src/registry/home/home-lock.ts', import.meta.url)
  // Kept in reach: a database that nobody refers to is closed when memory is collected, and lets go of the lock.
  const program = `import { lockHome } from '${url}'; globalThis.lock = lockHome(process.argv[1]); console.log('held'); setInterval(() => {}, 1e6)`
  const child = spawn(
    process.execPath,
    ['--input-type=module-typescript', '-e', program, dataDir],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  assert.throws(() => lockHome(dataDir), { code: 'home-in-use', message: /ROENTGEN_DATA/ })
  child.kill('SIGKILL')
  await once(child, 'exit')
  const lock = lockHome(dataDir)
  assert.throws(() => lockHome(dataDir), { code: 'home-in-use' })
  lock.release()
  lock.release()
})

test('a model store has one writer too, whatever its data folder, and a refusal holds nothing', async (t) => {
  const dir = await makeTempDir()
  t.after(() => rm(dir, { recursive: true, force: true }))
  const [one, other, modelsDir] = [join(dir, 'one'), join(dir, 'other'), join(dir, 'models')]
  const lock = lockFolders({ dataDir: one, modelsDir })
  assert.throws(() => lockFolders({ dataDir: other, modelsDir }), {
    code: 'home-in-use',
    message: /ROENTGEN_MODELS/,
  })
  lockHome(other).release()
  lock.release()
  lockFolders({ dataDir: other, modelsDir }).release()
})

test('a data folder that cannot be used, or a damaged database, is one clear line', async (t) => {
  const dir = await makeTempDir()
  t.after(() => rm(dir, { recursive: true, force: true }))
  await writeFile(join(dir, 'file'), 'x')
  assert.throws(() => lockHome(join(dir, 'file')), { code: 'unavailable' })
  await assert.rejects(openRegistry({ dataDir: join(dir, 'file') }), { code: 'unavailable' })
  await writeFile(
    join(dir, 'roentgen.sqlite'),
    'this is no database, but long enough to be read as one'.repeat(99),
  )
  await assert.rejects(openRegistry({ dataDir: dir }), { code: 'unavailable', message: /damaged/ })
})
