// Processes with one question and one answer: what hangs in them is ended, and none is left behind.
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { convertApart } from '../../src/conversion/convert/convert-process.ts'
import { askChild } from '../../src/processes/child-answer.ts'

const MODULE = new URL('../../src/processes/child-answer.ts', import.meta.url).href
const KERAS = fileURLToPath(new URL('../formats/keras/fixtures/functional.keras', import.meta.url))

/** A module in a folder of its own. */
async function moduleOf(t: test.TestContext, code: string): Promise<{ url: URL; dir: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'roentgen-child-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  const path = join(dir, 'worker.mjs')
  await writeFile(path, code)
  return { url: pathToFileURL(path), dir }
}

function worker(t: test.TestContext, work: string) {
  const code = `import { writeFileSync } from 'node:fs'
    import { answerParent } from ${JSON.stringify(MODULE)}
    answerParent(async (request) => { ${work} })`
  return moduleOf(t, code)
}

/** Waits until no process has the number. */
async function untilGone(pid: number): Promise<void> {
  const until = performance.now() + 60_000
  for (;;) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
    assert.ok(performance.now() < until, 'the process is still there')
    await after(20)
  }
}

test('a child that has answered is ended, whatever keeps it awake', async (t) => {
  const { url } = await worker(
    t,
    'setInterval(() => {}, 1000); return { pid: process.pid, request }',
  )
  const answer = await askChild<{ pid: number; request: string }>({ worker: url, request: 'hello' })
  assert.equal(answer.request, 'hello')
  await untilGone(answer.pid)
})

test('a child that loops without end is ended when its time is over', async (t) => {
  const { url } = await worker(t, 'for (;;);')
  await assert.rejects(askChild({ worker: url, request: 0, timeoutMs: 1000 }), /SIGKILL/)
})

test('a child that fails ends with its reason', async (t) => {
  const { url } = await worker(t, 'throw new Error("no such luck")')
  await assert.rejects(askChild({ worker: url, request: 0 }), /no such luck/)
})

test('a child that loops without end is ended also when its parent was killed', async (t) => {
  const { url, dir } = await worker(t, 'writeFileSync(request, String(process.pid)); for (;;);')
  const noted = join(dir, 'pid')
  const question = `{ worker: new URL(${JSON.stringify(url.href)}), request: ${JSON.stringify(noted)}, timeoutMs: 5000 }`
  const asking = await moduleOf(
    t,
    `import { askChild } from ${JSON.stringify(MODULE)}; void askChild(${question}).catch(() => {})`,
  )
  const parent = fork(asking.url, { execArgv: [] })
  t.after(() => parent.kill('SIGKILL'))
  let pid = ''
  for (const until = performance.now() + 60_000; pid === '' && performance.now() < until; ) {
    await after(20)
    pid = await readFile(noted, 'utf8').catch(() => '')
  }
  parent.kill('SIGKILL')
  if (parent.exitCode === null && parent.signalCode === null) await once(parent, 'exit')
  assert.ok(Number(pid) > 1)
  await untilGone(Number(pid))
})

test('a conversion that takes too long is ended and told in one sentence', async (t) => {
  const { dir } = await moduleOf(t, '')
  const out = join(dir, 'model.h5')
  await assert.rejects(convertApart({ from: { path: KERAS }, to: 'h5', out }, { timeoutMs: 1 }), {
    code: 'invalid-package',
    message: /takes too long/,
  })
  await assert.rejects(readFile(out))
})
