// The Prediction of the contract, for each kind of condition, as a program gets it from a started server.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import sharp from 'sharp'
import { preprocessingDigest } from '../../src/imaging/preprocessing.ts'
import { ProblemSchema } from '../../src/server/operations/problem-schema.ts'
import { PredictionSchema } from '../../src/server/predictions/schema.ts'
import { image, PREPROCESSING } from '../inference/tiny-package.ts'
import { imageForm } from '../support/home.ts'
import {
  activationOf,
  assertProblem,
  predictionOf,
  type Started,
  started,
} from './served-contract.ts'

const THREE = [
  { label: 'a', positive: false },
  { label: 'b', positive: true },
  { label: 'c', positive: true },
]
const POINTS = [
  { name: 'youden', thresholds: { PNEUMONIA: 0.4 }, sensitivity: 0.9, specificity: 0.8 },
  { name: 'never', thresholds: { PNEUMONIA: 0.999999 }, sensitivity: 0, specificity: 1 },
]
const CALIBRATION = {
  method: 'temperature' as const,
  temperature: 1.83,
  eceBefore: 0.08,
  eceAfter: 0.02,
  n: 100,
}
const FIELDS = {
  operatingPoints: POINTS,
  defaultOperatingPoint: 'youden',
  calibration: CALIBRATION,
}
const PACKAGES = [
  { seed: 1, accuracy: 0.9, fields: FIELDS },
  { seed: 2, accuracy: 0.9 },
  { seed: 1, accuracy: 0.9, condition: 'skin', kind: 'single-label', classes: THREE },
  { seed: 1, accuracy: 0.9, condition: 'many', kind: 'multi-label', classes: THREE },
] as const
const PREDICT = '/api/v1/predict'

async function activated(server: Started, version: string) {
  const path = `/api/v1/conditions/${version.split('/')[0]}/activate`
  return activationOf(await server.post(path, { version, reason: 'to be tried' }))
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

test('each kind of condition has its own arithmetic, and the confidence is that of the decision', async (t) => {
  const server = await started(t, { packages: PACKAGES })
  const png = await image(1)
  for (const version of ['pneumonia/tiny@1', 'skin/tiny@1', 'many/tiny@1']) {
    const { id, sha256 } = await activated(server, version)
    const condition = version.split('/')[0] ?? ''
    const one = await predictionOf(await server.send(PREDICT, { image: png, condition }))
    const [first, second] = one.classes
    assert.equal(one.version, version)
    assert.equal(one.sha256, sha256)
    assert.equal(one.activation, id)
    assert.equal(one.role, 'active')
    const decided = one.classes.find(({ label }) => label === one.decision.label)
    assert.equal(one.confidence, decided?.probability)
    const total = sum(one.classes.map(({ probability }) => probability))
    if (condition === 'many') {
      for (const { logit, uncalibrated } of one.classes) {
        assert.ok(
          Math.abs(1 / (1 + Math.exp(-(logit ?? Number.NaN))) - (uncalibrated ?? Number.NaN)) <
            1e-6,
        )
      }
    } else assert.ok(Math.abs(total - 1) < 1e-9, `${condition} sums to ${total}`)
    if (condition === 'pneumonia') {
      assert.equal(first?.logit, -(second?.logit ?? Number.NaN))
      assert.notEqual(second?.probability, second?.uncalibrated)
      assert.deepEqual(one.calibration, {
        method: 'temperature',
        temperature: 1.83,
        eceBefore: 0.08,
        eceAfter: 0.02,
      })
    } else assert.equal(one.calibration, null)
    assert.deepEqual([one.image.width, one.image.height, one.image.format], [24, 20, 'png'])
    assert.equal(one.image.sha256, createHash('sha256').update(png).digest('hex'))
    assert.equal(one.preprocessing, preprocessingDigest(PREPROCESSING))
    assert.match(one.at, /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/)
  }
})

test('operating point, target, layer, version and explanation are taken, or refused by name', async (t) => {
  const server = await started(t, { packages: PACKAGES })
  await activated(server, 'pneumonia/tiny@1')
  const base = { image: await image(1), condition: 'pneumonia' }
  const ask = (fields: Record<string, string>) => server.send(PREDICT, { ...base, ...fields })
  const read = async (fields: Record<string, string>) => predictionOf(await ask(fields))

  assert.equal((await read({})).decision.operatingPoint, 'youden')
  const strict = (await read({ operatingPoint: 'never' })).decision
  assert.deepEqual([strict.label, strict.positive, strict.threshold], ['NORMAL', false, 0.999999])
  for (const method of ['gradcam', 'gradcam++', 'hirescam', 'occlusion']) {
    const { heatmap } = await read({ explain: method, target: 'NORMAL' })
    assert.equal(heatmap?.method, method)
    assert.equal(heatmap?.target, 'NORMAL')
  }
  assert.equal((await read({})).heatmap?.method, 'gradcam')
  assert.equal((await read({ explain: 'none' })).heatmap, null)
  const other = await read({ version: 'pneumonia/tiny@2' })
  assert.deepEqual([other.version, other.role], ['pneumonia/tiny@2', 'requested'])

  const refusals = [
    [{ operatingPoint: 'no' }, 422, 'unknown-operating-point'],
    [{ target: 'no' }, 422, 'unknown-target'],
    [{ layer: 'no' }, 422, 'unknown-layer'],
    [{ explain: 'no' }, 422, 'invalid'],
    [{ version: 'pneumonia/tiny@9' }, 404, 'unknown-version'],
    [{ version: 'skin/tiny@1' }, 404, 'unknown-version'],
    [{ condition: 'nothing' }, 404, 'unknown-condition'],
    [{ condition: ' ' }, 422, 'condition-required'],
    [{ condition: 'skin' }, 409, 'no-active-version'],
  ] as const
  for (const [fields, status, code] of refusals) {
    await assertProblem(await ask(fields), { status, code })
  }
  const without = await server.send(PREDICT, { condition: 'pneumonia' })
  await assertProblem(without, { status: 422 })
})

test('the heatmap is as large as the upright image and transparent; a composite is not; both go with the result', async (t) => {
  const server = await started(t, { packages: PACKAGES })
  await activated(server, 'pneumonia/tiny@1')
  // Stored lying on its side: upright it is 20 wide and 24 high.
  const turned = await sharp(await image(1))
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer()
  const form = { image: turned, condition: 'pneumonia' }
  const one = await predictionOf(await server.send(PREDICT, form))
  assert.deepEqual([one.image.width, one.image.height], [20, 24])
  const url = one.heatmap?.url ?? ''
  for (const [query, hasAlpha] of [
    ['', true],
    ['?composite=1', false],
  ] as const) {
    const response = await server.call(`${url}${query}`)
    assert.equal(response.headers.get('content-type'), 'image/png')
    const found = await sharp(await response.bytes()).metadata()
    assert.deepEqual([found.width, found.height, found.hasAlpha], [20, 24, hasAlpha], query)
  }
  const none = await predictionOf(await server.send(PREDICT, { ...form, explain: 'none' }))
  await assertProblem(await server.call(`/api/v1/predictions/${none.id}/heatmap.png`), {
    status: 404,
  })
  const path = `/api/v1/predictions/${one.id}`
  assert.equal((await server.call(path)).status, 200)
  assert.equal((await server.call(path, { method: 'DELETE' })).status, 204)
  await assertProblem(await server.call(path), { status: 404, code: 'unknown-prediction' })
  await assertProblem(await server.call(url), { status: 404 })
})

test('a batch has a line for each image in order, also for one that is damaged or too large', async (t) => {
  const server = await started(t, { packages: PACKAGES, env: { ROENTGEN_MAX_UPLOAD_MB: '1' } })
  await activated(server, 'pneumonia/tiny@1')
  const [one, two] = [await image(1), await image(2)]
  const large = new Uint8Array(1024 * 1024 + 1)
  const form = imageForm({ condition: 'pneumonia', explain: 'none' })
  const sent = [one, one.subarray(0, 100), large, two, new TextEncoder().encode('no image')]
  for (const bytes of sent) form.append('image', new Blob([Uint8Array.from(bytes)]), 'x.png')
  const response = await server.call('/api/v1/batch', { method: 'POST', body: form })
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson')
  const lines = (await response.text()).trimEnd().split('\n')
  const found = lines.map((line) => {
    const json = JSON.parse(line)
    return 'code' in json
      ? ProblemSchema.parse(json).status
      : PredictionSchema.parse(json).image.sha256
  })
  const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
  assert.deepEqual(found, [digest(one), 422, 413, digest(two), 415])

  const path = '/api/v1/batch'
  const whole = { image: one, condition: 'skin' }
  await assertProblem(await server.send(path, whole), { status: 409, code: 'no-active-version' })
  const version = { ...whole, version: 'skin/tiny@7' }
  await assertProblem(await server.send(path, version), { status: 404, code: 'unknown-version' })
  const alone = { image: large, condition: 'pneumonia' }
  await assertProblem(await server.send(PREDICT, alone), { status: 413, code: 'upload-too-large' })
})

test('a comparison holds two predictions, whether they agree, and b minus a for each class', async (t) => {
  const server = await started(t, { packages: PACKAGES })
  const form = { image: await image(1), condition: 'pneumonia', a: 'pneumonia/tiny@1' }
  const response = await server.send('/api/v1/compare', { ...form, b: 'pneumonia/tiny@2' })
  assert.equal(response.status, 200)
  const json = (await response.json()) as Record<'a' | 'b' | 'agree' | 'deltas', unknown>
  const [a, b] = [PredictionSchema.parse(json.a), PredictionSchema.parse(json.b)]
  assert.deepEqual([a.version, b.version], ['pneumonia/tiny@1', 'pneumonia/tiny@2'])
  assert.equal(json.agree, a.decision.label === b.decision.label)
  assert.deepEqual(
    json.deltas,
    Object.fromEntries(
      a.classes.map(({ label, probability }, i) => [
        label,
        (b.classes[i]?.probability ?? 0) - probability,
      ]),
    ),
  )
  await assertProblem(await server.send('/api/v1/compare', form), { status: 422 })
})
