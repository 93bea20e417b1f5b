// The layers and activations that TF.js lacks or that are written anew here: values, gradients, files, and that ONNX Runtime
// runs them as whole operators.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { before } from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { layerNormalization, normaliseLast } from '../../src/engine/layers/layer-normalization.ts'
import { normalization } from '../../src/engine/layers/normalization.ts'
import { selfAttention } from '../../src/engine/layers/self-attention.ts'
import { classToken, firstTokens, positionEmbedding } from '../../src/engine/layers/tokens.ts'
import { loadLayersModel } from '../../src/engine/layers-model.ts'
import { saveLayersModel } from '../../src/engine/layers-save.ts'
import { assertTracedEqualsCpu, gradientsOf, numbers, relativeError } from './compare.ts'
import { randomiseWeights } from './nets.ts'

before(async () => {
  await tf.setBackend('cpu')
})

const TOKENS = [2, 5, 12]

/** A layer that exists, with random weights. */
function built(layer: tf.layers.Layer, shape: readonly number[] = TOKENS): tf.layers.Layer {
  layer.build([null, ...shape.slice(1)])
  layer.setWeights(layer.getWeights().map((weight, i) => tensorOf(weight.shape, i + 5)))
  return layer
}

function tensorOf(shape: readonly number[], seed = 1, range?: [number, number]): tf.Tensor {
  const { data, dims } = numbers(shape, seed, range)
  return tf.tensor(data, [...dims])
}

const LAYERS: Record<string, () => tf.layers.Layer> = {
  LayerNormalization: () => built(layerNormalization({ name: 'ln', epsilon: 1e-6 })),
  'SelfAttention of all tokens': () => built(selfAttention({ heads: 3 })),
  'SelfAttention of the first token': () => built(selfAttention({ heads: 3, queries: 1 })),
  ClassToken: () => built(classToken('token')),
  PositionEmbedding: () => built(positionEmbedding('places')),
  FirstTokens: () => firstTokens({ name: 'first', tokens: 2 }),
  'Dense with silu': () => built(tf.layers.dense({ units: 4, activation: 'silu' as never })),
  'Dense with gelu': () => built(tf.layers.dense({ units: 4, activation: 'gelu' as never })),
}

for (const [name, make] of Object.entries(LAYERS)) {
  test(`${name} and its gradient are those of the cpu backend`, async () => {
    const layer = make()
    const fn = (inputs: Readonly<Record<string, tf.Tensor>>) =>
      layer.apply(inputs.x as tf.Tensor) as tf.Tensor
    await assertTracedEqualsCpu({ x: TOKENS }, (inputs) => ({ y: fn(inputs) }))
    await assertTracedEqualsCpu({ x: TOKENS }, gradientsOf(fn))
  })
}

test("layer normalisation has the values and gradients of TF.js' own", () => {
  const stock = tf.layers.layerNormalization({ epsilon: 1e-3 })
  const mine = layerNormalization({ name: 'mine', epsilon: 1e-3 })
  const gamma = tensorOf([12], 2)
  const beta = tensorOf([12], 3)
  for (const layer of [stock, mine]) {
    layer.build([null, 5, 12])
    layer.setWeights([gamma, beta])
  }
  const x = tensorOf(TOKENS)
  const dy = tensorOf(TOKENS, 9)
  const grads = (layer: tf.layers.Layer) =>
    tf
      .grad((given: tf.Tensor) => layer.apply(given) as tf.Tensor)(x, dy)
      .dataSync()
  const values = (layer: tf.layers.Layer) => (layer.apply(x) as tf.Tensor).dataSync()
  assert.ok(relativeError(values(mine), values(stock)) < 1e-6)
  assert.ok(relativeError(grads(mine), grads(stock)) < 1e-5)
})

test('layer normalisation without scale and centre has mean 0 and variance 1', () => {
  const y = normaliseLast(tensorOf([3, 64], 4, [5, 9]), { epsilon: 1e-6 })
  const { mean, variance } = tf.moments(y, -1)
  assert.ok([...mean.dataSync()].every((value) => Math.abs(value) < 1e-6))
  assert.ok([...variance.dataSync()].every((value) => Math.abs(value - 1) < 1e-4))
})

test('attention of the first token is the first row of that of all tokens', () => {
  const all = built(selfAttention({ heads: 2 }))
  const first = built(selfAttention({ heads: 2, queries: 1 }))
  const x = tensorOf(TOKENS)
  const rows = tf.slice(all.apply(x) as tf.Tensor, [0, 0, 0], [-1, 1, -1])
  assert.ok(relativeError((first.apply(x) as tf.Tensor).dataSync(), rows.dataSync()) < 1e-6)
})

test('attention refuses features that its heads cannot share', () => {
  assert.throws(() => selfAttention({ heads: 5 }).build([null, 4, 12]), /12 features/)
})

test('Normalization subtracts the mean and divides by the root of the variance, by weights or configuration', () => {
  const x = tf.tensor([1, 2, 3, 5, 6, 7], [1, 1, 2, 3])
  const [mean, variance] = [
    [1, 2, 3],
    [4, 16, 0.25],
  ]
  const configured = normalization({ mean, variance })
  const weighted = normalization({})
  weighted.build([null, 1, 2, 3])
  weighted.setWeights([tf.tensor1d(mean), tf.tensor1d(variance), tf.scalar(0, 'int32')])
  const expected = [0, 0, 0, 4 / 2, 4 / 4, 4 / 0.5]
  for (const layer of [configured, weighted]) {
    assert.deepEqual([...(layer.apply(x) as tf.Tensor).dataSync()], expected)
  }
  assert.equal(weighted.countParams(), 7)
  assert.equal(weighted.trainableWeights.length, 0)
  const inverted = normalization({ mean, variance, invert: true })
  const back = inverted.apply(configured.apply(x)) as tf.Tensor
  assert.deepEqual([...back.dataSync()], [...x.dataSync()])
})

test('Normalization over another axis than the last is refused', () => {
  assert.throws(() => normalization({ axis: 1 } as never), /only the last/)
})

test('a model with these layers is the same after it was saved and loaded', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'roentgen-layers-'))
  t.after(() => rm(folder, { recursive: true }))
  const apply = (layer: tf.layers.Layer, x: tf.SymbolicTensor) =>
    layer.apply(x) as tf.SymbolicTensor
  const input = tf.input({ shape: [4, 4, 12] })
  let x = apply(normalization({ name: 'norm' }), input)
  x = apply(tf.layers.reshape({ targetShape: [16, 12] }), x)
  x = apply(classToken('class'), x)
  x = apply(positionEmbedding('places'), x)
  x = apply(layerNormalization({ name: 'ln', epsilon: 1e-6 }), x)
  x = apply(selfAttention({ name: 'attention', heads: 4, queries: 3 }), x)
  x = apply(tf.layers.dense({ units: 6, activation: 'silu' as never }), x)
  x = apply(firstTokens({ name: 'first', tokens: 2 }), x)
  const model = tf.model({ inputs: input, outputs: x })
  randomiseWeights(model)
  await saveLayersModel(model, folder)
  const loaded = await loadLayersModel(folder)
  const image = tensorOf([2, 4, 4, 12])
  const outputs = [model, loaded].map((one) => (one.predict(image) as tf.Tensor).dataSync())
  assert.deepEqual(outputs[0], outputs[1])
  assert.deepEqual(outputs[0]?.length, 2 * 2 * 6)
})
