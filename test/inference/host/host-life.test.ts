// The small rules behind a host's life: pauses between restarts, the memory budget, the last words of a process.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import test from 'node:test'
import { BackOff } from '../../../src/inference/host/back-off.ts'
import { chooseToEnd } from '../../../src/inference/host/host-budget.ts'
import { ModelHost } from '../../../src/inference/host/model-host.ts'
import { TextTail } from '../../../src/processes/text-tail.ts'
import { temporaryFolder } from '../tiny-package.ts'

test('the first restart is at once, later ones wait longer and longer, up to half a minute', (t) => {
  t.mock.timers.enable({ apis: ['Date'] })
  const backOff = new BackOff()
  const waits = Array.from({ length: 9 }, () => {
    backOff.failed()
    return backOff.waitMs
  })
  assert.deepEqual(waits, [0, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
  backOff.succeeded()
  backOff.failed()
  assert.equal(backOff.waitMs, 0)
})

test('over budget the longest unused goes first, and only as many as it takes', () => {
  const entry = (name: string, lastUsedAt: number) =>
    ({ name, role: 'requested', rssBytes: 100, leases: 0, lastUsedAt }) as const
  const entries = [entry('new', 3), entry('old', 1), entry('middle', 2)]
  const names = (budget: number) => chooseToEnd(entries, budget).map((one) => one.name)
  assert.deepEqual(names(300), [])
  assert.deepEqual(names(299), ['old'])
  assert.deepEqual(names(150), ['old', 'middle'])
})

test('a version that answers, is checked or is in use is never ended for memory', () => {
  const base = { rssBytes: 100, leases: 0, lastUsedAt: 1 }
  const entries = [
    { ...base, role: 'active' },
    { ...base, role: 'candidate' },
    { ...base, role: 'requested', leases: 1 },
    { ...base, role: 'retired' },
  ] as const
  assert.deepEqual(chooseToEnd(entries, 0), [])
})

test('the tail of a stream keeps its last bytes, and its last line shows no path', () => {
  const tail = new TextTail(50)
  tail.push(Buffer.from('a long beginning that nobody needs to read\n'))
  tail.push(Buffer.from('Error: no file /home/someone/model.onnx\n\n'))
  assert.equal(tail.text().length <= 50, true)
  assert.equal(tail.lastLine(), 'Error: no file …')
})

test('a graph whose bytes are not the expected ones is not loaded by the host', async (t) => {
  const dir = await temporaryFolder(t)
  const graph = `${dir}/graph.onnx`
  await writeFile(graph, 'other bytes')
  const host = new ModelHost({
    id: 'pneumonia/tiny@1',
    load: {
      graph: {
        file: 'models/tiny.onnx',
        input: { name: 'image', layout: 'nhwc' },
        outputs: { logits: 'logits', probabilities: null, features: null, gradients: null },
      },
      path: graph,
      sha256: '0'.repeat(64),
      shape: { height: 1, width: 1, channels: 1 },
      threads: 1,
      isBackground: false,
    },
    loadTimeoutMs: 10_000,
    inferTimeoutMs: 1000,
    compileCacheDir: `${dir}/compiled`,
    copyDir: dir,
    memoryBudgetBytes: 2 ** 30,
  })
  await assert.rejects(host.start(), { code: 'hash-mismatch' })
  assert.equal(host.state, 'failed')
  await host.stop()
  await host.stop()
})
