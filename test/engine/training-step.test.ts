// A traced training step against TF.js itself on its cpu backend. What else a training relies on: training-state.test.ts.
import assert from 'node:assert/strict'
import test, { before } from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { findHead, withoutLastActivation } from '../../src/engine/head.ts'
import type { LossKind } from '../../src/engine/training/loss.ts'
import type { OptimizerOptions } from '../../src/engine/training/optimizer.ts'
import type { TrainingBatch } from '../../src/engine/training/step-interface.ts'
import { createTrainingStep } from '../../src/engine/training-step.ts'
import { BATCH, batchAt, LEARNING_RATE } from './batches.ts'
import { relativeError } from './compare.ts'
import { separableNet, tinyNet } from './nets.ts'

const ADAM: OptimizerOptions = { name: 'adam' }

before(async () => {
  await tf.setBackend('cpu')
})

const optimizers = {
  adam: (learningRate: number) => tf.train.adam(learningRate, 0.9, 0.999, 1e-7),
  sgd: (learningRate: number) => tf.train.sgd(learningRate),
}

/** The same step in plain TF.js: layers in training mode, TF.js' losses and optimizers. */
function referenceStep(model: tf.LayersModel, kind: LossKind, optimizer: tf.Optimizer) {
  return (batch: TrainingBatch): number =>
    tf.tidy(() => {
      const [, ...shape] = model.inputs[0]?.shape ?? []
      const classes = model.outputs[0]?.shape[1] ?? 1
      const x = tf.tensor(batch.x, [BATCH, ...shape.map(Number)])
      const y = tf.tensor(batch.y, [BATCH, classes])
      const isMulti = kind === 'multi-label'
      const weights = tf.tensor(batch.sampleWeights, isMulti ? [BATCH, classes] : [BATCH])
      const loss = optimizer.minimize(() => {
        const z = withoutLastActivation(findHead(model), () =>
          model.apply(x, { training: true }),
        ) as tf.Tensor
        const each =
          kind === 'single-label'
            ? tf.losses.softmaxCrossEntropy(y, z, undefined, 0, tf.Reduction.NONE)
            : isMulti
              ? tf.losses.sigmoidCrossEntropy(y, z, undefined, 0, tf.Reduction.NONE)
              : tf.mean(tf.losses.sigmoidCrossEntropy(y, z, undefined, 0, tf.Reduction.NONE), 1)
        return tf.div(tf.sum(tf.mul(each, weights)), tf.sum(weights)) as tf.Scalar
      }, true)
      return loss?.dataSync()[0] ?? Number.NaN
    })
}

for (const [name, make, kind, options] of [
  ['the tiny net', () => tinyNet(), 'binary', { classes: 1 }],
  ['the separable net', () => separableNet(), 'single-label', { channels: 3, classes: 3 }],
  [
    'the separable net of several labels',
    () => separableNet(),
    'multi-label',
    { channels: 3, classes: 3, isMulti: true },
  ],
] as const) {
  for (const optimizer of ['adam', 'sgd'] as const) {
    test(`${name} with ${optimizer} has cpu's weights and moving averages after five steps`, async () => {
      const model = make()
      const step = await createTrainingStep({
        model,
        kind,
        batchSize: BATCH,
        optimizer: { name: optimizer },
        threads: 1,
      })
      const reference = referenceStep(model, kind, optimizers[optimizer](LEARNING_RATE))
      for (let i = 0; i < 5; i++) {
        const batch = batchAt(i, options)
        const { loss, logits } = await step.run(batch)
        assert.equal(logits.length, BATCH * options.classes)
        assert.ok(relativeError([loss], [reference(batch)]) < 1e-5, `loss of step ${i}`)
      }
      const expected = new Map(model.weights.map((w) => [w.originalName, w.read().dataSync()]))
      for (const [weight, values] of step.weights()) {
        const error = relativeError(values, expected.get(weight) ?? [])
        assert.ok(error < 1e-4, `${weight} differs by ${error}`)
      }
      await step.close()
    })
  }
}

test('200 steps of Adam give the loss curve of the cpu backend to five digits', async () => {
  const options = { size: 8, channels: 1, classes: 1 }
  const model = tinyNet(options)
  const step = await createTrainingStep({
    model,
    kind: 'binary',
    batchSize: BATCH,
    optimizer: ADAM,
    threads: 1,
  })
  const reference = referenceStep(model, 'binary', optimizers.adam(0.001))
  for (let i = 0; i < 200; i++) {
    const batch = { ...batchAt(i, options), learningRate: 0.001 }
    const [{ loss }, expected] = [await step.run(batch), reference(batch)]
    assert.ok(Math.abs(loss - expected) < 1e-5, `step ${i}: ${loss} instead of ${expected}`)
  }
  await step.close()
})
