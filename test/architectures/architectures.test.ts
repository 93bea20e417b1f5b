// What the architectures promise: size, cost, a heatmap in closed form where the head is linear, weights fixed by the seed.
// That they are those of Keras and torchvision: published-architectures.test.ts.
import assert from 'node:assert/strict'
import test from 'node:test'
import * as tf from '@tensorflow/tfjs'
import type { Architecture, BuildOptions } from '../../src/architectures/architecture.ts'
import { ARCHITECTURES, getArchitecture } from '../../src/architectures/catalogue.ts'
import { costOf } from '../../src/architectures/cost.ts'
import { loadLayersModel } from '../../src/engine/layers-model.ts'
import { predictionGraph } from '../../src/engine/prediction-graph.ts'
import { sharedPath, skipWithout } from '../support/shared.ts'

function build(architecture: Architecture, options: Partial<BuildOptions> = {}): tf.LayersModel {
  const { inputSize } = architecture
  const weights = 'zeros' // no time is lost on drawing numbers that nothing here looks at
  const shape = { height: inputSize, width: inputSize, channels: 1, outputs: 1 } as const
  return architecture.build({ ...shape, seed: 42, weights, ...options })
}

function countOf(weights: tf.LayersModel['weights']): number {
  const sizes = weights.map(({ shape }) => shape.reduce<number>((n, dim) => n * (dim ?? 1), 1))
  return sizes.reduce((sum, size) => sum + size, 0)
}

for (const architecture of ARCHITECTURES) {
  test(`${architecture.name} has the size and cost that its card states`, () => {
    const model = build(architecture)
    const { gigaMacs, activationMegabytes } = costOf(model)
    const near = (actual: number, stated: number, what: string) =>
      assert.ok(Math.abs(actual / stated - 1) < 0.1, `${what}: ${actual}, not ${stated}`)
    near(countOf(model.trainableWeights), architecture.parameters, 'parameters')
    near(gigaMacs, architecture.gigaMacs, 'GMAC')
    near(activationMegabytes, architecture.activationMegabytes, 'MB of activations')
    assert.ok(model.getLayer(architecture.explanation.layer))
    model.dispose()
  })
}

for (const name of ['tiny_cnn', 'custom_cnn', 'mobilenet_v2_035', 'densenet121']) {
  test(`the heatmap of ${name} is in closed form`, () => {
    const { explanation, parameters, inputSize } = getArchitecture(name)
    const { graph, explanationLayer, onnx } = predictionGraph(build(getArchitecture(name)), {
      lastActivation: 'sigmoid',
      explanationLayer: explanation.layer,
    })
    assert.equal(explanationLayer, explanation.layer)
    assert.equal(graph.outputs.gradients, 'gradients')
    assert.ok(onnx.length < 1.1 * 4 * parameters + 1000 * inputSize)
  })
}

test('Custom_CNN has about 2.1 million parameters and at most 0.15 GMAC at 224 px', () => {
  const model = build(getArchitecture('Custom_CNN'), { channels: 3 })
  assert.ok(Math.abs(model.countParams() - 2.1e6) < 0.05e6, `${model.countParams()}`)
  assert.ok(costOf(model).gigaMacs < 0.15)
})

test('MobileNetV2 has the layers of the published one, name for name and shape for shape', {
  skip: skipWithout('data/backbones/mobilenet_v2_035_224_notop'),
}, async () => {
  const path = sharedPath('data/backbones/mobilenet_v2_035_224_notop') ?? ''
  const published = await loadLayersModel(path)
  const mine = build(getArchitecture('mobilenet_v2_035'), { channels: 3, top: 'none' })
  const describe = (model: tf.LayersModel) =>
    model.layers.slice(1).map((layer) => [layer.name, layer.getClassName(), layer.outputShape])
  assert.deepEqual(describe(mine), describe(published))
  for (const layer of published.layers.slice(1)) {
    mine.getLayer(layer.name).setWeights(layer.getWeights())
  }
  assert.equal(published.countParams(), 410_208)
})

test('the seed alone decides the first weights', () => {
  for (const name of ['tiny_cnn', 'custom_cnn']) {
    const kernel = (seed: number) =>
      build(getArchitecture(name), { seed, weights: 'seeded' }).getWeights()[0]?.dataSync()
    assert.deepEqual(kernel(1), kernel(1))
    assert.notDeepEqual(kernel(1), kernel(2))
  }
})

test('first weights are uniform with the variance of He for convolutions and of Glorot for dense layers', () => {
  const model = build(getArchitecture('custom_cnn'), { weights: 'seeded', outputs: 100 })
  const variance = (layer: string) => {
    const { mean, variance: value } = tf.moments(model.getLayer(layer).getWeights()[0] as tf.Tensor)
    assert.ok(Math.abs(mean.dataSync()[0] ?? 1) < 0.01)
    return value.dataSync()[0] ?? 0
  }
  const near = (actual: number, wanted: number) =>
    assert.ok(Math.abs(actual / wanted - 1) < 0.05, `${actual} instead of ${wanted}`)
  near(variance('stage8_conv'), 2 / (3 * 3 * 256))
  near(variance('logits'), 2 / (416 + 100))
})

test('an architecture that does not exist is refused with the names of those that do', () => {
  assert.throws(() => getArchitecture('alexnet'), /available: tiny_cnn, tiny_mobilenet/)
})
