// A version with two graphs, over the API with real hosts: which of them answers, and that everything says so.
import assert from 'node:assert/strict'
import { appendFile, cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { after, type TestContext } from 'node:test'
import { readManifest, writeManifest } from '../../../src/package/manifest.ts'
import type { Activation } from '../../../src/registry/activation/activations.ts'
import type { Prediction } from '../../../src/registry/predictions/predictions.ts'
import type { Version } from '../../../src/registry/versions/versions.ts'
import {
  type Folders,
  homeFolders,
  imageForm,
  jsonBody,
  jsonOf,
  openedHome,
  storePackage,
} from '../../support/home.ts'
import { trainInt8 } from '../../support/training/trained-int8.ts'

const trained = await trainInt8()
after(trained.remove)
const ID = 'spots/tiny-cnn-quick@1'
const SECOND = 'spots/tiny-cnn-quick@2'
const PATH = '/api/v1/conditions/spots'

/** Lays the trained package into the store; `change` is made before its manifest is written anew. */
async function store({ modelsDir }: Folders, n: number, change?: (dir: string) => Promise<void>) {
  const dir = join(modelsDir, 'spots', 'tiny-cnn-quick', `v${n}`)
  await mkdir(join(dir, '..'), { recursive: true })
  await cp(trained.packageDir, dir, { recursive: true })
  if (n === 1) return dir
  await change?.(dir)
  const { schema: _, files: __, ...fields } = (await readManifest(dir)).manifest
  await writeManifest(dir, { ...fields, tags: [`copy ${n}`] })
  return dir
}

async function problemOf(response: Response): Promise<{ code: string; detail: string }> {
  return (await response.json()) as { code: string; detail: string }
}

async function opened(t: TestContext) {
  const folders = await homeFolders(t)
  const dir = await store(folders, 1)
  const { home, call } = await openedHome(folders)
  return { folders, dir, home, ...calling(call) }
}

function calling(call: (path: string, init?: RequestInit) => Promise<Response>) {
  const golden = readFile(join(trained.packageDir, 'results/golden/1.png'))
  return {
    call,
    activate: (body: object) =>
      call(`${PATH}/activate`, jsonBody({ version: ID, reason: 'a test', ...body })),
    read: async (fields: Record<string, string> = {}) => {
      const form = imageForm({ image: await golden, condition: 'spots', ...fields })
      const response = await call('/api/v1/predict', { method: 'POST', body: form })
      assert.equal(response.status, 200)
      return (await response.json()) as Prediction
    },
    history: async () =>
      (await jsonOf<{ items: Activation[] }>(await call(`${PATH}/history`))).items,
  }
}

test('auto measures both graphs once, says the figures on the timeline, and takes what it says', async (t) => {
  const { activate, read } = await opened(t)
  const activation = await jsonOf<Activation>(await activate({}))
  const load = activation.steps.find((step) => step.name === 'load')?.detail ?? ''
  const said =
    /int8 takes ([\d.]+) ms, float32 ([\d.]+) ms for an image \(medians of 5 in turn\): (int8|float32) chosen$/
  assert.match(load, said)
  const [, int8, float32, chosen] = said.exec(load) ?? []
  assert.equal(activation.precision, chosen)
  // Shown figures are rounded: what is not close must agree with the choice.
  if (Number(int8) < 0.8 * Number(float32)) assert.equal(chosen, 'int8')
  if (Number(int8) > Number(float32)) assert.equal(chosen, 'float32')
  assert.equal((await read()).precision, chosen)
})

test('int8 is an activation of its own, with golden outputs, calibration and thresholds of its own', async (t) => {
  const { activate, read, history, call, dir, folders, home } = await opened(t)
  await activate({ precision: 'float32' })
  const float = await read()
  const again = await jsonOf<Activation>(await activate({}))
  assert.equal(again.precision, 'float32', 'auto leaves what answers already as it is')
  const activation = await jsonOf<Activation>(await activate({ precision: 'int8' }))
  assert.equal(activation.precision, 'int8')
  assert.match(
    activation.steps.find((step) => step.name === 'golden')?.detail ?? '',
    /largest difference .* of 0\.02 allowed/,
  )
  const reduced = await read({ explain: 'gradcam' })
  assert.equal(reduced.precision, 'int8')
  assert.equal(reduced.activation, activation.id)
  assert.ok(reduced.heatmap, 'it explains as the float graph does')
  const { manifest, sha256 } = await readManifest(dir)
  const named = await read({ version: ID })
  assert.equal(named.precision, 'int8', 'by name, the active version answers as it does')
  const trainedAs = await home.runtime.leaseVersion({ id: ID, dir, sha256, precision: 'float32' })
  trainedAs.release()
  assert.equal(trainedAs.precision, 'float32', 'unless another precision is asked for')
  assert.equal(reduced.calibration?.temperature, manifest.int8?.calibration?.temperature)
  assert.equal(float.calibration?.temperature, manifest.calibration?.temperature)
  const [a, b] = [float.classes[0]?.logit ?? 0, reduced.classes[0]?.logit ?? 0]
  assert.ok(a !== b && Math.abs(a - b) < 0.5, `${a} and ${b}`)
  assert.deepEqual(
    (await history()).map((line) => line.precision),
    ['int8', 'float32'],
  )
  const same = await jsonOf<Activation>(await activate({ precision: 'int8' }))
  assert.equal(same.id, activation.id, 'asked for again, it is no new line')
  const pointer = JSON.parse(await readFile(join(folders.modelsDir, 'spots/active.json'), 'utf8'))
  assert.deepEqual(Object.keys(pointer), ['schema', 'version', 'sha256', 'activation', 'since'])
  const copy = join(folders.dataDir, 'serving', activation.sha256 ?? '', 'models')
  assert.ok((await readdir(copy)).includes('tiny-cnn-quick.int8.onnx'))
  const version = await jsonOf<Version>(await call('/api/v1/versions/spots/tiny-cnn-quick/1'))
  assert.equal(version.int8?.metrics?.accuracy, manifest.int8?.metrics?.accuracy)
  const html = { headers: { accept: 'text/html' } }
  const page = await (await call('/conditions/spots', html)).text()
  assert.match(page, /in int8/)
  assert.match(page, /Roll back to tiny-cnn-quick@1 in float32/)
  const model = await (await call('/models/spots/tiny-cnn-quick/1', html)).text()
  assert.match(model, /Figures in both precisions/)
  assert.match(model, /Change precision/)
})

test('a rollback returns to the precision of before, twice to the start, and a restart keeps it', async (t) => {
  const { activate, read, call, home, folders } = await opened(t)
  await activate({ precision: 'float32' })
  await activate({ precision: 'int8' })
  const rollBack = async () =>
    jsonOf<Activation>(await call(`${PATH}/rollback`, jsonBody({ reason: 'back' })))
  assert.equal((await rollBack()).precision, 'float32')
  assert.equal((await read()).precision, 'float32')
  assert.equal((await rollBack()).precision, 'int8')
  const before = await read()
  assert.equal(before.precision, 'int8')
  await home.close()
  const next = await openedHome(folders)
  const after = await calling(next.call).read()
  assert.equal(after.precision, 'int8')
  assert.deepEqual(after.classes, before.classes)
})

test('a version without int8 is not activated in it, and a wrong word is refused', async (t) => {
  const folders = await homeFolders(t)
  const plain = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const { call } = await openedHome(folders)
  const path = '/api/v1/conditions/pneumonia'
  const activate = (precision: string) =>
    call(`${path}/activate`, jsonBody({ version: plain.id, reason: 'a test', precision }))
  const absent = await activate('int8')
  assert.equal(absent.status, 409)
  assert.match((await problemOf(absent)).detail, /^pneumonia\/tiny@1 has no graph in int8: /)
  const wrong = await activate('float16')
  assert.equal(wrong.status, 422)
  assert.match((await problemOf(wrong)).detail, /"auto", "float32" or "int8"/)
  const form = new URLSearchParams({ version: plain.id, reason: 'a test', precision: 'float16' })
  const page = await call('/conditions/pneumonia/activate', { method: 'POST', body: form })
  assert.equal(page.status, 422)
  const { items } = await jsonOf<{ items: Activation[] }>(await call(`${path}/history`))
  assert.deepEqual(items, [])
  assert.equal((await jsonOf<Activation>(await activate('auto'))).precision, 'float32')
})

test('one changed byte of the int8 graph refuses the version, whatever its precision', async (t) => {
  const { activate, dir, history } = await opened(t)
  await appendFile(join(dir, 'models/tiny-cnn-quick.int8.onnx'), ' ')
  for (const precision of ['int8', 'float32', 'auto']) {
    const refused = await activate({ precision })
    assert.equal(refused.status, 409)
    const { code, detail } = await problemOf(refused)
    assert.equal(code, 'hash-mismatch')
    assert.match(detail, /int8\.onnx/)
  }
  assert.deepEqual(
    (await history()).map((line) => [line.outcome, line.precision]),
    [
      ['refused', null],
      ['refused', 'float32'],
      ['refused', 'int8'],
    ],
  )
})

test('int8 that does not reproduce its golden outputs is refused, and auto takes float32 and says why', async (t) => {
  const folders = await homeFolders(t)
  await store(folders, 2, async (dir) => {
    const file = join(dir, 'results/golden/int8.json')
    const golden = JSON.parse(await readFile(file, 'utf8'))
    for (const item of golden.items) item.probabilities.reverse()
    await writeFile(file, JSON.stringify(golden))
  })
  const { call } = await openedHome(folders)
  const { activate, read } = calling(call)
  const forced = await activate({ version: SECOND, precision: 'int8' })
  assert.equal(forced.status, 409)
  assert.equal((await problemOf(forced)).code, 'golden-mismatch')
  const auto = await jsonOf<Activation>(await activate({ version: SECOND }))
  assert.equal(auto.precision, 'float32')
  assert.match(auto.steps[1]?.detail ?? '', /float32 chosen, because int8 failed: Golden image/)
  assert.equal((await read()).precision, 'float32')
  assert.ok((await stat(join(folders.modelsDir, 'spots/active.json'))).size > 0)
})
