// Starts that must not be: a wrong setting, a home or port that is taken, a folder that cannot be written. Each ends at
// once with one line on standard error that names what to change.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Folders, homeFolders, servedHome } from '../support/home.ts'

const COMMAND = fileURLToPath(new URL('../../bin/roentgen', import.meta.url))
const PATIENCE_MS = 60_000

/** `roentgen serve` with these settings: how it ended and what it said. */
async function refusedStart({ env }: Folders, settings: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [COMMAND, 'serve'], {
    env: { PATH: process.env.PATH ?? '', ...env, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE_MS,
    killSignal: 'SIGKILL',
  })
  let [out, errors] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  const [code] = await once(child, 'close')
  return { code, out, errors }
}

async function assertRefused(
  folders: Folders,
  { settings, says }: { settings: Readonly<Record<string, string>>; says: RegExp },
): Promise<void> {
  const { code, out, errors } = await refusedStart(folders, settings)
  const what = JSON.stringify(settings)
  assert.equal(code, 1, `${what} ended with ${code}: ${errors}`)
  assert.equal(out, '', what)
  assert.match(errors, says, what)
  assert.equal(errors.trim().split('\n').length, 1, `${what}: one line, and not\n${errors}`)
}

test('a wrong setting stops the start with one line that names it, and nothing is made', async (t) => {
  const folders = await homeFolders(t)
  const wrong = [
    { PORT: 'abc' },
    { PORT: '70000' },
    { HOST: '0.0.0.0' },
    { ROENTGEN_DEMO: 'on' },
    { ROENTGEN_ENGINE: 'cuda' },
    { ROENTGEN_MAX_UPLOAD_MB: '0' },
    { DATABASE_URL: 'mysql://somewhere' },
  ]
  for (const settings of wrong) {
    const says = new RegExp(`^roentgen: .*\\b${Object.keys(settings)[0]}\\b`)
    await assertRefused(folders, { settings, says })
  }
  assert.deepEqual(await readdir(folders.root), [])
})

test('a folder that cannot be made or written ends the start with the name of its setting', async (t) => {
  const folders = await homeFolders(t)
  const file = join(folders.root, 'file')
  await writeFile(file, '')
  for (const name of ['ROENTGEN_DATA', 'ROENTGEN_MODELS']) {
    const paths = [file, join(file, 'below')]
    // Where nothing can be made, not even by an administrator.
    if (process.platform === 'linux') paths.push('/proc/roentgen/home')
    for (const path of paths) {
      await assertRefused(folders, { settings: { [name]: path }, says: new RegExp(name) })
    }
  }
})

test('a second server on the same home, and one on a port in use, say what to do', async (t) => {
  const folders = await homeFolders(t)
  const first = await servedHome(folders)
  await assertRefused(folders, { settings: {}, says: /Another Roentgen.*ROENTGEN_DATA/ })
  const other = await homeFolders(t)
  const { port } = new URL(first.url)
  const says = new RegExp(`Port ${port} is in use.*PORT=`)
  await assertRefused(other, { settings: { PORT: port }, says })
  assert.equal((await fetch(`${first.url}/healthz`)).status, 200)
})

/** The status line of an answer to these very bytes, which `fetch` would not send. */
async function rawStatus(url: string, head: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return text.split('\r\n')[0] ?? ''
}

test('only names of this machine are answered to, and only pages of this server may ask', async (t) => {
  const { url } = await servedHome(await homeFolders(t))
  const { host, port } = new URL(url)
  const get = (...headers: string[]): Promise<string> =>
    rawStatus(url, ['GET /api/v1/conditions HTTP/1.1', 'Connection: close', ...headers])
  for (const name of [host, `localhost:${port}`, 'LOCALHOST', `[::1]:${port}`]) {
    assert.match(await get(`Host: ${name}`), / 200 /, name)
  }
  for (const name of ['evil.example', `127.0.0.1.evil.example:${port}`, '192.168.1.1']) {
    assert.match(await get(`Host: ${name}`), / 403 /, name)
  }
  assert.match(await get(), / 400 /, 'no Host at all')
  assert.match(await get(`Host: ${host}`, `Origin: http://${host}`), / 200 /)
  const local = `localhost:${port}`
  assert.match(await get(`Host: ${local}`, `Origin: http://${local}`), / 200 /)
  for (const origin of ['http://evil.example', 'null', `http://${host}0`, 'http://127.0.0.1']) {
    assert.match(await get(`Host: ${host}`, `Origin: ${origin}`), / 403 /, origin)
  }
})
