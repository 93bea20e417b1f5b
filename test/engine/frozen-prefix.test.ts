// Features of the frozen beginning, computed once, and the rest trained on them: the same numbers as training the whole.
import assert from 'node:assert/strict'
import test, { before } from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { getArchitecture } from '../../src/architectures/catalogue.ts'
import { trainLastLayers } from '../../src/architectures/fine-tuning.ts'
import { createFeatureSession } from '../../src/engine/feature-session.ts'
import { type FrozenPrefix, findFrozenPrefix } from '../../src/engine/frozen-prefix.ts'
import { createPredictionSession } from '../../src/engine/prediction-session.ts'
import { createTrainingStep } from '../../src/engine/training-step.ts'
import { BATCH, batchAt } from './batches.ts'
import { relativeError } from './compare.ts'
import { separableNet, tinyNet } from './nets.ts'

before(async () => {
  await tf.setBackend('cpu')
})

/** Freezes all layers before the named one. */
function frozenBefore(model: tf.LayersModel, name: string): tf.LayersModel {
  const at = model.layers.findIndex((layer) => layer.name === name)
  for (const layer of model.layers.slice(0, at)) layer.trainable = false
  return model
}

function prefixOf(model: tf.LayersModel): FrozenPrefix {
  return findFrozenPrefix(model) ?? assert.fail('no frozen beginning')
}

async function featuresOf(model: tf.LayersModel, x: Float32Array): Promise<Float32Array> {
  const session = await createFeatureSession({
    model,
    prefix: prefixOf(model),
    batchSize: BATCH,
    threads: 1,
  })
  const features = await session.run(x)
  await session.close()
  return features
}

/** Losses and weights after three steps of the whole, and of the rest on features. */
async function bothWays(
  model: tf.LayersModel,
  o: { channels: number; classes: number; size: number },
) {
  const options = {
    model,
    kind: o.classes === 1 ? 'binary' : 'single-label',
    batchSize: BATCH,
    // Adam would blow up rounding where a gradient is nearly zero.
    optimizer: { name: 'sgd', momentum: 0.9 },
    threads: 1,
  } as const
  const whole = await createTrainingStep(options)
  const rest = await createTrainingStep({ ...options, prefix: prefixOf(model) })
  const losses: [number, number][] = []
  for (let i = 0; i < 3; i++) {
    const batch = batchAt(i, o)
    const { loss } = await whole.run(batch)
    const other = await rest.run({ ...batch, x: await featuresOf(model, batch.x) })
    losses.push([loss, other.loss])
  }
  const weights = [...whole.weights()].map(([name, values]) => {
    return [name, values, rest.weights().get(name) ?? new Float32Array()] as const
  })
  await whole.close()
  await rest.close()
  return { losses, weights }
}

for (const [name, make, o] of [
  ['a plain net', () => frozenBefore(tinyNet(), 'conv2'), { channels: 1, classes: 1, size: 16 }],
  [
    'a net whose trained part reads two frozen results',
    () => {
      const model = separableNet()
      for (const layer of model.layers.slice(0, 5)) layer.trainable = false
      return model
    },
    { channels: 3, classes: 3, size: 16 },
  ],
  [
    'the last block of MobileNetV2',
    () => {
      const model = getArchitecture('mobilenet_v2_035').build({
        height: 48,
        width: 48,
        channels: 3,
        outputs: 3,
        seed: 7,
      })
      trainLastLayers(model, 10)
      return model
    },
    { channels: 3, classes: 3, size: 48 },
  ],
] as const) {
  test(`${name}: training on kept features is training the whole`, async () => {
    const { losses, weights } = await bothWays(make(), o)
    for (const [whole, rest] of losses) {
      assert.ok(Math.abs(whole - rest) <= 1e-5 * Math.abs(whole), `${rest} instead of ${whole}`)
    }
    for (const [weight, whole, rest] of weights) {
      const difference = whole.reduce(
        (most, value, at) => Math.max(most, Math.abs(value - (rest[at] ?? Number.NaN))),
        0,
      )
      assert.ok(difference <= 1e-4, `${weight}: ${difference}`)
    }
  })
}

test('predictions from features are those from images', async () => {
  const model = frozenBefore(tinyNet(), 'conv2')
  const prefix = prefixOf(model)
  const { x } = batchAt(0)
  const options = { lastActivation: 'auto', batchSize: BATCH, explain: false, threads: 1 } as const
  const whole = await createPredictionSession(model, options)
  const rest = await createPredictionSession(model, { ...options, prefix })
  const expected = await whole.run({ input: { data: x, dims: [BATCH, 16, 16, 1] } })
  const features = { data: await featuresOf(model, x), dims: [BATCH, prefix.size] }
  const actual = await rest.run({ input: features })
  assert.ok(relativeError(actual.logits?.data ?? [], expected.logits?.data ?? []) <= 1e-6)
  await whole.release()
  await rest.release()
})

test('what is kept is named and as large as the frozen results that are read', () => {
  const prefix = prefixOf(frozenBefore(tinyNet(), 'conv2'))
  assert.deepEqual(prefix.layers, ['pool1'])
  assert.equal(prefix.size, 8 * 8 * 6)
})

test('a model that is trained from its first layer on has no frozen beginning', () => {
  assert.equal(findFrozenPrefix(tinyNet()), undefined)
})

test('a frozen layer after a trained one is not kept', () => {
  const model = tinyNet()
  for (const layer of model.layers) layer.trainable = false
  model.getLayer('bn1').trainable = true
  const prefix = prefixOf(model)
  assert.deepEqual(prefix.layers, ['conv1'])
  assert.equal(prefix.calls.filter(Boolean).length, 1)
})
