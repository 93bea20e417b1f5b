// Models that do not end, or take all memory: others are answered meanwhile, and they are ended, not retried, set aside.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { memoryLimit, runLimits } from '../../../src/inference/host/run-limits.ts'
import type { ModelRuntime } from '../../../src/inference/runtime.ts'
import { endlessModel, hungryModel } from '../../support/greedy-models.ts'
import { activate, startBench, until } from '../runtime-bench.ts'
import { SIDE, tinyPackage } from '../tiny-package.ts'

const DARK = new Float32Array(SIDE * SIDE).fill(-1)
const BRIGHT = new Float32Array(SIDE * SIDE).fill(1)
const OTHER = 'cardiomegaly'

async function infer(
  runtime: ModelRuntime,
  { condition = 'pneumonia', tensor = DARK, signal = undefined as AbortSignal | undefined } = {},
): Promise<number> {
  const lease = await runtime.lease(condition)
  try {
    const { logits } = await lease.infer(tensor, { signal })
    return logits?.[0] ?? Number.NaN
  } finally {
    lease.release()
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const pidOf = (runtime: ModelRuntime, id: string): number =>
  runtime.status().find((one) => one.id === id)?.pid ?? 0

test('while one model hangs the other conditions are answered, and its own requests hold no more than their share', async (t) => {
  const { dir, runtime } = await startBench(t)
  const endless = await tinyPackage(dir, { seed: 1, plain: true, graphBytes: endlessModel() })
  await activate(runtime, endless)
  await activate(runtime, await tinyPackage(dir, { seed: 1, condition: OTHER }))
  const expected = await infer(runtime, { condition: OTHER })
  assert.equal(await infer(runtime), 0)
  let ended = 0
  const hanging = Array.from({ length: 4 }, () =>
    infer(runtime, { tensor: BRIGHT }).catch((error: Error) => {
      ended += 1
      return error
    }),
  )
  await until(() => runtime.queue().running > 0)
  for (let answer = 0; answer < 5; answer++) {
    assert.equal(await infer(runtime, { condition: OTHER }), expected)
  }
  assert.equal(ended, 0, 'the answers came before the endless run was ended')
  for (const error of await Promise.all(hanging))
    assert.match(String(error), /did not finish|set aside/)
  assert.equal(await infer(runtime, { condition: OTHER }), expected)
})

test('a run that does not end is not tried again, and after the second time the version is set aside', async (t) => {
  const { dir, runtime } = await startBench(t)
  const source = await tinyPackage(dir, { seed: 1, plain: true, graphBytes: endlessModel() })
  await activate(runtime, source)
  const first = pidOf(runtime, source.id)
  await assert.rejects(infer(runtime, { tensor: BRIGHT }), {
    code: 'unavailable',
    message: 'pneumonia/tiny@1 did not finish within 2 s and was ended.',
  })
  await until(() => !isAlive(first))
  assert.equal(await infer(runtime), 0)
  assert.equal(runtime.status()[0]?.restarts, 1)
  await assert.rejects(infer(runtime, { tensor: BRIGHT }), /did not finish/)
  await assert.rejects(infer(runtime), { code: 'unavailable', message: /is set aside: twice/ })
  assert.equal(runtime.isReady(), false)
  assert.match(runtime.conditions()[0]?.reason ?? '', /set aside/)
  assert.equal(runtime.status()[0]?.restarts, 1)
  // A person who activates it again gives it another chance.
  await activate(runtime, source)
  assert.equal(await infer(runtime), 0)
})

test('a run whose caller has gone is ended early, and does not count against the version', async (t) => {
  const { dir, runtime } = await startBench(t)
  const source = await tinyPackage(dir, { seed: 1, plain: true, graphBytes: endlessModel() })
  await activate(runtime, source)
  for (let time = 0; time < 3; time++) {
    assert.equal(await infer(runtime), 0)
    const pid = pidOf(runtime, source.id)
    const caller = new AbortController()
    const asked = infer(runtime, { tensor: BRIGHT, signal: caller.signal })
    await until(() => runtime.queue().running === 1)
    caller.abort()
    await assert.rejects(asked)
    await until(() => !isAlive(pid))
  }
  assert.equal(await infer(runtime), 0)
})

test('an occlusion has one limit for all its rows', async (t) => {
  const { dir, runtime } = await startBench(t)
  const source = await tinyPackage(dir, { seed: 1, plain: true, graphBytes: endlessModel() })
  await activate(runtime, source)
  const lease = await runtime.lease('pneumonia')
  const patches = [{ x0: 0, y0: 0, x1: 1, y1: 1 }]
  const work = { patches: 100, spentMs: 0 }
  await lease.inferMasked(DARK, { patches, fill: [0], work })
  const afterOne = work.spentMs
  assert.ok(afterOne > 0)
  await lease.inferMasked(DARK, { patches, fill: [0], work })
  assert.ok(work.spentMs > afterOne)
  // As if the rows before had used all of it.
  work.spentMs = 1e9
  await assert.rejects(lease.inferMasked(BRIGHT, { patches, fill: [0], work }), /did not finish/)
  lease.release()
})

test('limits follow the first run and the budget, within bounds', () => {
  assert.equal(runLimits(undefined, 60_000).runMs, 60_000)
  assert.equal(runLimits(3, 60_000).runMs, 2000)
  assert.equal(runLimits(400, 60_000).runMs, 8000)
  assert.equal(runLimits(9000, 60_000).runMs, 60_000)
  assert.equal(runLimits(400, 60_000).abandonedMs, 1600)
  assert.equal(runLimits(3, 60_000).abandonedMs, 1000)
  assert.equal(runLimits(100, 60_000).maskedMs(64), 2000 + 4 * 100 * 64)
  const MIB = 2 ** 20
  assert.equal(memoryLimit(100 * MIB, 64 * MIB), 512 * MIB)
  assert.equal(memoryLimit(100 * MIB, 4096 * MIB), 612 * MIB)
  assert.equal(memoryLimit(800 * MIB, 8192 * MIB), 3200 * MIB)
  assert.equal(memoryLimit(800 * MIB, 1024 * MIB), 1024 * MIB)
})

/** The most that a process ever held, MiB. */
function peakMib(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024
}

const ON_LINUX = { skip: process.platform === 'linux' ? false : 'measured by /proc' }

test(
  'a host that takes more than its limit of memory is ended, and the reason is told',
  ON_LINUX,
  async (t) => {
    const { dir, runtime } = await startBench(t, { hostMemoryBytes: 512 * 2 ** 20 })
    const graphBytes = hungryModel(800 * 2 ** 20)
    const source = await tinyPackage(dir, { seed: 1, plain: true, graphBytes })
    await activate(runtime, source)
    const pid = pidOf(runtime, source.id)
    await assert.rejects(infer(runtime, { tensor: BRIGHT }), {
      code: 'unavailable',
      message: /took \d+ MiB of memory and may take 512/,
    })
    await until(() => !isAlive(pid))
    assert.equal(Number.isFinite(await infer(runtime)), true)
  },
)

test(
  'what is asked for at once beyond all limits is refused by the kernel and never held',
  ON_LINUX,
  async (t) => {
    const { dir, runtime } = await startBench(t, { hostMemoryBytes: 512 * 2 ** 20 })
    const graphBytes = hungryModel(6.5 * 2 ** 30)
    const source = await tinyPackage(dir, { seed: 1, plain: true, graphBytes })
    await activate(runtime, source)
    const pid = pidOf(runtime, source.id)
    await assert.rejects(infer(runtime, { tensor: BRIGHT }))
    if (isAlive(pid)) assert.ok(peakMib(pid) < 2048, `${peakMib(pid)} MiB`)
    assert.equal(Number.isFinite(await infer(runtime)), true)
  },
)
