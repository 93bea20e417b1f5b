// What the architectures promise: size, shapes, an explained layer followed by a linear head, weights fixed by the seed.
import assert from 'node:assert/strict'
import test from 'node:test'
import type * as tf from '@tensorflow/tfjs'
import { loadLayersModel } from '../../src/engine/layers-model.ts'
import { predictionGraph } from '../../src/engine/prediction-graph.ts'
import type { Architecture } from '../../src/training/architectures/architecture.ts'
import { ARCHITECTURES, getArchitecture } from '../../src/training/architectures/catalogue.ts'
import { sharedPath, skipWithout } from '../support/shared.ts'

function build({ build: make, inputSize }: Architecture, seed = 42): tf.LayersModel {
  return make({ height: inputSize, width: inputSize, channels: 1, outputs: 1, seed })
}

/** Multiplications of one image, in millions: size of each kernel times the places that it is applied to. */
function megaMacs(model: tf.LayersModel): number {
  let total = 0
  for (const layer of model.layers) {
    const [, height = 1, width = 1] = layer.outputShape as number[]
    const places = layer.getClassName() === 'Dense' ? 1 : height * width
    for (const { name, shape } of layer.weights) {
      if (/kernel/.test(name)) total += places * shape.reduce<number>((a, b) => a * (b ?? 1), 1)
    }
  }
  return total / 1e6
}

for (const architecture of ARCHITECTURES) {
  test(`${architecture.name} has the size that its card states`, () => {
    const parameters = build(architecture).countParams()
    assert.ok(Math.abs(parameters / architecture.parameters - 1) < 0.1, `${parameters}`)
  })

  test(`the heatmap of ${architecture.name} is in closed form`, () => {
    const { graph, explanationLayer, onnx } = predictionGraph(build(architecture), {
      lastActivation: 'sigmoid',
      explanationLayer: architecture.explanation.layer,
    })
    assert.equal(explanationLayer, architecture.explanation.layer)
    assert.equal(graph.outputs.gradients, 'gradients')
    assert.ok(onnx.length < 1.1 * 4 * architecture.parameters + 100_000)
  })
}

test('Custom_CNN has about 2.1 million parameters and at most 0.15 GMAC at 224 px', () => {
  const model = build(getArchitecture('Custom_CNN'))
  assert.ok(Math.abs(model.countParams() - 2.1e6) < 0.05e6, `${model.countParams()}`)
  assert.ok(megaMacs(model) < 150, `${megaMacs(model)}`)
})

test('MobileNetV2 has the layers of the published one, name for name and shape for shape', {
  skip: skipWithout('data/backbones/mobilenet_v2_035_224_notop'),
}, async () => {
  const path = sharedPath('data/backbones/mobilenet_v2_035_224_notop') ?? ''
  const published = await loadLayersModel(path)
  const mine = getArchitecture('mobilenet_v2_035').build({
    height: 224,
    width: 224,
    channels: 3,
    outputs: 2,
    seed: 1,
  })
  const describe = (model: tf.LayersModel) =>
    model.layers.slice(1).map((layer) => [layer.name, layer.getClassName(), layer.outputShape])
  assert.deepEqual(describe(mine).slice(0, -3), describe(published))
  for (const layer of published.layers.slice(1)) {
    mine.getLayer(layer.name).setWeights(layer.getWeights())
  }
  assert.equal(published.countParams(), 410_208)
})

test('the seed alone decides the first weights', () => {
  const kernel = (seed: number) =>
    build(getArchitecture('tiny_cnn'), seed).getWeights()[0]?.dataSync()
  assert.deepEqual(kernel(1), kernel(1))
  assert.notDeepEqual(kernel(1), kernel(2))
})

test('an architecture that does not exist is refused with the names of those that do', () => {
  assert.throws(() => getArchitecture('alexnet'), /there are: tiny_cnn, tiny_mobilenet/)
})
