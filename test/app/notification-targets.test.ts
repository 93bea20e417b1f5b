// Setting notifications up: where they may go, what is refused, and the page.
import assert from 'node:assert/strict'
import test from 'node:test'
import { isPublicAddress } from '../../src/app/notifications/public-address.ts'
import { farEnd, openedForPost, target } from '../support/far-end.ts'
import { jsonBody, jsonOf } from '../support/home.ts'

test('addresses of the own network are refused unless a setting allows them', async (t) => {
  const { home, call } = await openedForPost(t, { ROENTGEN_NOTIFY_PRIVATE: '0' })
  for (const address of [
    'https://127.0.0.1/x',
    'https://localhost:8443/',
    'https://[::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://169.254.169.254/latest/meta-data',
    'https://192.168.1.4/',
    'http://example.com/',
    'https://user:secret@example.com/',
    'file:///etc/passwd',
    'no address',
  ]) {
    const answer = await call('/api/v1/notifications', target(address))
    assert.equal(answer.status, 422, address)
  }
  assert.deepEqual((await jsonOf(await call('/api/v1/notifications'))).items, [])
  // A name that resolves to the own network is refused when it is connected to.
  const { url, heard } = await farEnd(t)
  const { port } = new URL(url)
  const named = target(`https://localhost.localdomain:${port}/`)
  const { id } = await jsonOf<{ id: string }>(await call('/api/v1/notifications', named))
  const tried = await call(`/api/v1/notifications/${id}/test`, { method: 'POST' })
  assert.equal(tried.status, 503)
  assert.equal(heard.length, 0)
  assert.equal(home.config.notifications.allowsPrivate, false)
})

test('public addresses are told from all others', () => {
  for (const ip of ['8.8.8.8', '93.184.216.34', '2606:4700::1111'])
    assert.ok(isPublicAddress(ip), ip)
  for (const ip of [
    '10.1.2.3',
    '100.64.0.1',
    '::ffff:127.0.0.1',
    'fe80::1',
    'fd00::1',
    '0.0.0.0',
    'x',
  ])
    assert.ok(!isPublicAddress(ip), ip)
})

test('wrong wishes are refused with a sentence and change nothing; unknown ids are 404', async (t) => {
  const { call } = await openedForPost(t)
  const wrong = [
    {},
    { kind: 'fax', name: 'x', address: 'https://example.com', events: ['run.failed'] },
    { kind: 'webhook', name: '', address: 'https://example.com', events: ['run.failed'] },
    { kind: 'webhook', name: 'x', address: 'https://example.com', events: [] },
    { kind: 'webhook', name: 'x', address: 'https://example.com', events: ['moon.full'] },
    { kind: 'email', name: 'x', address: 'name@example.org', events: ['run.failed'] },
  ]
  for (const body of wrong) {
    const answer = await call('/api/v1/notifications', jsonBody(body))
    assert.equal(answer.status, 422, JSON.stringify(body))
  }
  assert.deepEqual((await jsonOf(await call('/api/v1/notifications'))).items, [])
  for (const [path, method] of [
    ['', 'GET'],
    ['', 'DELETE'],
    ['/test', 'POST'],
  ]) {
    assert.equal(
      (await call(`/api/v1/notifications/none${path}`, { method: method ?? '' })).status,
      404,
    )
  }
})

test('the page sets one up, shows the secret once, and says what was wrong beside the form', async (t) => {
  const { call } = await openedForPost(t)
  const { url } = await farEnd(t)
  const send = (fields: Record<string, string>) =>
    call('/status/notifications', {
      method: 'POST',
      headers: { accept: 'text/html', 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(fields).toString(),
    })
  const bad = await send({ kind: 'webhook', name: 'Lab', address: url })
  assert.equal(bad.status, 422)
  assert.match(await bad.text(), /choose at least one event/)
  const good = await send({ kind: 'webhook', name: 'Lab', address: url, 'run.failed': 'on' })
  assert.equal(good.status, 201)
  assert.match(await good.text(), /<code class="hash">[0-9a-f]{64}<\/code>/)
  const page = await (await call('/status/notifications')).text()
  assert.match(page, /Training failed/)
  assert.doesNotMatch(page, /[0-9a-f]{64}/)
})
