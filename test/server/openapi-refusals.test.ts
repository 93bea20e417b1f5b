// A wrong request to any operation of the API is refused with a problem that its document describes.
import assert from 'node:assert/strict'
import test from 'node:test'
import { documentOf, filledHome } from '../support/api/filled-home.ts'
import { AnswerCheck, type Described, operationsOf } from '../support/api/openapi-answers.ts'
import { jsonOf } from '../support/home.ts'

type Json = Readonly<Record<string, string>>

test('a wrong body, query or parameter of every operation is refused with a problem and a code', async (t) => {
  const { call } = await filledHome(t)
  const document = await documentOf(call)
  const checker = new AnswerCheck(document)
  let count = 0
  const refused = async (
    { key, method, path }: Described,
    o: { init?: RequestInit; query?: string; status?: number },
  ) => {
    const address = path.replaceAll(/\{\w+\}/g, 'no-such')
    const response = await call(`${address}${o.query ?? ''}`, {
      method: method.toUpperCase(),
      ...o.init,
    })
    const told = `${key} ${o.query ?? ''} ${String(o.init?.body ?? '')}`
    assert.ok(response.status >= 400 && response.status < 500, `${told}: ${response.status}`)
    if (o.status) assert.equal(response.status, o.status, told)
    const problem = (await checker.check(key, response)) as Json
    assert.ok(problem.code, told)
    assert.doesNotMatch(
      problem.detail ?? '',
      /Invalid (input|option)|Too (big|small)|Unrecognized|expected/,
    )
    count += 1
    return problem
  }
  for (const operation of operationsOf(document)) {
    const { spec } = operation
    const before = count
    for (const { name, schema } of (spec.parameters ?? []).filter((one) => one.in === 'query')) {
      if (!schema.enum && schema.type !== 'number' && schema.type !== 'integer') continue
      const { field } = await refused(operation, { query: `?${name}=nonsense`, status: 422 })
      assert.equal(field, name)
    }
    const [type] = Object.keys(spec.requestBody?.content ?? {})
    if (type === 'application/json') {
      for (const body of ['{', '[]', '"text"', '{"no-such-field-of-ours": {}, "version": 3}']) {
        const headers = { 'content-type': 'application/json' }
        const { code } = await refused(operation, { init: { body, headers } })
        assert.ok(/^(invalid$|unknown-|not-found)/.test(code ?? ''), `${operation.key} ${code}`)
      }
    } else if (type === 'multipart/form-data') {
      await refused(operation, { init: { body: new FormData() } })
    } else if (type) {
      await refused(operation, { init: { body: 'text' } })
    }
    const hasParams = spec.parameters?.some((one) => one.in === 'path')
    if (hasParams && type === undefined) await refused(operation, { status: 404 })
    if (count === before) {
      const response = await call(operation.path, { method: 'PUT' })
      assert.equal(response.status, 405, operation.key)
      assert.equal((await jsonOf(response)).code, 'method-not-allowed')
    }
  }
  assert.ok(count > 100, `${count} refusals`)
})
