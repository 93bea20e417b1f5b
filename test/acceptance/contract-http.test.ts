// The manners of the interface that every route shares: ids, methods, bodies, errors, lists.
import assert from 'node:assert/strict'
import test from 'node:test'
import { ConditionSchema } from '../../src/server/conditions/schema.ts'
import { pageOf } from '../../src/server/operations/shared-schemas.ts'
import { VersionSchema } from '../../src/server/versions/schema.ts'
import { assertProblem, started } from './served-contract.ts'

const CLASSES = [
  { label: 'clear', positive: false },
  { label: 'finding', positive: true },
]
const CONDITIONS = '/api/v1/conditions'

test('ids are lower-cased on creation, checked, and never the reserved words', async (t) => {
  const server = await started(t)
  const create = (id: unknown, rest: object = { kind: 'binary', classes: CLASSES }) =>
    server.post(CONDITIONS, { id, ...rest })
  const made = await create('Hand.X_1')
  assert.equal(made.status, 201)
  const condition = ConditionSchema.parse(await made.json())
  assert.deepEqual([condition.id, condition.policy, condition.active], ['hand.x_1', 'pinned', null])
  await assertProblem(await create('HAND.x_1'), { status: 409 })
  for (const id of [
    '',
    'inbox',
    'Logs',
    '.x',
    '-x',
    '../x',
    'a/b',
    'a b',
    'é',
    'x'.repeat(65),
    7,
  ]) {
    await assertProblem(await create(id), { status: 422 })
  }
  const shapes = [
    { kind: 'binary', classes: CLASSES.slice(1) },
    { kind: 'binary', classes: CLASSES.map((one) => ({ ...one, positive: true })) },
    { kind: 'single-label', classes: [CLASSES[0], CLASSES[0]] },
    { kind: 'other', classes: CLASSES },
    { kind: 'binary' },
  ]
  for (const shape of shapes) await assertProblem(await create('foot', shape), { status: 422 })
  assert.equal((await server.call(`${CONDITIONS}/hand.x_1/`)).status, 200, 'a slash at the end')
  const classes = [{ label: 'no', positive: false }, CLASSES[1]]
  assert.equal((await server.post(`${CONDITIONS}/hand.x_1`, { classes }, 'PATCH')).status, 200)
})

test('methods, bodies and addresses that are wrong get a problem document, and pages the same as HTML', async (t) => {
  const server = await started(t, { packages: [{ seed: 1, accuracy: 0.9 }] })
  const head = await server.call(CONDITIONS, { method: 'HEAD' })
  assert.deepEqual([head.status, await head.text()], [200, ''])
  const options = await server.call('/api/v1/predict', { method: 'OPTIONS' })
  assert.deepEqual([options.status, options.headers.get('allow')], [204, 'POST, OPTIONS'])
  assert.equal(options.headers.get('access-control-allow-origin'), null)
  const wrong = await server.call(CONDITIONS, { method: 'DELETE' })
  assert.equal(wrong.headers.get('allow'), 'GET, HEAD, POST, OPTIONS')
  await assertProblem(wrong, { status: 405 })

  const headers = { 'content-type': 'application/json' }
  for (const body of ['{bad', '[]', 'null', '', '{"version":1,"reason":"x"}']) {
    const path = `${CONDITIONS}/pneumonia/activate`
    const response = await server.call(path, { method: 'POST', headers, body })
    await assertProblem(response, { status: 422, code: 'invalid' })
  }
  const long = JSON.stringify({ id: 'x', name: 'x'.repeat(1024 * 1024) })
  const large = await server.call(CONDITIONS, { method: 'POST', headers, body: long })
  await assertProblem(large, { status: 413 })
  for (const [path, code] of [
    ['/api/v1/nothing', 'not-found'],
    [`${CONDITIONS}/nothing`, 'unknown-condition'],
    [`${CONDITIONS}/%2e%2e%2fx/history`, 'unknown-condition'],
    ['/api/v1/versions/pneumonia/tiny/2', 'unknown-version'],
    ['/api/v1/versions/pneumonia/tiny/0', 'unknown-version'],
    ['/api/v1/predictions/%00', 'unknown-prediction'],
  ] as const) {
    await assertProblem(await server.call(path), { status: 404, code })
  }
  const page = await server.call('/conditions/nothing', { headers: { accept: 'text/html' } })
  assert.equal(page.status, 404)
  assert.match(page.headers.get('content-type') ?? '', /^text\/html/)
  assert.match(await page.text(), /There is no condition/)
})

test('versions are found by words and filters, page by page, and wrong filters are named', async (t) => {
  const packages = [1, 2, 3].map((seed) => ({ seed, accuracy: 0.9 + seed / 100 }))
  const server = await started(t, { packages })
  const list = async (query: string) => {
    const response = await server.call(`/api/v1/versions${query}`)
    assert.equal(response.status, 200, query)
    const { items, nextCursor } = pageOf(VersionSchema).parse(await response.json())
    return { ids: items.map(({ id }) => id), nextCursor }
  }
  const id = (n: number): string => `pneumonia/tiny@${n}`
  assert.deepEqual((await list('?q=pneumonia%2Ftiny%402')).ids, [id(2)])
  assert.deepEqual((await list('?minAccuracy=0.925')).ids.length, 1)
  assert.deepEqual((await list('?condition=nothing')).ids, [])
  const first = await list('?sort=accuracy&order=asc&limit=2')
  assert.deepEqual(first.ids, [id(1), id(2)])
  const cursor = encodeURIComponent(first.nextCursor ?? '')
  const second = await list(`?sort=accuracy&order=asc&limit=2&cursor=${cursor}`)
  assert.deepEqual([second.ids, second.nextCursor], [[id(3)], null])
  for (const query of [
    'status=x',
    'sort=x',
    'order=x',
    'minAccuracy=2',
    'from=x',
    'limit=0',
    'cursor=x',
  ]) {
    await assertProblem(await server.call(`/api/v1/versions?${query}`), { status: 422 })
  }
  for (const query of ['limit=0', 'limit=x', 'cursor=x']) {
    await assertProblem(await server.call(`/api/v1/predictions?${query}`), { status: 422 })
  }
})
