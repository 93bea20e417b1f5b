// Augmentation draws from counters alone, and the learning rate follows the plan.
import assert from 'node:assert/strict'
import test from 'node:test'
import { applyChange, drawChange } from '../../src/training/dataset/augment.ts'
import { AugmentationSchema } from '../../src/training/hyperparameters.ts'
import { afterEpoch, firstProgress, learningRateAt } from '../../src/training/loop/schedule.ts'
import {
  augmentationFor,
  completeHyperparameters,
  type GivenHyperparameters,
} from '../../src/training/settings.ts'

const shape = { height: 8, width: 8, channels: 1 }
const source = Float32Array.from({ length: 64 }, (_, i) => i)
const none = AugmentationSchema.parse({
  rotationDegrees: 0,
  shift: 0,
  scale: 0,
  brightness: 0,
  contrast: 0,
})

test('no augmentation leaves every value as it is', () => {
  const target = new Float32Array(64)
  const change = drawChange(none, { seed: 1, epoch: 1, index: 1 })
  applyChange(source, { target, shape, change })
  assert.deepEqual(target, source)
})

test('the same seed, epoch and image give the same change, any other gives another', () => {
  const options = augmentationFor('knee')
  const draw = { seed: 42, epoch: 3, index: 7 }
  assert.deepEqual(drawChange(options, draw), drawChange(options, draw))
  assert.notDeepEqual(drawChange(options, draw), drawChange(options, { ...draw, epoch: 4 }))
  assert.notDeepEqual(drawChange(options, draw), drawChange(options, { ...draw, index: 8 }))
})

test('a mirrored image is the image from right to left', () => {
  const options = { ...none, flipHorizontal: true }
  const draws = Array.from({ length: 20 }, (_, index) =>
    drawChange(options, { seed: 1, epoch: 1, index }),
  )
  const change = draws.find(({ a }) => a === -1)
  assert.ok(change && draws.some(({ a }) => a === 1))
  const target = new Float32Array(64)
  applyChange(source, { target, shape, change })
  assert.deepEqual([...target.subarray(0, 8)], [7, 6, 5, 4, 3, 2, 1, 0])
})

test('hearts stay on the left, knees and skin may be mirrored', () => {
  assert.equal(augmentationFor('chest').flipHorizontal, false)
  assert.equal(augmentationFor('knee').flipHorizontal, true)
  assert.equal(augmentationFor('knee').flipVertical, false)
  assert.equal(augmentationFor('skin').flipVertical, true)
})

const complete = (given: GivenHyperparameters) =>
  completeHyperparameters(given, {
    preset: 'quick',
    learningRate: 1e-3,
    imageSize: 128,
    augmentation: augmentationFor('chest'),
  })

test('presets, architecture and wishes make the settings; a wrong wish is named', () => {
  assert.equal(complete({}).epochs, 5)
  assert.equal(complete({}).seed, 42)
  assert.equal(complete({ epochs: 2, augmentation: null }).epochs, 2)
  assert.equal(complete({ augmentation: null }).augmentation, null)
  const turned = complete({ augmentation: { rotationDegrees: 20 } }).augmentation
  assert.deepEqual(turned, { ...augmentationFor('chest'), rotationDegrees: 20 })
  assert.throws(() => complete({ batchSize: 1 }), /"batchSize" is wrong/)
  assert.throws(() => complete({ learningRate: -1 }), /"learningRate" is wrong/)
  assert.throws(() => complete({ epoch: 3 } as GivenHyperparameters), /hyperparameter/)
})

test('cosine falls from the full rate to a hundredth after a warm-up', () => {
  const h = complete({ schedule: 'cosine', epochs: 10 })
  const at = (epoch: number, step: number) =>
    learningRateAt(h, { progress: firstProgress(h), epoch, step, steps: 100 })
  assert.ok(at(1, 0) < h.learningRate / 10)
  assert.ok(at(1, 40) > 0.99 * h.learningRate)
  assert.ok(Math.abs(at(6, 0) / h.learningRate - (0.01 + 0.99 * 0.5)) < 1e-9)
  assert.ok(at(10, 99) < 0.011 * h.learningRate)
})

test('step multiplies the rate every so many epochs', () => {
  const h = complete({ schedule: 'step', epochs: 30, stepEpochs: 10, stepFactor: 0.1 })
  const progress = firstProgress(h)
  const rate = (epoch: number) => learningRateAt(h, { progress, epoch, step: 50, steps: 100 })
  assert.equal(rate(10), h.learningRate)
  assert.equal(rate(11), h.learningRate * 0.1)
  assert.equal(rate(30), h.learningRate * 0.1 ** 2)
})

test('a plateau halves the rate and no progress ends the run', () => {
  const h = complete({ schedule: 'plateau', plateauPatience: 2, earlyStopping: 4 })
  let progress = firstProgress(h)
  const enough: boolean[] = []
  for (const [at, loss] of [0.5, 0.6, 0.6, 0.6, 0.6].entries()) {
    const after = afterEpoch(progress, { h, epoch: at + 1, loss })
    progress = after.progress
    enough.push(after.enough)
  }
  assert.deepEqual(enough, [false, false, false, false, true])
  assert.equal(progress.bestEpoch, 1)
  assert.equal(progress.learningRate, h.learningRate * 0.5 * 0.5)
})
