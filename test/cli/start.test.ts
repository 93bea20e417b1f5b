// bin/roentgen itself: under another Node, without an installation, and how it ends.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, cp, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { homeFolders } from '../support/home.ts'
import { COMMAND, roentgen } from './run-cli.ts'

let folder: string
/** A Node at another place than the one of node_modules. */
let otherNode: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'roentgen-start-'))
  otherNode = join(folder, 'node')
  await copyFile(process.execPath, otherNode)
})
after(() => rm(folder, { recursive: true, force: true }))

function start(words: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  return spawn(otherNode, [COMMAND, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] })
}

test('under another Node the bundled one does the work, and its exit status is handed on', async () => {
  const [status] = await once(start(['--version']), 'close')
  assert.equal(status, 0)
  const [usage] = await once(start(['nonsense']), 'close')
  assert.equal(usage, 2)
})

test('a signal to the command reaches the server, which ends in order', async (t) => {
  const { env, dataDir } = await homeFolders(t)
  const child = start(['serve'], env)
  const [line] = await once(child.stdout as NodeJS.ReadableStream, 'data')
  assert.match(String(line), /^Roentgen listening on http:\/\/127\.0\.0\.1:\d+\n/)
  await stat(join(dataDir, 'server.json'))
  child.kill('SIGTERM')
  const [status] = await once(child, 'close')
  assert.equal(status, 0)
  await assert.rejects(stat(join(dataDir, 'server.json')))
})

test('when the command is killed, the server does not stay behind', async (t) => {
  const { env, dataDir } = await homeFolders(t)
  const child = start(['serve'], env)
  await once(child.stdout as NodeJS.ReadableStream, 'data')
  child.kill('SIGKILL')
  // Standard output is shared with the server, so it closes only when that has ended too.
  await once(child, 'close')
  await assert.rejects(stat(join(dataDir, 'server.json')))
})

test('without an installation it says what to type', async () => {
  const bare = join(folder, 'bare', 'bin')
  await cp(dirname(COMMAND), bare, { recursive: true })
  const child = spawn(process.execPath, [join(bare, 'roentgen'), 'doctor'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const [line] = await once(child.stderr, 'data')
  assert.match(String(line), /^roentgen: Not installed yet; run "npm start" once [^\n]+\n$/)
  const [status] = child.exitCode === null ? await once(child, 'close') : [child.exitCode]
  assert.equal(status, 1)
})

test('what was compiled is kept for the next start, and where it cannot be kept nothing is said', async (t) => {
  const kept = await mkdtemp(join(tmpdir(), 'roentgen-compiled-'))
  t.after(() => rm(kept, { recursive: true, force: true }))
  const first = await roentgen(['--version'], { env: { NODE_COMPILE_CACHE: kept } })
  assert.equal(first.status, 0, first.stderr)
  assert.ok((await readdir(kept)).length > 0)
  const env = { NODE_COMPILE_CACHE: join(kept, 'no-folder') }
  await writeFile(env.NODE_COMPILE_CACHE, '')
  assert.deepEqual(await roentgen(['--version'], { env }), first)
})
