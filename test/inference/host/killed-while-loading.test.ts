// Hosts that are killed from outside while they load: a trouble of the moment, and never a fault of the version.
import assert from 'node:assert/strict'
import { appendFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { AppError } from '../../../src/errors.ts'
import { killChildren } from '../../support/kill-children.ts'
import { activate, ask, startBench, until } from '../runtime-bench.ts'
import { noise, SIDE, tinyPackage } from '../tiny-package.ts'

const TENSOR = noise(70, SIDE * SIDE)

/** `host.ts` is loading as soon as it has said hello. */
function killHosts(t: TestContext, max?: number) {
  return killChildren(t, {
    which: ({ spawnargs }) => spawnargs.some((arg) => arg.endsWith('host/host.ts')),
    when: 'first message',
    ...(max !== undefined && { max }),
  })
}

function isUnavailable(error: unknown): boolean {
  assert.ok(error instanceof AppError)
  assert.deepEqual([error.code, error.status], ['unavailable', 503], error.message)
  assert.ok((error.retryAfterSeconds ?? 0) > 0)
  return true
}

test('a request waits for the next host when the one after a crash is killed while it loads', async (t) => {
  const { dir, runtime } = await startBench(t)
  await activate(runtime, await tinyPackage(dir, { seed: 1 }))
  const before = await ask(runtime, TENSOR)
  const killing = killHosts(t, 1)
  process.kill(runtime.status()[0]?.pid ?? 0, 'SIGKILL')
  assert.deepEqual(await ask(runtime, TENSOR), before)
  assert.equal(killing.kills, 1)
})

test('when every host that is started is killed while it loads, requests get 503 and the version answers again afterwards', async (t) => {
  const { dir, runtime } = await startBench(t)
  await activate(runtime, await tinyPackage(dir, { seed: 1 }))
  const before = await ask(runtime, TENSOR)
  const killing = killHosts(t)
  process.kill(runtime.status()[0]?.pid ?? 0, 'SIGKILL')
  await assert.rejects(ask(runtime, TENSOR), isUnavailable)
  assert.ok(killing.kills >= 2)
  assert.match(runtime.conditions()[0]?.reason ?? '', /was killed while it was being loaded/)
  killing.stop()
  await until(() => runtime.isReady())
  assert.deepEqual(await ask(runtime, TENSOR), before)
})

test('a version whose first host is killed while it loads is not refused for good', async (t) => {
  const { dir, runtime } = await startBench(t)
  const source = await tinyPackage(dir, { seed: 1 })
  const killing = killHosts(t)
  await assert.rejects(runtime.leaseVersion(source), isUnavailable)
  await assert.rejects(runtime.prepare(source), isUnavailable)
  killing.stop()
  await activate(runtime, source)
  assert.equal((await ask(runtime, TENSOR)).versionId, source.id)
})

test('a version that answers and cannot be loaded again is unavailable, not in conflict', async (t) => {
  const { dir, runtime } = await startBench(t)
  const source = await tinyPackage(dir, { seed: 1 })
  await activate(runtime, source)
  await ask(runtime, TENSOR)
  await rm(join(dir, 'data/serving', source.sha256), { recursive: true })
  await appendFile(join(source.dir, 'models/tiny.onnx'), 'x')
  process.kill(runtime.status()[0]?.pid ?? 0, 'SIGKILL')
  await assert.rejects(ask(runtime, TENSOR), isUnavailable)
})
