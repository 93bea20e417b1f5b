// Switching under load: no request fails and each is answered by the version that it began with.
import assert from 'node:assert/strict'
import test from 'node:test'
import type { ServingSource } from '../../src/inference/host/serving-copy.ts'
import { activate, ask, startBench } from './runtime-bench.ts'
import { noise, SIDE, tinyPackage } from './tiny-package.ts'

const SWAPS = 50
const CALLERS = 4

test('fifty switches under four callers fail no request, and each answer is the one of its version', async (t) => {
  const { dir, runtime } = await startBench(t)
  const sources: ServingSource[] = []
  for (const seed of [1, 2, 3]) sources.push(await tinyPackage(dir, { seed, golden: 1 }))
  const tensors = Array.from({ length: 8 }, (_, index) => noise(100 + index, SIDE * SIDE))
  const alone = new Map<string, number[]>()
  for (const source of sources) {
    const lease = await runtime.leaseVersion(source)
    const logits: number[] = []
    for (const tensor of tensors) {
      const raw = await lease.infer(tensor)
      logits.push(raw.logits?.[0] ?? Number.NaN)
    }
    lease.release()
    alone.set(source.id, logits)
  }
  await activate(runtime, at(sources, 0))

  let running = true
  let answers = 0
  const seen = new Set<string>()
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    for (let turn = caller; running; turn++) {
      const index = turn % tensors.length
      const { versionId, logit } = await ask(runtime, at(tensors, index))
      assert.equal(logit, alone.get(versionId)?.[index])
      seen.add(versionId)
      answers += 1
    }
  })
  for (let swap = 1; swap <= SWAPS; swap++) {
    let expected = at(sources, swap)
    await activate(runtime, expected)
    if (swap % 5 === 0) {
      // A rollback to the version before, whose host is still warm.
      expected = at(sources, swap - 1)
      await activate(runtime, expected, { reuseWarm: true })
    }
    const { versionId } = await ask(runtime, at(tensors, 0))
    assert.equal(versionId, expected.id)
  }
  running = false
  await Promise.all(callers)
  assert.equal(seen.size, 3)
  assert.ok(answers >= SWAPS, `${answers} answers`)
  t.diagnostic(`${answers} answers during ${SWAPS} switches`)
})

/** The item at `index`, counted round. */
function at<T>(list: readonly T[], index: number): T {
  const item = list[index % list.length]
  assert.ok(item !== undefined)
  return item
}
