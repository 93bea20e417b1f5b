// The evidence gate: what is refused before a version answers, and what that leaves as it was.
import assert from 'node:assert/strict'
import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { isAppError } from '../../src/errors.ts'
import type { CandidateStep } from '../../src/inference/gate/gate-steps.ts'
import { activate, ask, startBench, until } from './runtime-bench.ts'
import { noise, SIDE, tinyPackage } from './tiny-package.ts'

const TENSOR = noise(60, SIDE * SIDE)

test('a version passes manifest, load and golden, and answers from the switch on', async (t) => {
  const { dir, runtime } = await startBench(t)
  const prepared = await runtime.prepare(await tinyPackage(dir, { seed: 1, golden: 2 }))
  assert.deepEqual(
    prepared.steps.map(({ name, ok }) => [name, ok]),
    [
      ['manifest', true],
      ['load', true],
      ['golden', true],
    ],
  )
  assert.match(prepared.steps[2]?.detail ?? '', /^2 images/)
  await assert.rejects(runtime.lease('pneumonia'), { code: 'no-active-version' })
  await prepared.switchTo('activation-7')
  const lease = await runtime.lease('pneumonia')
  assert.deepEqual([lease.activationId, lease.role], ['activation-7', 'active'])
  lease.release()
})

test('a package without golden images says so in its step', async (t) => {
  const { dir, runtime } = await startBench(t)
  const { steps } = await runtime.prepare(await tinyPackage(dir, { seed: 1 }))
  assert.equal(steps[2]?.detail, 'no golden images')
})

test('a package that differs by one byte is refused although an intact private copy is there', async (t) => {
  const { dir, runtime } = await startBench(t)
  const [old, damaged] = [
    await tinyPackage(dir, { seed: 1 }),
    await tinyPackage(dir, { seed: 2, golden: 1 }),
  ]
  await activate(runtime, damaged)
  await activate(runtime, old)
  for (const file of ['models/tiny.onnx', 'README.md', 'configs/model.json']) {
    await appendFile(join(damaged.dir, file), ' ')
    await assert.rejects(runtime.prepare(damaged), { code: 'hash-mismatch' })
  }
  // A rollback looks at the serving set, also when the version is still warm.
  await assert.rejects(runtime.prepare(damaged, { reuseWarm: true }), { code: 'hash-mismatch' })
  assert.equal((await ask(runtime, TENSOR)).versionId, old.id)
})

test('golden images that are not reproduced within tolerance refuse the version', async (t) => {
  const { dir, runtime } = await startBench(t)
  const old = await tinyPackage(dir, { seed: 1 })
  await activate(runtime, old)
  const wrong = await tinyPackage(dir, { seed: 2, golden: 2, goldenError: 2e-4 })
  await assert.rejects(runtime.prepare(wrong), (error: unknown) => {
    assert.ok(isAppError(error))
    assert.equal(error.code, 'golden-mismatch')
    const steps = error.extra.steps as CandidateStep[]
    assert.deepEqual(
      steps.map(({ name, ok }) => [name, ok]),
      [
        ['manifest', true],
        ['load', true],
        ['golden', false],
      ],
    )
    return true
  })
  assert.equal((await ask(runtime, TENSOR)).versionId, old.id)
  await until(() => runtime.status().length === 1)
})

test('a difference within tolerance passes', async (t) => {
  const { dir, runtime } = await startBench(t)
  await runtime.prepare(await tinyPackage(dir, { seed: 2, golden: 1, goldenError: 5e-5 }))
})

test('a graph that ONNX Runtime cannot load is load-failed, without its path in the sentence', async (t) => {
  const { dir, runtime } = await startBench(t)
  const broken = await tinyPackage(dir, { seed: 3, graphBytes: Buffer.from('no graph at all') })
  await assert.rejects(runtime.prepare(broken), (error: unknown) => {
    assert.ok(isAppError(error))
    assert.equal(error.code, 'load-failed')
    assert.doesNotMatch(error.message, /[\\/]tmp|node_modules/)
    return true
  })
})

test('a graph whose outputs do not fit the classes is load-failed', async (t) => {
  const { dir, runtime } = await startBench(t)
  const two = await tinyPackage(dir, { seed: 4, kind: 'multi-label' })
  await runtime.prepare(two)
  const classes = ['a', 'b', 'c'].map((label) => ({ label, positive: true }))
  const graphs = join(two.dir, 'models/tiny.onnx')
  const three = await tinyPackage(dir, {
    seed: 5,
    kind: 'multi-label',
    classes,
    graphBytes: await readFile(graphs),
  })
  await assert.rejects(runtime.prepare(three), { code: 'load-failed' })
})

test('a package that is gone is a hash-mismatch, not a crash', async (t) => {
  const { dir, runtime } = await startBench(t)
  const source = await tinyPackage(dir, { seed: 6 })
  await rm(source.dir, { recursive: true })
  await assert.rejects(runtime.prepare(source), { code: 'hash-mismatch' })
  await assert.rejects(runtime.leaseVersion(source), { code: 'hash-mismatch' })
})

test('a file that the manifest does not name refuses an activation', async (t) => {
  const { dir, runtime } = await startBench(t)
  const source = await tinyPackage(dir, { seed: 7 })
  await writeFile(join(source.dir, 'models/extra.bin'), 'x')
  await assert.rejects(runtime.prepare(source), { code: 'hash-mismatch', message: /extra\.bin/ })
})

test('of two versions that are prepared at once the one that began later wins', async (t) => {
  const { dir, runtime } = await startBench(t)
  const [first, second] = [await tinyPackage(dir, { seed: 1 }), await tinyPackage(dir, { seed: 2 })]
  const slow = runtime.prepare(first)
  const fast = runtime.prepare(second)
  const [older, newer] = await Promise.all([slow, fast])
  await newer.switchTo('newer')
  await assert.rejects(older.switchTo('older'), { code: 'conflict' })
  assert.equal((await ask(runtime, TENSOR)).versionId, second.id)
})

test('an activation that began before the former version was restored has precedence', async (t) => {
  const { dir, runtime } = await startBench(t)
  const [former, next] = [await tinyPackage(dir, { seed: 1 }), await tinyPackage(dir, { seed: 2 })]
  const preparing = runtime.prepare(next)
  await runtime.restore(former, 'former')
  const prepared = await preparing
  assert.equal((await ask(runtime, TENSOR)).versionId, former.id)
  await prepared.switchTo('next')
  assert.equal((await ask(runtime, TENSOR)).versionId, next.id)
  await assert.rejects(runtime.restore(former, 'former'), { code: 'conflict' })
  assert.equal((await ask(runtime, TENSOR)).versionId, next.id)
})

test('a prepared version that is discarded leaves no process', async (t) => {
  const { dir, runtime } = await startBench(t)
  const prepared = await runtime.prepare(await tinyPackage(dir, { seed: 1 }))
  assert.equal(runtime.status().length, 1)
  await prepared.discard()
  await prepared.discard()
  assert.deepEqual(runtime.status(), [])
  await assert.rejects(prepared.switchTo('late'), { code: 'conflict' })
})

test('a rollback to the version before uses its warm host, and a later one starts a fresh host', async (t) => {
  const { dir, runtime } = await startBench(t)
  const [a, b] = [await tinyPackage(dir, { seed: 1 }), await tinyPackage(dir, { seed: 2 })]
  await activate(runtime, a)
  const pid = runtime.status()[0]?.pid
  await activate(runtime, b)
  const warm = await runtime.prepare(a, { reuseWarm: true })
  assert.equal(warm.steps[1]?.detail, 'still loaded')
  await warm.switchTo('back')
  assert.equal(runtime.status().find((one) => one.role === 'active')?.pid, pid)
  await activate(runtime, b)
  assert.notEqual(runtime.status().find((one) => one.role === 'active')?.pid, undefined)
  await activate(runtime, a)
  assert.notEqual(runtime.status().find((one) => one.role === 'active')?.pid, pid)
})

test('private copies of versions that nothing uses are removed, loaded ones never', async (t) => {
  const { dir, runtime } = await startBench(t, { warmMs: 0 })
  const [a, b, c] = [
    await tinyPackage(dir, { seed: 1 }),
    await tinyPackage(dir, { seed: 2 }),
    await tinyPackage(dir, { seed: 3 }),
  ]
  for (const source of [a, b, c]) await activate(runtime, source)
  await until(() => runtime.status().length === 1)
  assert.deepEqual(await runtime.pruneCopies([b.sha256]), [a.sha256])
  const left = await readdir(join(dir, 'data/serving'))
  assert.deepEqual(
    left.filter((name) => name !== 'compiled').toSorted(),
    [b.sha256, c.sha256].toSorted(),
  )
})
