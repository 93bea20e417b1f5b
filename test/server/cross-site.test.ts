// Another website in the user's browser can neither read nor make the server work; HEAD never does; what costs much is
// bounded; and a backup leaves nothing, also when its reader goes.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { get } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import test from 'node:test'
import { Hono } from 'hono'
import type { AppEnv } from '../../src/server/http/app-env.ts'
import { COSTLY_PATHS, costly, WorkLimit } from '../../src/server/http/work-limit.ts'
import {
  homeFolders,
  jsonOf,
  openedHome,
  servedHome,
  storePackage,
  untilReady,
} from '../support/home.ts'

const NAVIGATION = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }

test('from another site only a visit of a page is answered, whatever the method', async (t) => {
  const { call } = await openedHome(await homeFolders(t))
  const from = (site: string, more: Record<string, string> = {}) => ({
    headers: { 'sec-fetch-site': site, accept: 'text/html', ...more },
  })
  for (const site of ['cross-site', 'same-site']) {
    for (const path of ['/', '/models', '/status', '/api/docs']) {
      const status = (await call(path, from(site, NAVIGATION))).status
      assert.equal(status, path.startsWith('/api') ? 403 : 200, `${site} ${path}`)
      for (const method of ['HEAD', 'POST']) {
        assert.equal((await call(path, { method, ...from(site, NAVIGATION) })).status, 403)
      }
      const framed = from(site, { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' })
      assert.equal((await call(path, framed)).status, 403)
      const image = from(site, { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' })
      assert.equal((await call(path, image)).status, 403)
    }
    for (const path of ['/api/v1/backup', '/api/v1/conditions', '/metrics', '/ab/x/table.csv']) {
      assert.equal((await call(path, from(site, NAVIGATION))).status, 403, path)
    }
  }
  for (const site of ['same-origin', 'none']) {
    assert.equal((await call('/api/v1/conditions', from(site))).status, 200)
  }
  const old = { headers: { referer: 'http://evil.example/x' } }
  assert.equal((await call('/api/v1/conditions', old)).status, 403)
})

test('HEAD of what is made on demand makes nothing, and of a stream leaves none open', async (t) => {
  const folders = await homeFolders(t)
  await storePackage(folders, { seed: 1 })
  const { home, call } = await openedHome(folders)
  for (const path of COSTLY_PATHS) {
    const response = await call(path.replaceAll(/:\w+/g, 'x'), { method: 'HEAD' })
    assert.equal(response.status, 200, path)
  }
  assert.deepEqual(await readdir(home.store.stagingDir), [])
  assert.equal((await call('/api/v1/conditions', { method: 'HEAD' })).status, 200)
})

test('one backup at a time; its snapshot is gone when it was read, and when its reader went', async (t) => {
  const folders = await homeFolders(t)
  await storePackage(folders, { seed: 1 })
  const { home, call } = await openedHome(folders)
  const first = await call('/api/v1/backup')
  assert.equal((await readdir(home.store.stagingDir)).length, 1)
  const second = await call('/api/v1/backup')
  assert.equal(second.status, 503)
  assert.match(String((await jsonOf(second)).detail), /backup is being made/)
  await first.arrayBuffer()
  const gone = async () => {
    while ((await readdir(home.store.stagingDir)).length > 0) await new Promise(setImmediate)
  }
  await gone()
  await (await call('/api/v1/backup')).body?.cancel()
  await gone()
})

test('a backup whose reader hangs up leaves nothing, and the next one can be made', async (t) => {
  const folders = await homeFolders(t)
  await storePackage(folders, { seed: 1 })
  const { url } = await servedHome(folders)
  await untilReady(url)
  const staging = join(folders.modelsDir, '.staging')
  for (const when of ['before the answer', 'in the answer']) {
    const request = get(`${url}/api/v1/backup`, { agent: false })
    request.on('error', () => {})
    if (when === 'in the answer') await once(request, 'response')
    else await once(request, 'finish')
    request.destroy()
    let status = 503
    while (status === 503) {
      const response = await fetch(`${url}/api/v1/backup`)
      status = response.status
      await response.arrayBuffer()
    }
    assert.equal(status, 200, when)
    while ((await readdir(staging)).length > 0) await (await fetch(`${url}/healthz`)).text()
  }
})

test('what costs much is bounded: some run, some wait, and the others are told at once to come again', async () => {
  const limit = new WorkLimit({ maxRunning: 1, maxWaiting: 1 })
  const app = new Hono<AppEnv>()
  const gates: (() => void)[] = []
  app.use('/x', costly(limit))
  app.onError((error, c) => c.text(error.message, 503))
  app.get('/x', async (c) => {
    await new Promise<void>((resolve) => gates.push(resolve))
    return c.text('done')
  })
  const [a, b] = [app.request('/x'), app.request('/x')]
  assert.equal((await app.request('/x')).status, 503)
  assert.deepEqual(limit.usage, { running: 1, waiting: 1 })
  gates.shift()?.()
  assert.equal((await a).status, 200)
  while (gates.length === 0) await new Promise(setImmediate)
  gates.shift()?.()
  assert.equal((await b).status, 200)
  assert.deepEqual(limit.usage, { running: 0, waiting: 0 })
})

test('health checks by HTTP/1.0, without a host, and by HEAD are answered', async (t) => {
  const { url } = await servedHome(await homeFolders(t))
  await untilReady(url)
  for (const line of [
    'GET /healthz HTTP/1.0',
    'HEAD /readyz HTTP/1.0',
    'HEAD /healthz HTTP/1.1\r\nHost: localhost',
  ]) {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write(`${line}\r\nConnection: close\r\n\r\n`)
    let text = ''
    for await (const chunk of socket) text += chunk
    assert.match(text, /^HTTP\/1\.[01] 200 /, line)
  }
})
