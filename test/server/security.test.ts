// Who may ask: hosts, origins, the token; what every answer says to a browser; and how errors are worded.
import assert from 'node:assert/strict'
import test from 'node:test'
import { isAllowedHost, isSameOrigin } from '../../src/server/http/security.ts'
import { image } from '../inference/tiny-package.ts'
import {
  homeFolders,
  imageForm,
  jsonBody,
  jsonOf,
  openedHome,
  storePackage,
  TOKEN,
} from '../support/home.ts'

const CLOSED = { open: false, host: '127.0.0.1', allowedHosts: ['xray.lan'] }

test('only loopback names, the configured host and allowed names are answered to', () => {
  for (const host of ['127.0.0.1:7860', 'localhost', 'LOCALHOST:1', '[::1]:7860', 'xray.lan:80']) {
    assert.ok(isAllowedHost(host, CLOSED), host)
  }
  for (const host of [
    'evil.example',
    '192.168.0.5',
    '',
    'localhost.evil.example',
    '127.0.0.1.evil',
    '127.0.0.999',
    '127.1.1.1111',
    'x@localhost',
  ]) {
    assert.ok(!isAllowedHost(host, CLOSED), host)
  }
  assert.ok(isAllowedHost('192.168.0.5:7860', { ...CLOSED, open: true }))
  assert.ok(!isAllowedHost('evil.example', { ...CLOSED, open: true }))
})

test('an origin is the same only with this very host and port', () => {
  assert.ok(isSameOrigin('http://127.0.0.1:7860', '127.0.0.1:7860'))
  for (const origin of [
    'null',
    'http://127.0.0.1:7861',
    'http://evil.example',
    'file://',
    'chrome-extension://x',
  ]) {
    assert.ok(!isSameOrigin(origin, '127.0.0.1:7860'), origin)
  }
})

test('foreign hosts, origins and sites and wrong tokens are refused with 403', async (t) => {
  const { call } = await openedHome(await homeFolders(t))
  const refused: Record<string, string>[] = [
    { host: 'evil.example' },
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { authorization: 'Bearer wrong' },
    { authorization: `Bearer ${'0'.repeat(64)}` },
  ]
  for (const headers of refused) {
    const response = await call('/api/v1/conditions', { headers })
    assert.equal(response.status, 403, JSON.stringify(headers))
    assert.equal((await jsonOf(response)).code, 'forbidden')
  }
  const crossSite = { ...jsonBody({}), headers: { 'sec-fetch-site': 'cross-site' } }
  assert.equal((await call('/api/v1/conditions', crossSite)).status, 403)
  const same = { headers: { host: '127.0.0.1', origin: 'http://127.0.0.1' } }
  assert.equal((await call('/api/v1/conditions', same)).status, 200)
})

test('the history tells pages, programs and the command line apart', async (t) => {
  const folders = await homeFolders(t)
  const ids = []
  for (const seed of [1, 2, 3]) ids.push((await storePackage(folders, { seed, accuracy: 0.9 })).id)
  const { call } = await openedHome(folders)
  const api = jsonBody({ version: ids[0], reason: 'a' })
  await call('/api/v1/conditions/pneumonia/activate', api)
  const cli = jsonBody({ version: ids[1], reason: 'b' })
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
  await call('/api/v1/conditions/pneumonia/activate', { ...cli, headers })
  const body = new URLSearchParams({ version: ids[2] ?? '', reason: 'c' })
  const posted = await call('/conditions/pneumonia/activate', { method: 'POST', body })
  assert.equal(posted.status, 303)
  const { items } = await jsonOf<{ items: { by: string; via: string }[] }>(
    await call('/api/v1/conditions/pneumonia/history'),
  )
  assert.deepEqual(
    items.map(({ by, via }) => [by, via]),
    [
      ['local', 'page'],
      ['cli', 'cli'],
      ['local', 'api'],
    ],
  )
})

test('every answer forbids framing, sniffing and scripts from elsewhere', async (t) => {
  const { call } = await openedHome(await homeFolders(t))
  for (const path of ['/', '/api/v1/conditions', '/nothing', '/healthz']) {
    const { headers } = await call(path)
    const policy = headers.get('content-security-policy') ?? ''
    assert.match(policy, /script-src 'self';/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('referrer-policy'), 'same-origin')
  }
})

test('a problem is a document for programs, a page for people and a fragment for htmx, in the same words', async (t) => {
  const { call } = await openedHome(await homeFolders(t))
  const problem = await jsonOf(
    await call('/predictions/nothing', { headers: { accept: 'application/json' } }),
  )
  assert.equal(problem.code, 'unknown-prediction')
  const detail = String(problem.detail)
  const page = await call('/predictions/nothing', { headers: { accept: 'text/html' } })
  const html = await page.text()
  assert.equal(page.status, 404)
  assert.ok(html.includes(detail) && html.includes('<!doctype html>'))
  const partial = { accept: 'text/html', 'hx-request': 'true', 'hx-request-type': 'partial' }
  const fragment = await (await call('/predictions/nothing', { headers: partial })).text()
  assert.ok(fragment.includes(detail) && !fragment.includes('<!doctype'))
  const api = await call('/api/v1/predictions/nothing', { headers: { accept: 'text/html' } })
  assert.match(api.headers.get('content-type') ?? '', /problem\+json/)
})

test('an address says which methods it takes, and an unknown one that there is nothing', async (t) => {
  const { call } = await openedHome(await homeFolders(t))
  const wrong = await call('/api/v1/conditions', { method: 'DELETE' })
  assert.equal(wrong.status, 405)
  assert.equal(wrong.headers.get('allow'), 'GET, HEAD, POST, OPTIONS')
  assert.equal((await call('/api/v1/nothing')).status, 404)
  assert.equal((await call('/public/../package.json')).status, 404)
  assert.equal((await call('/public/%2e%2e/package.json')).status, 404)
})

test('an uploaded file never comes back as anything but a picture drawn anew', async (t) => {
  const folders = await homeFolders(t)
  const { id } = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const { call } = await openedHome(folders)
  await call('/api/v1/conditions/pneumonia/activate', jsonBody({ version: id, reason: 'a' }))
  const trailing = Buffer.concat([await image(1), Buffer.from('<script>alert(1)</script>')])
  const body = imageForm({ image: trailing, condition: 'pneumonia' })
  const prediction = await jsonOf(await call('/api/v1/predict', { method: 'POST', body }))
  const shown = await call(`/predictions/${prediction.id}/image`)
  assert.equal(shown.headers.get('content-type'), 'image/webp')
  const bytes = Buffer.from(await shown.arrayBuffer())
  assert.ok(!bytes.includes('<script>'))
})
