// What a training relies on besides right numbers: exact resume, dropout by counters, frozen layers, refusals.
import assert from 'node:assert/strict'
import test, { before } from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { predictionGraph } from '../../src/engine/prediction-graph.ts'
import { createSession } from '../../src/engine/session.ts'
import type { OptimizerOptions } from '../../src/engine/training/optimizer.ts'
import { createTrainingStep } from '../../src/engine/training-step.ts'
import { BATCH, batchAt, LEARNING_RATE } from './batches.ts'
import { relativeError } from './compare.ts'
import { separableNet, tinyNet } from './nets.ts'

const ADAM: OptimizerOptions = { name: 'adam' }

before(async () => {
  await tf.setBackend('cpu')
})

test('a step that is restored goes on exactly like one that was never stopped', async () => {
  const create = () =>
    createTrainingStep({
      model: separableNet({ dropout: 0.4 }),
      kind: 'single-label',
      batchSize: BATCH,
      optimizer: { name: 'adam', weightDecay: 0.01 },
      labelSmoothing: 0.1,
      threads: 1,
    })
  const options = { channels: 3, classes: 3 }
  const [whole, first, second] = [await create(), await create(), await create()]
  for (let i = 0; i < 6; i++) await whole.run(batchAt(i, options))
  for (let i = 0; i < 3; i++) await first.run(batchAt(i, options))
  second.restore({ weights: first.weights(), optimizer: first.optimizerState() })
  for (let i = 3; i < 6; i++) await second.run(batchAt(i, options))
  assert.deepEqual(second.weights(), whole.weights())
  assert.deepEqual(second.optimizerState(), whole.optimizerState())
  assert.equal(second.optimizerState().step, 6)
  await Promise.all([whole, first, second].map((step) => step.close()))
})

test('dropout depends on the seed and the step, and on nothing else', async () => {
  const losses = async (seed: number) => {
    const step = await createTrainingStep({
      model: separableNet({ dropout: 0.5 }),
      kind: 'single-label',
      batchSize: BATCH,
      optimizer: { name: 'sgd' },
      threads: 1,
    })
    const batch = { ...batchAt(0, { channels: 3, classes: 3 }), learningRate: 0, dropoutSeed: seed }
    const results = [await step.run(batch), await step.run(batch)].map(({ loss }) => loss)
    await step.close()
    return results
  }
  const [one, again, other] = [await losses(1), await losses(1), await losses(2)]
  assert.deepEqual(one, again)
  assert.notEqual(one[0], one[1])
  assert.notEqual(one[0], other[0])
})

test('an image of weight 0 does not count in the loss', async () => {
  const step = await createTrainingStep({
    model: tinyNet(),
    kind: 'binary',
    batchSize: BATCH,
    optimizer: ADAM,
    threads: 1,
  })
  const batch = { ...batchAt(0), learningRate: 0, sampleWeights: Float32Array.of(1, 1, 1, 0) }
  const { loss, logits } = await step.run(batch)
  const each = [0, 1, 2].map(
    (b) => Math.log1p(Math.exp(logits[b] ?? 0)) - (logits[b] ?? 0) * (batch.y[b] ?? 0),
  )
  assert.ok(Math.abs(loss - each.reduce((a, b) => a + b, 0) / 3) < 1e-6)
  await step.close()
})

test('label smoothing spreads its share over the classes', async () => {
  const step = await createTrainingStep({
    model: separableNet(),
    kind: 'single-label',
    batchSize: BATCH,
    optimizer: ADAM,
    labelSmoothing: 0.3,
    threads: 1,
  })
  const batch = {
    ...batchAt(0, { channels: 3, classes: 3 }),
    sampleWeights: new Float32Array(BATCH).fill(1),
  }
  const { loss, logits } = await step.run(batch)
  const targets = tf.add(tf.mul(tf.tensor(batch.y, [BATCH, 3]), 0.7), 0.1)
  const expected = tf.losses.softmaxCrossEntropy(targets, tf.tensor(logits, [BATCH, 3])).dataSync()
  assert.ok(relativeError([loss], expected) < 1e-5)
  await step.close()
})

test('frozen layers stay as they are and behave as at inference', async () => {
  const model = tinyNet()
  for (const name of ['conv1', 'bn1']) model.getLayer(name).trainable = false
  const step = await createTrainingStep({
    model,
    kind: 'binary',
    batchSize: BATCH,
    optimizer: ADAM,
    threads: 1,
  })
  assert.deepEqual(
    [...step.weights().keys()],
    ['conv2/kernel', 'conv2/bias', 'head/kernel', 'head/bias'],
  )
  const batch = { ...batchAt(0), learningRate: 0 }
  const { logits } = await step.run(batch)
  const expected = (model.predict(tf.tensor(batch.x, [BATCH, 16, 16, 1])) as tf.Tensor).dataSync()
  assert.ok(relativeError(tf.sigmoid(tf.tensor1d(logits)).dataSync(), expected) < 1e-5)
  await step.close()
})

test('momentum and decoupled weight decay move weights as their formulas say', async () => {
  const model = tinyNet()
  const optimizer = { name: 'sgd', momentum: 0.9, weightDecay: 0.1 } as const
  const step = await createTrainingStep({
    model,
    kind: 'binary',
    batchSize: BATCH,
    optimizer,
    threads: 1,
  })
  const values = () => step.weights().get('conv2/kernel') ?? new Float32Array()
  const momentum = () =>
    (step.optimizerState().slots.momentum ?? new Float32Array()).slice(66, 66 + 432)
  const before = values()
  await step.run(batchAt(0))
  const [u, after] = [momentum(), values()]
  const expected = before.map((w, i) => w - LEARNING_RATE * ((u[i] ?? 0) + 0.1 * w))
  assert.ok(relativeError(after, expected) < 1e-6)
  await step.close()
})

test('applyTo writes the trained weights into a model, whose graph then gives the same logits', async () => {
  const model = tinyNet()
  const step = await createTrainingStep({
    model,
    kind: 'binary',
    batchSize: BATCH,
    optimizer: ADAM,
    threads: 1,
  })
  for (let i = 0; i < 5; i++) await step.run(batchAt(i))
  const copy = tinyNet()
  step.applyTo(copy)
  const scores = copy.predict(tf.tensor(batchAt(9).x, [BATCH, 16, 16, 1])) as tf.Tensor
  const { onnx } = predictionGraph(copy, { lastActivation: 'auto', batchSize: BATCH })
  const session = await createSession(onnx, { threads: 1 })
  const { logits } = await session.run({ input: { data: batchAt(9).x, dims: [BATCH, 16, 16, 1] } })
  assert.ok(
    relativeError(tf.sigmoid(tf.tensor(logits?.data ?? [])).dataSync(), scores.dataSync()) < 1e-5,
  )
  const moved = step.weights().get('bn1/moving_mean') ?? []
  assert.deepEqual([...(copy.getLayer('bn1').getWeights()[2]?.dataSync() ?? [])], [...moved])
  await Promise.all([session.release(), step.close()])
})

test('what cannot be trained is refused in one sentence', async () => {
  const frozen = tinyNet()
  for (const layer of frozen.layers) layer.trainable = false
  const noisy = tf.sequential({
    layers: [
      tf.layers.gaussianNoise({ stddev: 1, inputShape: [4, 4, 1], name: 'noise' }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 1 }),
    ],
  })
  const create = (model: tf.LayersModel) =>
    createTrainingStep({ model, kind: 'binary', batchSize: 2, optimizer: ADAM, threads: 1 })
  await assert.rejects(create(frozen), { code: 'invalid', message: /Nothing would be trained/ })
  await assert.rejects(create(noisy), { code: 'invalid', message: /"noise" \(GaussianNoise\)/ })
})

test('a batch or a state of another size is refused', async () => {
  const step = await createTrainingStep({
    model: tinyNet(),
    kind: 'binary',
    batchSize: BATCH,
    optimizer: ADAM,
    threads: 1,
  })
  await assert.rejects(step.run({ ...batchAt(0), x: new Float32Array(3) }), {
    code: 'invalid',
    message: /batch's x has 3/,
  })
  assert.throws(() => step.restore({ weights: new Map() }), {
    code: 'invalid',
    message: /does not fit/,
  })
  await step.close()
})
