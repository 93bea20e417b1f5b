// Aliases, rules of promotion and reasons over the API, on pages and wherever a version is named.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { ConditionSchema } from '../../../src/server/conditions/schema.ts'
import { PredictionSchema } from '../../../src/server/predictions/schema.ts'
import { roentgen } from '../../cli/run-cli.ts'
import { image } from '../../inference/tiny-package.ts'
import {
  homeFolders,
  imageForm,
  jsonBody,
  jsonOf,
  openedHome,
  storePackage,
} from '../../support/home.ts'

const CONDITION = '/api/v1/conditions/pneumonia'

async function withTwo(t: TestContext) {
  const folders = await homeFolders(t)
  const a = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const b = await storePackage(folders, { seed: 2, accuracy: 0.9 })
  const blind = await storePackage(folders, { seed: 3 })
  const opened = await openedHome(folders)
  const post = (path: string, body: object) => opened.call(`${CONDITION}${path}`, jsonBody(body))
  const send = (path: string, fields: Record<string, string>) =>
    opened.call(`/conditions/pneumonia${path}`, {
      method: 'POST',
      body: new URLSearchParams(fields),
      headers: { accept: 'text/html' },
    })
  return { ...opened, folders, a, b, blind, post, send }
}

test('an alias stands wherever a version is named', async (t) => {
  const { home, call, folders, a, b, blind, post } = await withTwo(t)
  const alias = (name: string, version: string | null) =>
    post('/aliases', { alias: name, version, reason: 'chosen' })
  assert.equal((await alias('champion', a.id)).status, 200)
  assert.equal((await alias('candidate', b.id)).status, 200)
  assert.equal((await alias('candidate', blind.id)).status, 409)
  assert.equal((await alias('candidate', 'pneumonia/tiny@9')).status, 404)
  assert.equal((await alias('9', a.id)).status, 422)

  const activated = await post('/activate', { version: 'pneumonia@champion', reason: 'by name' })
  assert.equal((await jsonOf<{ version: string }>(activated)).version, a.id)
  const predict = async (fields: Record<string, string>) => {
    const body = imageForm({ image: await image(3), condition: 'pneumonia', ...fields })
    return call('/api/v1/predict', { method: 'POST', body })
  }
  const read = await predict({ version: 'pneumonia@candidate', explain: 'none' })
  assert.equal(PredictionSchema.parse(await read.json()).version, b.id)
  assert.equal((await predict({ version: 'pneumonia@nobody' })).status, 404)
  const compared = await call('/api/v1/compare', {
    method: 'POST',
    body: imageForm({
      image: await image(4),
      condition: 'pneumonia',
      a: 'pneumonia@champion',
      b: 'pneumonia@candidate',
    }),
  })
  const sides = await jsonOf<{ a: { version: string }; b: { version: string } }>(compared)
  assert.deepEqual([sides.a.version, sides.b.version], [a.id, b.id])
  assert.equal(
    (await post('/challenger', { version: 'pneumonia@candidate', mode: 'shadow' })).status,
    200,
  )
  const path = `/api/v1/versions/${a.id.replace('@', '/')}`
  assert.deepEqual((await jsonOf<{ aliases: string[] }>(await call(path))).aliases, ['champion'])

  // From a terminal, when nobody serves the home.
  folders.closing.pop()
  await home.close()
  const cli = (...words: string[]) => roentgen(words, { env: folders.env })
  const moved = await cli('alias', 'set', 'pneumonia@champion', b.id, '--reason', 'tried it')
  assert.equal(moved.status, 0, moved.stderr)
  assert.match(
    (await cli('alias', 'list', 'pneumonia')).stdout,
    /pneumonia@champion +pneumonia\/tiny@2/,
  )
  assert.match((await cli('versions', 'show', 'pneumonia@champion')).stdout, /pneumonia\/tiny@2/)
  const answering = await cli('activate', 'pneumonia@champion', '--reason', 'by its name')
  assert.match(answering.stdout, /pneumonia\/tiny@2 answers/)
  const wrong = await cli('activate', 'pneumonia@loser', '--reason', 'x')
  assert.equal(wrong.status, 1)
  assert.match(wrong.stderr, /No version of "pneumonia" is called "loser"/)
  assert.equal((await cli('alias', 'remove', 'pneumonia@champion')).status, 0)
})

test('an active.json that names an alias is a request for what it points at', async (t) => {
  const { home, call, folders, a, b, post } = await withTwo(t)
  await post('/activate', { version: a.id, reason: 'the first' })
  await post('/aliases', { alias: 'champion', version: b.id })
  const file = join(folders.modelsDir, 'pneumonia', 'active.json')
  await writeFile(file, JSON.stringify({ version: 'pneumonia@champion' }))
  const until = performance.now() + 60_000
  for (;;) {
    const { active } = ConditionSchema.parse(await (await call(CONDITION)).json())
    if (active?.version === b.id) break
    assert.ok(performance.now() < until, 'the edit is never taken up')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.equal(home.isReady, true)
})

test('the page moves an alias, sets a rule and changes settings, each with its reason', async (t) => {
  const { call, a, send, post } = await withTwo(t)
  await post('/activate', { version: a.id, reason: 'the first' })
  const fields = { alias: 'champion', version: a.id, reason: 'it answers' }
  assert.equal((await send('/aliases', fields)).status, 303)
  assert.equal((await send('/settings', { policy: 'follow', reason: 'let it flow' })).status, 303)
  const rule = { minCases: '40', margin: '0.05', reason: 'forty are enough' }
  assert.equal((await send('/promotion-rule', rule)).status, 303)
  const page = await (
    await call('/conditions/pneumonia', { headers: { accept: 'text/html' } })
  ).text()
  for (const words of ['pneumonia@champion', 'let it flow', 'forty are enough', 'After 40 cases']) {
    assert.ok(page.includes(words), words)
  }
  const changes = await jsonOf<{ items: { field: string; reason: string | null }[] }>(
    await call(`${CONDITION}/changes`),
  )
  assert.deepEqual(
    changes.items.slice(0, 3).map((one) => [one.field, one.reason]),
    [
      ['promotionRule', 'forty are enough'],
      ['policy', 'let it flow'],
      ['alias:champion', 'it answers'],
    ],
  )
  assert.equal((await send('/promotion-rule', { ...rule, minCases: 'many' })).status, 422)
  assert.equal((await send('/promotion-rule', { ...rule, reason: '' })).status, 422)
  assert.equal((await send('/promotion-rule', { off: '1', reason: 'by hand again' })).status, 303)
  assert.equal((await send('/aliases', { alias: 'champion', remove: '1' })).status, 303)
  const { rule: none } = await jsonOf(await call(`${CONDITION}/promotion-rule`))
  assert.equal(none, null)
})

test('the last case that a rule waits for promotes the challenger, and the reader is not kept waiting', async (t) => {
  const { home, call, a, b, post } = await withTwo(t)
  await post('/activate', { version: a.id, reason: 'the first' })
  await post('/challenger', { version: b.id, mode: 'shadow' })
  const rule = { rule: { minCases: 2, margin: 1 }, reason: 'two will do' }
  assert.equal((await post('/promotion-rule', rule)).status, 200)
  for (const seed of [1, 2]) {
    const body = imageForm({ image: await image(seed), condition: 'pneumonia', explain: 'none' })
    const read = PredictionSchema.parse(
      await (await call('/api/v1/predict', { method: 'POST', body })).json(),
    )
    assert.equal(read.version, a.id)
    await home.shadow.whenIdle()
    const said = jsonBody({ verdict: 'agree' })
    assert.equal((await call(`/api/v1/predictions/${read.id}/feedback`, said)).status, 201)
    await home.tasks.whenIdle()
  }
  const { active, challenger } = ConditionSchema.parse(await (await call(CONDITION)).json())
  assert.deepEqual([active?.version, challenger], [b.id, null])
  const page = await (
    await call('/conditions/pneumonia', { headers: { accept: 'text/html' } })
  ).text()
  assert.match(page, /Challenger evidence/)
})
