// Behind a proxy and below a path: addresses go out with the path, X-Forwarded-* counts from named proxies only; with the
// real nginx where there is one.
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { readConfig } from '../../src/config.ts'
import { isAppError } from '../../src/errors.ts'
import { proxyList, seenBy } from '../../src/server/http/proxies.ts'
import { image } from '../inference/tiny-package.ts'
import {
  homeFolders,
  imageForm,
  jsonOf,
  openedHome,
  servedHome,
  storePackage,
  untilReady,
} from '../support/home.ts'

const BASE = '/hospital/x-ray'

test('forwarded host and client count only from proxies that are named', () => {
  const proxies = proxyList(['10.0.0.0/8', '127.0.0.1', 'fd00::/8'])
  const headers = new Headers({
    'x-forwarded-host': 'xray.example.org',
    'x-forwarded-for': '6.6.6.6, 203.0.113.7, 10.1.1.1',
  })
  const seen = (peer: string | undefined) => seenBy(proxies, { headers, peer, host: 'inside:1' })
  for (const peer of ['10.9.9.9', '127.0.0.1', '::ffff:127.0.0.1', 'fd00::7']) {
    assert.deepEqual(seen(peer), { host: 'xray.example.org', client: '203.0.113.7' }, peer)
  }
  assert.deepEqual(seen('192.0.2.1'), { host: 'inside:1', client: '192.0.2.1' })
  assert.deepEqual(seen(undefined), { host: 'inside:1', client: undefined })
})

test('wrong proxies and base paths stop the start with a line that names the setting', () => {
  for (const [name, value] of [
    ['ROENTGEN_TRUSTED_PROXIES', 'nginx'],
    ['ROENTGEN_TRUSTED_PROXIES', '10.0.0.0/33'],
    ['ROENTGEN_BASE_PATH', 'x-ray'],
    ['ROENTGEN_BASE_PATH', '/a/../b'],
    ['ROENTGEN_BASE_PATH', '/"><script>'],
  ] as const) {
    assert.throws(
      () => readConfig({ [name]: value }),
      (error) => isAppError(error) && error.code === 'setting' && error.message.includes(name),
    )
  }
  assert.equal(readConfig({ ROENTGEN_BASE_PATH: '/x-ray/' }).basePath, '/x-ray')
})

/** Addresses of ours that a page names. */
function addressesOf(html: string): string[] {
  return [...html.matchAll(/\s(?:href|src|action|hx-get|hx-post)="(\/[^"]*)"/g)].map(
    ([, path = '']) => path,
  )
}

test('below a path every address of every page, redirect and result has it, with and without the proxy taking it away', async (t) => {
  const folders = await homeFolders(t)
  const { id } = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const { call } = await openedHome({
    ...folders,
    env: { ...folders.env, ROENTGEN_BASE_PATH: BASE },
  })
  const body = new URLSearchParams({ version: id, reason: 'c' })
  const posted = await call(`${BASE}/conditions/pneumonia/activate`, { method: 'POST', body })
  assert.equal(posted.status, 303)
  assert.ok(posted.headers.get('location')?.startsWith(`${BASE}/`))
  const predicted = await call(`${BASE}/api/v1/predict`, {
    method: 'POST',
    body: imageForm({ image: await image(1), condition: 'pneumonia' }),
  })
  const { heatmap } = await jsonOf<{ heatmap: { url: string } }>(predicted)
  assert.ok(heatmap.url.startsWith(`${BASE}/api/v1/`))
  assert.equal((await call(heatmap.url)).status, 200)
  for (const path of [
    '/',
    '/models',
    '/conditions/pneumonia',
    '/predictions',
    '/status',
    '/training',
    '/datasets',
    '/compare',
  ]) {
    for (const prefix of [BASE, '']) {
      const html = await (await call(prefix + path, { headers: { accept: 'text/html' } })).text()
      const addresses = addressesOf(html)
      assert.ok(addresses.length > 5, path)
      for (const address of addresses) {
        assert.ok(
          address.startsWith(`${BASE}/`) && !address.startsWith(BASE + BASE),
          `${path}: ${address}`,
        )
      }
    }
  }
  const asset = addressesOf(await (await call(`${BASE}/`)).text()).find((one) =>
    one.includes('/public/'),
  )
  assert.equal((await call(asset ?? '')).status, 200)
})

const nginx = ((): string | undefined => {
  for (const path of ['nginx', '/usr/sbin/nginx']) {
    try {
      execFileSync(path, ['-v'], { stdio: 'ignore' })
      return path
    } catch {}
  }
  return undefined
})()

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

async function startNginx(
  t: TestContext,
  o: { dir: string; to: string; port: number },
): Promise<void> {
  await mkdir(join(o.dir, 'tmp'), { recursive: true })
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${o.dir}/tmp/${name};`)
    .join('\n')
  await writeFile(
    join(o.dir, 'nginx.conf'),
    `daemon off; master_process off; pid ${o.dir}/pid; error_log ${o.dir}/error.log;
events {}
http { access_log off; ${temporary}
  client_max_body_size 0;
  server { listen 127.0.0.1:${o.port};
    location ${BASE}/ {
      proxy_pass ${o.to};
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_buffering off;
      proxy_set_header Host localhost;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
    } } }`,
  )
  const child: ChildProcess = spawn(nginx ?? '', [
    '-c',
    join(o.dir, 'nginx.conf'),
    '-e',
    join(o.dir, 'error.log'),
  ])
  t.after(async () => {
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
  })
  while (!(await fetch(`http://127.0.0.1:${o.port}/`).catch(() => undefined))) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('behind nginx, below a path, pages work, forms pass from their own site and no other', {
  skip: nginx === undefined && 'nginx is not installed here',
}, async (t) => {
  const folders = await homeFolders(t)
  const { id } = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const env = { ...folders.env, ROENTGEN_BASE_PATH: BASE, ROENTGEN_TRUSTED_PROXIES: '127.0.0.1' }
  const { url } = await servedHome({ ...folders, env })
  await untilReady(url)
  const port = await freePort()
  await startNginx(t, { dir: join(folders.root, 'nginx'), to: url, port })
  const site = `http://127.0.0.1:${port}`
  const page = await (
    await fetch(`${site}${BASE}/models`, { headers: { accept: 'text/html' } })
  ).text()
  for (const address of new Set(addressesOf(page))) {
    const response = await fetch(site + address, { headers: { accept: 'text/html' } })
    await response.arrayBuffer()
    // A form's own address takes only its form.
    assert.ok(response.status < 400 || response.status === 405, `${address}: ${response.status}`)
  }
  const activate = (origin: string) =>
    fetch(`${site}${BASE}/conditions/pneumonia/activate`, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin },
      body: new URLSearchParams({ version: id, reason: 'x' }),
    })
  assert.equal((await activate(site)).status, 303)
  assert.equal((await activate('http://evil.example')).status, 403)
  const unnamed = await fetch(`${url}/`, { headers: { 'x-forwarded-host': 'evil.example' } })
  assert.equal(unnamed.status, 403, 'the proxy is trusted, the host it names is not one of ours')
})
