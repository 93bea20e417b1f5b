// Fetching TensorFlow's library with the real install script of its package, copied to a folder of its own, from servers of
// our own: none of them has it, and each way of not having it is told in one sentence.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { after, type TestContext } from 'node:test'
import { chooseEngine } from '../../src/engine/native/choose-engine.ts'
import { findLibrary } from '../../src/engine/native/find-library.ts'
import { installLibrary } from '../../src/engine/native/install-library.ts'
import { assertRefused, roentgen } from '../cli/run-cli.ts'
import { homeFolders } from '../support/home.ts'

const own = findLibrary()
const skip = own ? false : 'the optional part @tensorflow/tfjs-node-gpu is not there'
const GOES_ON = /Roentgen goes on computing with ONNX Runtime meanwhile\.$/

const root = await mkdtemp(join(tmpdir(), 'roentgen-install-'))
const mirror = process.env.TFJS_NODE_CDN_STORAGE
after(async () => {
  if (mirror === undefined) delete process.env.TFJS_NODE_CDN_STORAGE
  else process.env.TFJS_NODE_CDN_STORAGE = mirror
  await rm(root, { recursive: true, force: true })
})

/** A copy of the package beside what its script needs: the installed one stays as it is. */
async function copyOfPackage(name: string): Promise<string> {
  const { name: packageName, dir } = own ?? assert.fail()
  const modules = join(root, name, 'node_modules')
  await cp(dir, join(modules, packageName), {
    recursive: true,
    filter: (path) => !/[\\/](deps|lib|dist|src)$/.test(path),
  })
  const { dependencies } = JSON.parse(await readFile(join(dir, 'package.json'), 'utf8'))
  for (const one of ['rimraf', 'adm-zip', 'https-proxy-agent', 'progress', 'tar']) {
    assert.ok(one in dependencies, one)
    await mkdir(modules, { recursive: true })
    await symlink(join(dirname(dirname(dir)), one), join(modules, one))
  }
  return join(root, name)
}

/** A mirror on this machine, named to the script by the setting that it reads. */
async function startMirror(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  process.env.TFJS_NODE_CDN_STORAGE = address
  return address
}

test('a place that cannot be reached is told in one sentence', { skip }, async (t) => {
  const from = await copyOfPackage('unreachable')
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  const { env } = await homeFolders(t)
  const ended = await roentgen(['engine', 'install', 'tensorflow', '--json'], {
    env: {
      ...env,
      ROENTGEN_TENSORFLOW: from,
      TFJS_NODE_CDN_STORAGE: `http://127.0.0.1:${port}/`,
    },
  })
  assertRefused(ended, /cannot be reached; try again with a connection, or name a mirror/)
  assert.match(ended.stderr.trim(), GOES_ON)
})

test('a place that never answers is given up after the time that was set', { skip }, async (t) => {
  const from = await copyOfPackage('silent')
  let asked = 0
  await startMirror(t, () => {
    asked += 1
  })
  const started = performance.now()
  await assert.rejects(installLibrary({ from, timeoutMs: 3000 }), {
    code: 'unavailable',
    message: /did not come within 1 min; try again on a faster connection/,
  })
  assert.ok(performance.now() - started < 10_000)
  assert.equal(asked, 1, 'it had begun to ask')
})

test('it ends at once when it is interrupted', { skip }, async (t) => {
  const from = await copyOfPackage('interrupted')
  const interrupted = new AbortController()
  await startMirror(t, () => interrupted.abort())
  await assert.rejects(
    installLibrary({ from, timeoutMs: 60_000, signal: interrupted.signal }),
    /The installation was interrupted\. Roentgen goes on/,
  )
})

test('a place that has something else is no installation, and Roentgen goes on without', {
  skip,
}, async (t) => {
  const from = await copyOfPackage('wrong')
  await startMirror(t, (_, response) => response.writeHead(404).end('not here'))
  const said: string[] = []
  await assert.rejects(
    installLibrary({ from, timeoutMs: 60_000, onOutput: (text) => said.push(text) }),
    (error: Error) => /could not be installed; what its script said last/.test(error.message),
  )
  assert.match(said.join(''), /Downloading libtensorflow/)
  const { engine, reason } = await chooseEngine({ engine: 'auto', tensorflowDir: from })
  assert.equal(engine, 'onnx')
  assert.match(reason, /is not installed/)
})

test('without the optional part, and without the library, each says what to run', async () => {
  const from = join(root, 'empty')
  await mkdir(from)
  await assert.rejects(installLibrary({ from, timeoutMs: 1000 }), /run "npm ci --include=optional/)
  await assert.rejects(
    chooseEngine({ engine: 'tensorflow', tensorflowDir: from }),
    /not installed: run "roentgen engine install tensorflow", or unset it/,
  )
})

test('what does not load is not taken: auto stays with ONNX Runtime, and whoever asked for it is told', {
  skip,
}, async () => {
  const from = await copyOfPackage('broken')
  const dir = findLibrary(from)?.dir ?? assert.fail()
  await mkdir(join(dir, 'deps'))
  await mkdir(join(dir, 'lib/napi-v8'), { recursive: true })
  await cp(join(dir, 'package.json'), join(dir, 'lib/napi-v8/tfjs_binding.node'))
  const auto = await chooseEngine({ engine: 'auto', tensorflowDir: from })
  assert.equal(auto.engine, 'onnx')
  assert.match(auto.reason, /does not load on this machine/)
  await assert.rejects(
    chooseEngine({ engine: 'tensorflow', tensorflowDir: from }),
    /does not load on this machine; unset it to compute with ONNX Runtime/,
  )
})
