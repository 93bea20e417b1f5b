// What is wrong in a request is said in plain sentences of ours, whatever the schema.
import assert from 'node:assert/strict'
import test from 'node:test'
import { z } from 'zod'
import { AppError } from '../../src/errors.ts'
import { parseWith } from '../../src/server/http/requests.ts'
import { numberIn, wholeNumberIn } from '../../src/server/operations/shared-schemas.ts'

const schema = z.strictObject({
  name: z.string().trim().min(1).max(100),
  code: z.string().min(3),
  n: z.int().min(1).max(9),
  share: z.number().gt(0).lt(1),
  isOn: z.boolean(),
  kind: z.enum(['a', 'b']),
  tags: z.array(z.string()).min(1).max(2),
  gate: z.object({ margin: z.number() }),
  at: z.iso.datetime(),
  oneOrMore: z.union([z.string(), z.array(z.string().min(1)).min(1)]),
  why: z.string().min(2, 'must say why'),
  any: z.record(z.string(), z.number()),
})

const RIGHT = {
  name: 'x',
  code: 'abc',
  n: 1,
  share: 0.5,
  isOn: true,
  kind: 'a',
  tags: ['x'],
  gate: { margin: 1 },
  at: '2026-01-31T12:00:00Z',
  oneOrMore: 'x',
  why: 'so',
  any: {},
}

function refusal(value: unknown, of: z.ZodType = schema): [string, unknown] {
  try {
    parseWith(of, value)
  } catch (error) {
    assert.ok(error instanceof AppError)
    assert.equal(error.code, 'invalid')
    return [error.message, error.extra.field]
  }
  assert.fail('it was taken')
}

test('each kind of mistake has a sentence that names its field', () => {
  const cases: readonly [object, string, string][] = [
    [{ name: 'x'.repeat(101) }, 'The name may have at most 100 characters.', 'name'],
    [{ name: ' ' }, 'The name must not be empty.', 'name'],
    [{ name: 3 }, 'The name must be text.', 'name'],
    [{ name: undefined }, 'The field "name" is missing.', 'name'],
    [{ code: 'a' }, 'The code must have at least 3 characters.', 'code'],
    [{ n: 0 }, '"n" must be at least 1.', 'n'],
    [{ n: 10 }, '"n" may be at most 9.', 'n'],
    [{ n: 1.5 }, '"n" must be a whole number.', 'n'],
    [{ share: 0 }, 'The share must be more than 0.', 'share'],
    [{ share: 1 }, 'The share must be less than 1.', 'share'],
    [{ isOn: 'yes' }, '"isOn" must be true or false.', 'isOn'],
    [{ kind: 'c' }, 'The kind must be one of a, b.', 'kind'],
    [{ tags: [] }, 'The tags must not be empty.', 'tags'],
    [{ tags: ['a', 'b', 'c'] }, 'The tags may have at most 2 entries.', 'tags'],
    [{ tags: ['a', 2] }, '"tags.1" must be text.', 'tags.1'],
    [{ gate: { margin: 'wide' } }, '"gate.margin" must be a number.', 'gate.margin'],
    [{ gate: 3 }, 'The gate must be an object.', 'gate'],
    [{ at: 'yesterday' }, '"at" must be a time such as 2026-01-31T12:00:00Z.', 'at'],
    [{ oneOrMore: [] }, '"oneOrMore" must not be empty.', 'oneOrMore'],
    [{ oneOrMore: ['a', ''] }, '"oneOrMore.1" must not be empty.', 'oneOrMore.1'],
    [{ oneOrMore: 3 }, '"oneOrMore" is not as it must be.', 'oneOrMore'],
    [{ why: '' }, 'The why must say why.', 'why'],
    [{ any: { a: 'b' } }, '"any.a" must be a number.', 'any.a'],
    [{ nonsense: 1 }, 'There is no field "nonsense".', 'nonsense'],
  ]
  for (const [wrong, sentence, field] of cases) {
    assert.deepEqual(refusal({ ...RIGHT, ...wrong }), [sentence, field])
  }
  assert.deepEqual(refusal([]), ['The body must be an object.', 'body'])
  assert.doesNotThrow(() => parseWith(schema, RIGHT))
})

test('a number in a query is named with its range', () => {
  const query = z.object({
    limit: wholeNumberIn({ min: 1, max: 500 }),
    p: numberIn({ min: 0, max: 1 }),
  })
  for (const limit of ['0', '501', 'many', '-1']) {
    const [sentence] = refusal({ limit, p: '0.5' }, query)
    assert.equal(sentence, '"limit" must be a number from 1 to 500.')
  }
  assert.equal(refusal({ limit: '1.5', p: '1' }, query)[0], '"limit" must be a whole number.')
  assert.equal(refusal({ limit: '1', p: '1.5' }, query)[0], '"p" must be a number from 0 to 1.')
})
