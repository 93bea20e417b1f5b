// Two people on one condition: whoever decided on a state that is gone changes nothing, over the API, on pages and from a
// terminal, and sees what is true now.
import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { Activation } from '../../../src/registry/activation/activations.ts'
import { ConditionSchema } from '../../../src/server/conditions/schema.ts'
import { roentgen } from '../../cli/run-cli.ts'
import { homeFolders, jsonBody, jsonOf, openedHome, storePackage } from '../../support/home.ts'

const CONDITION = '/api/v1/conditions/pneumonia'
const PAGE = '/conditions/pneumonia'

async function withThree(t: TestContext) {
  const folders = await homeFolders(t)
  const a = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const b = await storePackage(folders, { seed: 2, accuracy: 0.9 })
  const c = await storePackage(folders, { seed: 3, accuracy: 0.9 })
  const opened = await openedHome(folders)
  const post = (path: string, body: object) => opened.call(`${CONDITION}${path}`, jsonBody(body))
  const activate = async (version: string) =>
    jsonOf<Activation>(await post('/activate', { version, reason: 'set up' }))
  const state = async () => ConditionSchema.parse(await (await opened.call(CONDITION)).json())
  const current = async () => ((await state()).active?.activation ?? null) as string | null
  const history = async () =>
    (await jsonOf<{ items: Activation[] }>(await opened.call(`${CONDITION}/history`))).items
  const open = async (path = PAGE) =>
    (await opened.call(path, { headers: { accept: 'text/html' } })).text()
  const send = (path: string, fields: Record<string, string>, headers = {}) =>
    opened.call(`${PAGE}${path}`, {
      method: 'POST',
      body: new URLSearchParams(fields),
      headers: { accept: 'text/html', ...headers },
    })
  return { ...opened, folders, a, b, c, post, activate, state, current, history, open, send }
}

/** The hidden and chosen values of the form that posts to this address and, if given, holds `marker`, as a browser sends them. */
function formOf(page: string, action: string, marker = ''): Record<string, string> {
  const forms = page.match(/<form[\s\S]*?<\/form>/g) ?? []
  const form = forms.find((one) => one.includes(`action="${action}"`) && one.includes(marker))
  assert.ok(form, `no form for ${action}`)
  const fields: Record<string, string> = {}
  for (const [input] of form.matchAll(/<input[^>]*type="hidden"[^>]*>/g)) {
    const name = /name="([^"]*)"/.exec(input)?.[1]
    if (name) fields[name] = /value="([^"]*)"/.exec(input)?.[1] ?? ''
  }
  return fields
}

test('a change that expects another activation than the present one is refused with the present state', async (t) => {
  const { call, post, activate, state, current, history, a, b, c } = await withThree(t)
  const patch = (body: object) => call(CONDITION, { ...jsonBody(body), method: 'PATCH' })
  const none = { version: a.id, reason: 'x' }
  assert.equal((await post('/activate', { ...none, expected: 'act_other' })).status, 409)
  assert.equal((await post('/activate', { ...none, expected: null })).status, 200)
  const first = await current()
  await activate(b.id)
  const before = await state()
  const lines = await history()
  const changes: readonly [string, (expected: string | null) => Promise<Response>][] = [
    ['activate', (expected) => post('/activate', { version: c.id, reason: 'x', expected })],
    ['activate again', (expected) => post('/activate', { version: b.id, reason: 'x', expected })],
    ['rollback', (expected) => post('/rollback', { reason: 'x', expected })],
    ['rollback to', (expected) => post('/rollback', { to: a.id, reason: 'x', expected })],
    ['challenger', (expected) => post('/challenger', { version: c.id, mode: 'shadow', expected })],
    ['end of a challenger', (expected) => post('/challenger', { version: null, expected })],
    ['settings', (expected) => patch({ name: 'Other', expected })],
    ['operating point', (expected) => patch({ operatingPoint: 'nonsense', expected })],
  ]
  for (const [what, change] of changes) {
    for (const stale of [null, first, 'act_nonsense']) {
      const response = await change(stale)
      const problem = await jsonOf<{ [name: string]: unknown }>(response)
      assert.deepEqual([response.status, problem.code], [409, 'state-changed'], what)
      const present = ConditionSchema.parse(problem.condition)
      assert.deepEqual(present.active, before.active)
      assert.equal((problem.current as Activation).id, before.active?.activation)
      assert.match(
        String(problem.detail),
        new RegExp(`Pneumonia has changed meanwhile: to ${b.id} by `, 'i'),
      )
    }
  }
  assert.deepEqual(await state(), before)
  assert.deepEqual(await history(), lines)
  assert.equal((await post('/activate', { ...none, expected: 7 })).status, 422)

  // The one that is true passes, each against the state that the one before left.
  assert.equal((await patch({ name: 'Chest', expected: await current() })).status, 200)
  const shadow = { version: c.id, mode: 'shadow', expected: await current() }
  assert.equal((await post('/challenger', shadow)).status, 200)
  const back = { reason: 'x', expected: await current() }
  assert.equal((await post('/rollback', back)).status, 200)
  assert.equal((await state()).active?.version, a.id)
  assert.equal((await post('/rollback', back)).status, 409, 'sent twice it is done once')
})

test('two rollbacks that begin together are one: the second saw a state that is gone', async (t) => {
  const { post, activate, state, current, a, b } = await withThree(t)
  await activate(a.id)
  await activate(b.id)
  const expected = await current()
  const both = await Promise.all([1, 2].map(() => post('/rollback', { reason: 'x', expected })))
  assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409])
  assert.equal((await state()).active?.version, a.id)
})

test('every form of two tabs is refused in the second once the first has changed what answers', async (t) => {
  const { activate, state, history, open, send, a, b, c } = await withThree(t)
  await activate(a.id)
  await activate(b.id)
  const [tab1, tab2] = [await open(), await open()]
  const model = await open(`/models/${c.id.replace('@', '/')}`)
  const back1 = formOf(tab1, `${PAGE}/rollback`)
  assert.equal(back1.to, a.id)
  assert.equal((await send('/rollback', back1)).status, 303)
  assert.equal((await state()).active?.version, a.id)
  const before = await state()
  const lines = await history()

  const reason = { reason: 'from the second tab' }
  const stale: readonly [string, Record<string, string>][] = [
    ['/rollback', formOf(tab2, `${PAGE}/rollback`)],
    ['/activate', { ...formOf(tab2, `${PAGE}/activate`), version: c.id, ...reason }],
    ['/activate', { ...formOf(model, `${PAGE}/activate`), ...reason }],
    [
      '/challenger',
      { ...formOf(tab2, `${PAGE}/challenger`), version: c.id, mode: 'shadow', share: '0.1' },
    ],
    ['/settings', { ...formOf(tab2, `${PAGE}/settings`), name: 'Other', policy: 'follow' }],
  ]
  for (const [path, fields] of stale) {
    assert.ok('expected' in fields, path)
    const refused = await send(path, fields)
    const page = await refused.text()
    assert.equal(refused.status, 409, path)
    assert.match(page, /This page is out of date/)
    assert.match(page, new RegExp(`was changed to ${a.id} by \\S.* at \\d{4}-\\d\\d-\\d\\d`))
    // With the fresh state: what the forms now expect is the present activation.
    assert.equal(formOf(page, `${PAGE}/rollback`).expected, before.active?.activation)
    assert.equal(formOf(page, `${PAGE}/rollback`).to, b.id)
  }
  assert.deepEqual(await state(), before)
  assert.deepEqual(await history(), lines)
  const fragment = await send('/rollback', formOf(tab2, `${PAGE}/rollback`), {
    'hx-request': 'true',
    'hx-request-type': 'partial',
  })
  assert.equal(fragment.status, 409)
  assert.match(
    await fragment.text(),
    /^\s*<div id="condition-panel"[\s\S]*This page is out of date/,
  )

  const fresh = formOf(await open(), `${PAGE}/rollback`)
  assert.equal((await send('/rollback', fresh)).status, 303)
  assert.equal((await state()).active?.version, b.id)
})

test('promoting and ending a challenger are refused in a tab of before', async (t) => {
  const { post, activate, state, open, send, a, b, c } = await withThree(t)
  await activate(a.id)
  assert.equal((await post('/challenger', { version: c.id, mode: 'shadow' })).status, 200)
  const tab = await open()
  await activate(b.id)
  const promote = formOf(tab, `${PAGE}/activate`, 'the challenger is promoted')
  assert.equal(promote.version, c.id)
  assert.equal((await send('/activate', promote)).status, 409)
  const end = { ...formOf(tab, `${PAGE}/challenger`, 'name="end"'), end: '1' }
  assert.equal((await send('/challenger', end)).status, 409)
  const { active, challenger } = await state()
  assert.deepEqual([active?.version, challenger?.version], [b.id, c.id])
})

test('a rollback names a version that has answered, over the API, on the page and from a terminal', async (t) => {
  const { home, folders, post, activate, current, send, a, b, c } = await withThree(t)
  await activate(a.id)
  await activate(b.id)
  const response = await post('/rollback', { to: c.id, reason: 'x' })
  assert.deepEqual([response.status, (await jsonOf(response)).code], [409, 'never-active'])
  const page = await send('/rollback', { to: c.id })
  assert.equal(page.status, 409)
  assert.match(await page.text(), /has never answered for/)
  const now = (await current()) ?? ''
  folders.closing.pop()
  await home.close()
  const cli = (...words: string[]) => roentgen(words, { env: folders.env })
  const refused = await cli('rollback', 'pneumonia', '--to', c.id)
  assert.notEqual(refused.status, 0)
  assert.match(refused.stderr, /has never answered for/)
  const stale = await cli('rollback', 'pneumonia', '--expected', 'none')
  assert.notEqual(stale.status, 0)
  assert.match(stale.stderr, /has changed meanwhile/)
  const done = await cli('rollback', 'pneumonia', '--to', a.id, '--expected', now, '--json')
  assert.equal(done.status, 0, done.stderr)
  assert.equal((JSON.parse(done.stdout) as Activation).version, a.id)
})
