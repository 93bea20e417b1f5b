// A challenger over the API, with real hosts: it never answers in shadow, and answers its share when asked to.
import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { isInShare } from '../../../src/app/diagnosis/traffic-split.ts'
import { ConditionSchema, EvidenceSchema } from '../../../src/server/conditions/schema.ts'
import { PredictionSchema } from '../../../src/server/predictions/schema.ts'
import { image } from '../../inference/tiny-package.ts'
import {
  homeFolders,
  imageForm,
  jsonBody,
  jsonOf,
  openedHome,
  storePackage,
} from '../../support/home.ts'

const PATH = '/api/v1/conditions/pneumonia/challenger'

async function challenged(t: TestContext) {
  const folders = await homeFolders(t)
  const a = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const b = await storePackage(folders, { seed: 2, accuracy: 0.9 })
  const none = await storePackage(folders, { seed: 3 })
  const { home, call } = await openedHome(folders)
  const body = jsonBody({ version: a.id, reason: 'the first' })
  assert.equal((await call('/api/v1/conditions/pneumonia/activate', body)).status, 200)
  const read = async (seed: number) => {
    const form = imageForm({ image: await image(seed), condition: 'pneumonia', explain: 'none' })
    const response = await call('/api/v1/predict', { method: 'POST', body: form })
    assert.equal(response.status, 200)
    return PredictionSchema.parse(await response.json())
  }
  return { home, call, read, a, b, none, folders }
}

test('a shadow reads what was answered, is never the answer, and its pairs are evidence', async (t) => {
  const { home, call, read, a, b } = await challenged(t)
  assert.equal((await call(PATH)).status, 404)
  const set = await call(PATH, jsonBody({ version: b.id, mode: 'shadow' }))
  assert.equal(set.status, 200)
  const { challenger } = ConditionSchema.parse(await set.json())
  assert.deepEqual(challenger, { version: b.id, mode: 'shadow', share: null })

  const read1 = await read(1)
  for (const seed of [2, 3, 4, 5]) {
    assert.equal((await read(seed)).version, a.id)
    await home.shadow.whenIdle()
  }
  await home.shadow.whenIdle()
  const verdict = jsonBody({ verdict: 'disagree' })
  assert.equal((await call(`/api/v1/predictions/${read1.id}/feedback`, verdict)).status, 201)
  const evidence = EvidenceSchema.parse(await (await call(PATH)).json())
  assert.equal(evidence.pairs, 5)
  assert.equal(evidence.challenge.version, b.id)
  assert.equal(evidence.active, a.id)
  assert.equal(evidence.truth.n, 1)
  assert.ok(evidence.meanGap !== null && evidence.meanGap > 0)
  assert.equal(evidence.disagreements.length, evidence.disagreementCount)

  const page = await (
    await call('/conditions/pneumonia', { headers: { accept: 'text/html' } })
  ).text()
  assert.match(page, /Images analysed by both<\/dt><dd>5</)
  assert.match(page, />Promote</)

  const over = await call(PATH, jsonBody({ version: null }))
  assert.equal(ConditionSchema.parse(await over.json()).challenger, null)
  await read(6)
  await home.shadow.whenIdle()
  assert.ok(home.runtime.status().every((host) => host.role !== 'challenger'))
})

test('a split answers its share, the same image always by the same version', async (t) => {
  const { call, read, a, b } = await challenged(t)
  const set = await call(PATH, jsonBody({ version: b.id, mode: 'split', share: 0.5 }))
  assert.equal(set.status, 200)
  const seen = new Set<string>()
  for (let seed = 1; seed <= 12; seed++) {
    const first = await read(seed)
    const expected = isInShare(first.image.sha256, 0.5) ? 'challenger' : 'active'
    assert.equal(first.role, expected)
    assert.equal(first.version, expected === 'challenger' ? b.id : a.id)
    assert.equal((await read(seed)).version, first.version)
    seen.add(first.role)
  }
  assert.equal(seen.size, 2)
  const { arms } = EvidenceSchema.parse(await (await call(PATH)).json())
  assert.equal(
    arms?.reduce((sum, arm) => sum + Number(arm.predictions), 0),
    24,
  )
})

test('the form of the page sets and ends a challenger, and says why it cannot', async (t) => {
  const { call, b, none } = await challenged(t)
  const send = (fields: Record<string, string>) =>
    call('/conditions/pneumonia/challenger', {
      method: 'POST',
      body: new URLSearchParams(fields),
      headers: { accept: 'text/html' },
    })
  const refused = await send({ version: none.id, mode: 'shadow' })
  assert.equal(refused.status, 409)
  assert.match(await refused.text(), /has no metrics/)
  assert.equal((await send({ version: b.id, mode: 'split', share: '0.25' })).status, 303)
  const state = async () =>
    ConditionSchema.parse(await (await call('/api/v1/conditions/pneumonia')).json()).challenger
  assert.deepEqual(await state(), { version: b.id, mode: 'split', share: 0.25 })
  assert.equal((await send({ end: '1' })).status, 303)
  assert.equal(await state(), null)
})

test('what cannot challenge is refused, and nothing changes', async (t) => {
  const { call, a, b, none } = await challenged(t)
  const refused = async (body: unknown, status: number, code: string) => {
    const response = await call(PATH, jsonBody(body))
    assert.equal(response.status, status)
    assert.equal((await jsonOf(response)).code, code)
  }
  await refused({ version: b.id }, 422, 'invalid')
  await refused({ version: b.id, mode: 'split' }, 422, 'invalid')
  await refused({ version: a.id, mode: 'shadow' }, 409, 'conflict')
  await refused({ version: none.id, mode: 'shadow' }, 409, 'unevaluated')
  await refused({ version: 'pneumonia/tiny@9', mode: 'shadow' }, 404, 'unknown-version')
  const { challenger } = ConditionSchema.parse(
    await (await call('/api/v1/conditions/pneumonia')).json(),
  )
  assert.equal(challenger, null)
})

test('a challenger that is promoted ends as one, and one that was there comes back after a restart', async (t) => {
  const { home, call, a, b, folders } = await challenged(t)
  await call(PATH, jsonBody({ version: b.id, mode: 'shadow' }))
  folders.closing.pop()
  await home.close()
  const again = await openedHome(folders)
  const roles = () => again.home.runtime.status().map((host) => [host.id, host.role])
  assert.ok(roles().some(([id, role]) => id === b.id && role === 'challenger'))
  const body = jsonBody({ version: b.id, reason: 'better' })
  const promoted = await again.call('/api/v1/conditions/pneumonia/activate', body)
  assert.equal(promoted.status, 200)
  const { active, challenger } = ConditionSchema.parse(
    await (await again.call('/api/v1/conditions/pneumonia')).json(),
  )
  assert.equal(active?.version, b.id)
  assert.equal(challenger, null)
  assert.ok(roles().every(([, role]) => role !== 'challenger'))
  assert.ok(roles().some(([id, role]) => id === a.id && role === 'previous'))
})
