// How far a run is, what its curves say, and images that are almost the same.
import assert from 'node:assert/strict'
import test from 'node:test'
import { progressed } from '../../src/app/runs/run-progress.ts'
import { NO_PROGRESS } from '../../src/registry/runs/run-record.ts'
import type { EpochRecord } from '../../src/training/job.ts'
import { notesOn } from '../../src/training/loop/fit-notes.ts'
import { expectedDisk, expectedMemory } from '../../src/training/run-checks.ts'

function epoch(n: number, changes: Partial<EpochRecord> = {}): EpochRecord {
  return {
    epoch: n,
    trainLoss: 1 / n,
    trainAccuracy: 0.8,
    trainPrecision: 0.8,
    trainRecall: 0.8,
    trainAuc: null,
    valLoss: 1 / n,
    valAccuracy: 0.8,
    valPrecision: 0.8,
    valRecall: 0.8,
    valAuc: null,
    learningRate: 0.001,
    seconds: 1,
    imagesPerSecond: 10,
    ...changes,
  }
}

test('an epoch that is done again after an interruption takes the place of the earlier one', () => {
  const say = (record: EpochRecord) =>
    ({ type: 'epoch', record, best: true, epochs: 9, etaSeconds: 4 }) as const
  const twice = [1, 2, 3, 2].reduce((p, n) => progressed(p, say(epoch(n))), NO_PROGRESS)
  assert.deepEqual(
    twice.history.map((one) => one.epoch),
    [1, 2],
  )
  assert.deepEqual([twice.bestEpoch, twice.epochs, twice.etaSeconds], [2, 9, 4])
})

test('a run that was resumed with something else is marked as not exact, for good', () => {
  const resumed = (differs: string[]) =>
    ({ type: 'resumed', epoch: 1, batches: 0, history: [epoch(1)], differs }) as const
  const exact = progressed(NO_PROGRESS, resumed([]))
  assert.deepEqual(exact.resumed, { exact: true, differs: [] })
  const other = progressed(exact, resumed(['threads']))
  assert.deepEqual(progressed(other, resumed([])).resumed, { exact: false, differs: ['threads'] })
})

test('learning by heart and not learning at all are pointed out, learning is not', () => {
  const rising = [1, 2, 3, 4].map((n) => epoch(n, { valLoss: n }))
  assert.match(
    notesOn(rising).join(),
    /Overfitting: in 3 .* from 1.00 to 4.00 .* Epoch 1 is the best/,
  )
  const apart = [1, 2, 3, 4, 5].map((n) => epoch(n, { trainAccuracy: 0.99, valAccuracy: 0.7 }))
  assert.match(
    notesOn(apart).join(),
    /99% on training images.* 70% on validation images, 29 points lower/,
  )
  const flat = [1, 2, 3, 4, 5].map((n) => epoch(n, { trainLoss: 0.69, valLoss: 0.7 - n / 1000 }))
  assert.match(notesOn(flat).join(), /Underfitting/)
  const low = [1, 2, 3, 4, 5].map((n) => epoch(n, { trainAccuracy: 0.66, valAccuracy: 0.62 }))
  assert.match(
    notesOn(low).join(),
    /62% at best after 5 epochs.*unbalanced classes and wrong labels/,
  )
  assert.deepEqual(notesOn([1, 2, 3, 4, 5].map((n) => epoch(n))), [])
  assert.deepEqual(notesOn([]), [])
})

test('what a run needs grows with its batch, its images and their size', () => {
  const card = {
    name: 'x',
    title: 'x',
    purpose: 'x',
    inputSize: 224,
    channels: 'any',
    parameters: 1_000_000,
    gigaMacs: 1,
    activationMegabytes: 10,
  } as const
  const memory = (batchSize: number, imageSize = 224) =>
    expectedMemory({ card, batchSize, imageSize })
  assert.ok(memory(64) > memory(32))
  assert.equal(memory(64) - memory(32), memory(96) - memory(64))
  assert.equal(memory(32, 448) - memory(0), 4 * (memory(32) - memory(0)))
  const disk = (images: number) => expectedDisk({ card, images, imageSize: 224 })
  assert.equal(disk(200) - disk(100), 100 * 224 * 224 * 4)
})
