// Faults of hosts and disks: killed, hanging and crashing hosts, damaged packages and copies, full queues.
import assert from 'node:assert/strict'
import { appendFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import type { Damage } from '../../../src/inference/runtime-options.ts'
import { activate, ask, startBench, until } from '../runtime-bench.ts'
import { noise, SIDE, tinyPackage } from '../tiny-package.ts'

const TENSOR = noise(70, SIDE * SIDE)

test('a host that is killed again and again under load fails no request', async (t) => {
  const { dir, runtime } = await startBench(t)
  await activate(runtime, await tinyPackage(dir, { seed: 1 }))
  const { logit } = await ask(runtime, TENSOR)
  const killed = new Set<number>()
  let running = true
  const callers = Array.from({ length: 4 }, async () => {
    while (running) assert.equal((await ask(runtime, TENSOR)).logit, logit)
  })
  while (killed.size < 5) {
    await until(() => {
      const { pid } = runtime.status()[0] ?? {}
      return typeof pid === 'number' && !killed.has(pid)
    })
    const pid = runtime.status()[0]?.pid
    assert.ok(pid)
    killed.add(pid)
    process.kill(pid, 'SIGKILL')
    assert.equal((await ask(runtime, TENSOR)).logit, logit)
  }
  running = false
  await Promise.all(callers)
  assert.equal(runtime.status()[0]?.restarts, 5)
})

test('the active version with a damaged package answers from its copy when its host is killed, and is marked', async (t) => {
  const events: Damage[] = []
  const { dir, runtime } = await startBench(t, { onDamage: (event) => events.push(event) })
  const source = await tinyPackage(dir, { seed: 2 })
  await activate(runtime, source)
  const before = await ask(runtime, TENSOR)
  await appendFile(join(source.dir, 'models/tiny.onnx'), 'x')
  process.kill(runtime.status()[0]?.pid ?? 0, 'SIGKILL')
  assert.deepEqual(await ask(runtime, TENSOR), before)
  await until(() => events.length > 0)
  assert.equal(events[0]?.damaged, true)
  assert.equal(runtime.conditions()[0]?.damaged, true)
  const lease = await runtime.lease('pneumonia')
  assert.equal(lease.damaged, true)
  lease.release()
})

test('after a restart of the server a damaged active version answers from its copy and is reported', async (t) => {
  const { dir, runtime, another } = await startBench(t)
  const source = await tinyPackage(dir, { seed: 3 })
  await activate(runtime, source)
  const before = await ask(runtime, TENSOR)
  await runtime.stop()
  await rm(source.dir, { recursive: true })
  const next = await another()
  const { damaged, reason } = await next.restore(source, 'activation-1')
  assert.equal(damaged, true)
  assert.match(reason, /manifest/)
  assert.deepEqual(await ask(next, TENSOR), before)
})

test('a damaged private copy is made again from an intact package', async (t) => {
  const { dir, runtime, another } = await startBench(t)
  const source = await tinyPackage(dir, { seed: 4 })
  await activate(runtime, source)
  const before = await ask(runtime, TENSOR)
  await runtime.stop()
  await writeFile(join(dir, 'data/serving', source.sha256, 'models/tiny.onnx'), 'broken')
  const next = await another()
  assert.equal((await next.restore(source, 'activation-1')).damaged, false)
  assert.deepEqual(await ask(next, TENSOR), before)
})

test('with neither package nor copy intact nothing answers, and the reason is told', async (t) => {
  const { dir, runtime } = await startBench(t, { loadWaitMs: 2000 })
  const source = await tinyPackage(dir, { seed: 5 })
  await appendFile(join(source.dir, 'models/tiny.onnx'), 'x')
  await assert.rejects(runtime.restore(source, 'activation-1'), { code: 'hash-mismatch' })
  await assert.rejects(runtime.lease('pneumonia'), (error: { status?: number }) => {
    assert.equal(error.status, 503)
    return true
  })
  const [condition] = runtime.conditions()
  assert.notEqual(condition?.state, 'ready')
  assert.match(condition?.reason ?? '', /differs from its manifest/)
  assert.equal(runtime.isReady(), false)
})

test('a host that hangs is killed, its request is refused and not tried again, and the next one is answered', async (t) => {
  const { dir, runtime } = await startBench(t, { inferTimeoutMs: 1000 })
  await activate(runtime, await tinyPackage(dir, { seed: 6 }))
  const before = await ask(runtime, TENSOR)
  const pid = runtime.status()[0]?.pid ?? 0
  process.kill(pid, 'SIGSTOP')
  await assert.rejects(ask(runtime, TENSOR), /did not finish within 1 s and was ended/)
  assert.deepEqual(await ask(runtime, TENSOR), before)
  assert.notEqual(runtime.status()[0]?.pid, pid)
  assert.equal(runtime.status()[0]?.restarts, 1)
})

test('a version by name with a damaged package is refused, whatever is copied', async (t) => {
  const { dir, runtime } = await startBench(t, { idleMs: 20 })
  const source = await tinyPackage(dir, { seed: 7 })
  const lease = await runtime.leaseVersion(source)
  assert.deepEqual([lease.role, lease.activationId], ['requested', null])
  lease.release()
  // Unused, it is ended; asked for again, its package is looked at again.
  await until(() => runtime.status().length === 0)
  await appendFile(join(source.dir, 'models/tiny.onnx'), 'x')
  await assert.rejects(runtime.leaseVersion(source), { code: 'hash-mismatch' })
})

test('while a version loads requests wait for a time and are then told to come back', async (t) => {
  const { dir, runtime } = await startBench(t, { loadWaitMs: 1 })
  const source = await tinyPackage(dir, { seed: 8 })
  const restored = runtime.restore(source, 'activation-1')
  await assert.rejects(runtime.lease('pneumonia'), { code: 'loading', retryAfterSeconds: 5 })
  await restored
  const lease = await runtime.lease('pneumonia')
  lease.release()
})

test('more requests than the queue takes are answered busy at once, and places come free again', async (t) => {
  const { dir, runtime } = await startBench(t, { queueLength: 2 })
  await activate(runtime, await tinyPackage(dir, { seed: 9 }))
  const held = []
  for (let place = 0; place < 3; place++) held.push(await runtime.lease('pneumonia'))
  await assert.rejects(runtime.lease('pneumonia'), { code: 'busy', retryAfterSeconds: 1 })
  for (const lease of held) {
    lease.release()
    lease.release()
  }
  const again = await Promise.all([1, 2, 3].map(() => runtime.lease('pneumonia')))
  for (const lease of again) lease.release()
})

test('the previous version finishes what it began, stays warm for its time and then ends', async (t) => {
  const { dir, runtime } = await startBench(t, { warmMs: 50 })
  const [a, b] = [await tinyPackage(dir, { seed: 1 }), await tinyPackage(dir, { seed: 2 })]
  await activate(runtime, a)
  const lease = await runtime.lease('pneumonia')
  await activate(runtime, b)
  const old = () => runtime.status().find((one) => one.id === a.id)
  assert.equal(old()?.state, 'draining')
  assert.equal(lease.versionId, a.id)
  assert.equal((await lease.infer(TENSOR)).logits?.length, 1)
  assert.ok(old())
  lease.release()
  await until(() => old() === undefined)
  assert.equal((await ask(runtime, TENSOR)).versionId, b.id)
})

test('over the memory budget idle hosts end, the active one never', async (t) => {
  const { dir, runtime } = await startBench(t, { hostMemoryBytes: 1 })
  const [a, b, c] = [
    await tinyPackage(dir, { seed: 1 }),
    await tinyPackage(dir, { seed: 2 }),
    await tinyPackage(dir, { seed: 3 }),
  ]
  await activate(runtime, a)
  const first = await runtime.leaseVersion(b)
  first.release()
  const second = await runtime.leaseVersion(c)
  await until(() => !runtime.status().some((one) => one.id === b.id))
  assert.deepEqual(
    runtime.status().map(({ id, role }) => [id, role]),
    [
      [a.id, 'active'],
      [c.id, 'requested'],
    ],
  )
  second.release()
})

test('a runtime that is stopped ends its hosts, refuses requests and may be stopped again', async (t) => {
  const { dir, runtime } = await startBench(t)
  await activate(runtime, await tinyPackage(dir, { seed: 1 }))
  const pid = runtime.status()[0]?.pid ?? 0
  await runtime.stop()
  await runtime.stop()
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
  await assert.rejects(runtime.lease('pneumonia'), { code: 'unavailable' })
})
