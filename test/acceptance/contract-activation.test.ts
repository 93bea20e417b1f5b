// Activating, rolling back and the history of it, as the contract says, from a started server.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { ActivationSchema, ConditionSchema } from '../../src/server/conditions/schema.ts'
import { pageOf } from '../../src/server/operations/shared-schemas.ts'
import { activationOf, assertProblem, type Started, started } from './served-contract.ts'

const API = '/api/v1/conditions/pneumonia'
const ID = (n: number): string => `pneumonia/tiny@${n}`
/** 3 is worse than 1 and 2; 4 was never measured; 5 does not give what its golden images say. */
const PACKAGES = [
  { seed: 1, accuracy: 0.9 },
  { seed: 2, accuracy: 0.91 },
  { seed: 3, accuracy: 0.5 },
  { seed: 4 },
  { seed: 5, accuracy: 0.95, goldenError: 0.2 },
]

const activate = (server: Started, body: object) => server.post(`${API}/activate`, body)
const rollback = (server: Started, body: object) => server.post(`${API}/rollback`, body)

async function history(server: Started, query = '') {
  const response = await server.call(`${API}/history${query}`)
  assert.equal(response.status, 200, query)
  return pageOf(ActivationSchema).parse(await response.json())
}

async function active(server: Started): Promise<string | undefined> {
  return ConditionSchema.parse(await (await server.call(API)).json()).active?.version
}

async function pointer(server: Started) {
  const path = join(server.folders.modelsDir, 'pneumonia/active.json')
  return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
}

test('an activation goes through the gate; what is forced is only worse or unmeasured', async (t) => {
  const server = await started(t, { packages: PACKAGES })
  await assertProblem(await activate(server, { version: ID(1) }), { status: 422 })
  await assertProblem(await activate(server, { version: ID(1), reason: ' ' }), { status: 422 })
  for (const version of [ID(9), 'skin/tiny@1', 'nonsense']) {
    const expected = { status: 404, code: 'unknown-version' }
    await assertProblem(await activate(server, { version, reason: 'x' }), expected)
  }
  assert.deepEqual((await history(server)).items, [], 'a request that is wrong leaves no line')

  const first = await activationOf(await activate(server, { version: ID(1), reason: 'first' }))
  assert.deepEqual([first.version, first.previous, first.via], [ID(1), null, 'api'])
  assert.equal(first.outcome, 'activated')
  const { since: _, ...file } = await pointer(server)
  const { id: activation, sha256 } = first
  assert.deepEqual(file, { schema: 1, version: ID(1), sha256, activation })

  const again = await activationOf(await activate(server, { version: ID(1), reason: 'again' }))
  assert.equal(again.id, first.id)
  assert.equal((await history(server)).items.length, 1, 'already active: no new line')

  const refusals = [
    [{ version: ID(3) }, 'gate'],
    [{ version: ID(4) }, 'unevaluated'],
    [{ version: ID(5) }, 'golden-mismatch'],
    [{ version: ID(5), force: true }, 'golden-mismatch'],
  ] as const
  for (const [body, code] of refusals) {
    const response = await activate(server, { ...body, reason: 'try' })
    await assertProblem(response, { status: 409, code })
    const [line] = (await history(server, '?limit=1')).items
    assert.deepEqual([line?.outcome, line?.version], ['refused', body.version])
    assert.equal(line?.steps.at(-1)?.ok, false)
    assert.equal(await active(server), ID(1))
  }
  for (const version of [ID(3), ID(4)]) {
    await assertProblem(await activate(server, { version, force: true }), { status: 422 })
    await activationOf(await activate(server, { version, force: true, reason: 'we know why' }))
    assert.equal(await active(server), version)
  }
})

test('rolling back twice returns to the start; `to` chooses of what has answered; it skips the metrics and nothing else', async (t) => {
  const server = await started(t, { packages: PACKAGES })
  const nothing = { status: 409, code: 'nothing-to-roll-back' }
  await assertProblem(await rollback(server, { reason: 'x' }), nothing)
  await activationOf(await activate(server, { version: ID(1), reason: 'first' }))
  await assertProblem(await rollback(server, { reason: 'x' }), nothing)
  await activationOf(await activate(server, { version: ID(2), reason: 'second' }))
  await assertProblem(await rollback(server, {}), { status: 422 })
  for (const expected of [ID(1), ID(2)]) {
    const line = await activationOf(await rollback(server, { reason: 'back' }))
    assert.equal(line.version, expected)
    assert.ok(!line.steps.some((step) => step.name === 'metrics'))
    assert.equal(await active(server), expected)
    assert.equal((await pointer(server)).activation, line.id)
  }
  const never = { status: 409, code: 'never-active' }
  for (const n of [3, 4, 5]) {
    await assertProblem(await rollback(server, { to: ID(n), reason: 'x' }), never)
  }
  assert.equal(await active(server), ID(2))
  const forced = { version: ID(3), force: true, reason: 'as a trial' }
  await activationOf(await activate(server, forced))
  await activationOf(await activate(server, { version: ID(2), reason: 'the better one' }))
  const worse = await activationOf(await rollback(server, { to: ID(3), reason: 'the worse one' }))
  assert.equal(worse.previous, ID(2))
  assert.ok(!worse.steps.some((step) => step.name === 'metrics'))
  const unknown = { status: 404, code: 'unknown-version' }
  await assertProblem(await rollback(server, { to: ID(9), reason: 'x' }), unknown)
  assert.equal(await active(server), ID(3))

  // The history is paged newest first, and says what answered at a time.
  const all = (await history(server)).items
  const paged: string[] = []
  let query = '?limit=2'
  for (;;) {
    const { items, nextCursor } = await history(server, query)
    paged.push(...items.map(({ id }) => id))
    if (nextCursor === null) break
    query = `?limit=2&cursor=${encodeURIComponent(nextCursor)}`
  }
  assert.deepEqual(
    paged,
    all.map(({ id }) => id),
  )
  const second = all.find((line) => line.version === ID(2))
  const at = encodeURIComponent(all.at(-2)?.at ?? '')
  assert.equal((await history(server, `?at=${at}`)).items[0]?.version, second?.version)
  assert.deepEqual((await history(server, '?at=2020-01-01T00:00:00Z')).items, [])
  for (const wrong of ['?at=soon', '?cursor=zz', '?limit=0', '?limit=x', '?limit=1.5']) {
    await assertProblem(await server.call(`${API}/history${wrong}`), { status: 422 })
  }
})
