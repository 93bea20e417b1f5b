// One reader for the history of every package, old and new.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { readHistory } from '../../src/evaluation/training-history.ts'

const MODELS = fileURLToPath(new URL('../../models/', import.meta.url))

test('the present format gives durations and the best epoch from the history itself', () => {
  const epoch = (n: number) => ({
    epoch: n,
    trainLoss: 1 / n,
    trainAccuracy: 0.5,
    trainAuc: { value: null, reason: 'one class' },
    valLoss: 1 / n,
    valAccuracy: 0.5,
    valAuc: 0.7,
    learningRate: 0.001,
    duration: { seconds: 2.5 * n, readable: 'x' },
  })
  const text = JSON.stringify({ schema: 2, bestEpoch: 2, endedBy: 'x', epochs: [1, 2].map(epoch) })
  const read = readHistory(text, '{"training":{"bestEpoch":9}}')
  assert.deepEqual([read?.bestEpoch, read?.seconds], [2, 2.5 + 5])
  assert.deepEqual([read?.epochs[0]?.trainAuc, read?.epochs[0]?.valAuc], [null, 0.7])
})

test('the first format gives seconds beside the epochs and the best epoch from the summary', () => {
  for (const dir of globSync('*/*/v*', { cwd: MODELS })) {
    const text = (name: string) => readFileSync(join(MODELS, dir, 'results', name), 'utf8')
    const read = readHistory(text('training_history.json'), text('results_summary.json'))
    assert.ok(read && read.seconds !== null && read.seconds > 0, dir)
    assert.ok(read.bestEpoch !== null && read.bestEpoch >= 1, dir)
  }
})

test('what is missing, damaged or of another kind is no history, and an epoch without a time has no total', () => {
  const epoch = { epoch: 1, trainLoss: 1, trainAccuracy: 1, valLoss: 1, valAccuracy: 1 }
  for (const text of [undefined, '', '{', '{}', '{"epochs":[]}', '{"epochs":[{"epoch":1}]}']) {
    assert.equal(readHistory(text, undefined), null)
  }
  assert.equal(readHistory(JSON.stringify({ epochs: [epoch] }), undefined)?.seconds, null)
})
