// Class weights: each class, and of several labels each label's presence and absence, has the same share of the loss.
import assert from 'node:assert/strict'
import test from 'node:test'
import type { PreparedImage, PreparedIndex } from '../../../src/training/dataset/prepared.ts'
import { classWeights, createFeeder } from '../../../src/training/loop/batches.ts'
import type { ImageSource } from '../../../src/training/loop/image-source.ts'

const classes = ['A', 'B', 'C'].map((label) => ({ label, positive: true }))
const imagesOf = (...all: number[][]) =>
  all.map((one) => ({ classes: one }) as unknown as PreparedImage)
const index = (kind: PreparedIndex['kind']) => ({ kind, classes }) as unknown as PreparedIndex
const source = { rowLength: 1, readChanged: () => {} } as unknown as ImageSource

test('single-label: a rarer class weighs more, a class without images nothing', () => {
  const weights = classWeights(imagesOf([0], [0], [0], [1]), index('single-label'))
  assert.deepEqual(
    weights.map(({ present }) => present),
    [4 / 6, 4 / 2, 0],
  )
})

test('multi-label: of each label the images with it and without it weigh the same together', () => {
  const images = imagesOf([0], [0, 1], [], [0])
  const weights = classWeights(images, index('multi-label'))
  assert.deepEqual(weights[0], { present: 4 / 6, absent: 4 / 2 })
  assert.deepEqual(weights[1], { present: 4 / 2, absent: 4 / 6 })
  assert.deepEqual(weights[2], { present: 1, absent: 1 }, 'no image bears it')
  const feeder = createFeeder({ index: index('multi-label'), source, batchSize: 4, weights })
  const { sampleWeights, y } = feeder.fill(images, 1)
  assert.equal(sampleWeights.length, 4 * 3)
  for (const k of [0, 1]) {
    const share = (is: number) =>
      images.reduce(
        (sum, _, at) => sum + (y[at * 3 + k] === is ? (sampleWeights[at * 3 + k] ?? 0) : 0),
        0,
      )
    assert.ok(Math.abs(share(1) - 2) < 1e-6 && Math.abs(share(0) - 2) < 1e-6, `label ${k}`)
  }
})

test('without weights every label of every image weighs 1', () => {
  const feeder = createFeeder({ index: index('multi-label'), source, batchSize: 2, weights: null })
  assert.deepEqual([...feeder.fill(imagesOf([0], [1, 2]), 1).sampleWeights], [1, 1, 1, 1, 1, 1])
})
