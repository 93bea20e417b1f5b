// What works on a stranger's bytes has no secret, no file but its own and, where the system can forbid it, no network.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { pathToFileURL } from 'node:url'
import { ImagingPool } from '../../src/imaging/imaging-pool.ts'
import { askChild } from '../../src/processes/child-answer.ts'
import { emptyFolder } from '../../src/processes/empty-folder.ts'
import { canConfine } from '../../src/processes/launcher.ts'
import { startChild } from '../../src/processes/start-child.ts'
import { activate, startBench } from '../inference/runtime-bench.ts'
import { tinyPackage } from '../inference/tiny-package.ts'

const SECRET = 'smtp://user:hunter2@mail.example'

interface Outcome {
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** What it did and how that ended. */
  readonly [deed: string]: unknown
}

/** Runs the code, a list of deeds by name, in a confined process, and tells how each ended. */
async function outcomeOf(t: test.TestContext, deeds: string): Promise<Outcome & { dir: string }> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'roentgen-confined-')))
  t.after(() => rm(dir, { recursive: true, force: true }))
  await writeFile(join(dir, 'secret.txt'), 'CANARY')
  await writeFile(join(dir, 'given.txt'), 'given')
  const module = join(dir, 'worker.mjs')
  const code = `
    import { execSync } from 'node:child_process'
    import { readFileSync, writeFileSync, readdirSync } from 'node:fs'
    import { connect } from 'node:net'
    import { once } from 'node:events'
    const dir = ${JSON.stringify(dir)}
    const deeds = { ${deeds} }
    const found = { env: process.env, cwd: process.cwd() }
    for (const [name, deed] of Object.entries(deeds)) {
      try { found[name] = String(await deed()) } catch (error) { found[name] = error.code ?? error.message }
    }
    process.send(found)`
  await writeFile(module, code)
  const { process: child } = startChild({
    module: pathToFileURL(module),
    confined: {
      mayRead: [module, join(dir, 'given.txt')],
      mayWrite: [join(dir, 'out')],
      env: { GIVEN: '1' },
    },
  })
  const [found] = (await once(child, 'message')) as [Outcome]
  child.kill('SIGKILL')
  return { ...found, dir }
}

test('a confined process reads what it is given, writes where it may, and nothing else', async (t) => {
  process.env.ROENTGEN_SMTP_URL = SECRET
  t.after(() => delete process.env.ROENTGEN_SMTP_URL)
  const found = await outcomeOf(
    t,
    `given: () => readFileSync(dir + '/given.txt'),
     secret: () => readFileSync(dir + '/secret.txt'),
     hosts: () => readFileSync('/etc/hosts'),
     folder: () => readdirSync(dir),
     out: () => writeFileSync(dir + '/out', 'x'),
     beside: () => writeFileSync(dir + '/beside', 'x'),
     here: () => writeFileSync('here', 'x'),
     program: () => execSync('true')`,
  )
  const denied = 'ERR_ACCESS_DENIED'
  const { given, secret, hosts, folder, out, beside, here, program } = found
  assert.deepEqual(
    { given, secret, hosts, folder, out, beside, here, program },
    {
      given: 'given',
      secret: denied,
      hosts: denied,
      folder: denied,
      out: 'undefined',
      beside: denied,
      here: denied,
      program: denied,
    },
  )
  assert.doesNotMatch(JSON.stringify(found.env), /hunter2|PATH/)
  assert.equal(found.env.GIVEN, '1')
  assert.equal(found.cwd, await realpath(emptyFolder()))
  assert.deepEqual(await readdir(found.cwd), [])
  assert.deepEqual((await readdir(found.dir)).sort(), [
    'given.txt',
    'out',
    'secret.txt',
    'worker.mjs',
  ])
})

test('a confined process reaches no network', {
  skip: canConfine().network
    ? false
    : 'this system has no "unshare" that may make a network namespace',
}, async (t) => {
  const server = createServer((socket) => socket.end('in'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as { port: number }
  const { reached } = await outcomeOf(
    t,
    `reached: () => once(connect(${port}, '127.0.0.1'), 'connect').then(() => 'connected')`,
  )
  assert.match(String(reached), /ENETUNREACH|EADDRNOTAVAIL|ECONNREFUSED/)
})

test('hosts and decoders have none of the secrets of the server in their environment', {
  skip: process.platform === 'linux' ? false : 'only Linux shows the environment of a process',
}, async (t) => {
  process.env.ROENTGEN_SMTP_URL = SECRET
  process.env.ROENTGEN_DICOM_ARCHIVE_AUTH = 'Bearer hunter2'
  t.after(() => {
    delete process.env.ROENTGEN_SMTP_URL
    delete process.env.ROENTGEN_DICOM_ARCHIVE_AUTH
  })
  const { dir, runtime } = await startBench(t)
  await activate(runtime, await tinyPackage(dir, { seed: 1 }))
  const pool = new ImagingPool({ workers: 1, limits: { maxBytes: 1e6, maxPixels: 1e6 } })
  pool.start()
  t.after(() => pool.stop())
  const empty = await realpath(emptyFolder())
  const pids = [runtime.status()[0]?.pid, pool.status().workers[0]?.pid]
  for (const pid of pids) {
    assert.ok(pid)
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8')
    assert.doesNotMatch(environment, /hunter2|ROENTGEN_|HOME=|PATH=/)
    assert.equal(await realpath(`/proc/${pid}/cwd`), empty)
  }
})

test('a question that is asked in confinement is answered, and ends with its time', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'roentgen-confined-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  const library = new URL('../../src/processes/child-answer.ts', import.meta.url).href
  const worker = async (name: string, work: string) => {
    const path = join(dir, name)
    await writeFile(
      path,
      `import { readFileSync } from 'node:fs'
      import { answerParent } from ${JSON.stringify(library)}
      answerParent(async () => ${work})`,
    )
    return { worker: pathToFileURL(path), request: null, confined: { mayRead: [path] } }
  }
  assert.equal(await askChild(await worker('a.mjs', '7')), 7)
  await assert.rejects(
    askChild(await worker('b.mjs', "readFileSync('/etc/hosts')")),
    /ERR_ACCESS_DENIED/,
  )
  const endless = { ...(await worker('c.mjs', '{ for (;;); }')), timeoutMs: 700 }
  await assert.rejects(askChild(endless), /SIGKILL/)
})
