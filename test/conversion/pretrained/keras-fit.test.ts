// Layers of Keras files and the layers of a network: by name, by order, and what is no fit.
import assert from 'node:assert/strict'
import test from 'node:test'
import type * as tf from '@tensorflow/tfjs'
import { getArchitecture } from '../../../src/architectures/catalogue.ts'
import { fill, fit, variantOf } from '../../../src/conversion/fitting/fit.ts'
import { recognise } from '../../../src/conversion/fitting/recognise.ts'
import type { KerasLayers, LayerWeights } from '../../../src/formats/keras-layers.ts'

const architecture = getArchitecture('mobilenet_v2_035')
const shape = { height: 32, width: 32, channels: 3, outputs: 1, top: 'none' } as const
const published = architecture.build({ ...shape, seed: 7 })
/** Layers with weights as a file has them. */
const LAYERS: readonly LayerWeights[] = published.layers
  .filter((layer) => layer.weights.length > 0)
  .map((layer) => ({
    name: layer.name,
    read: async () =>
      layer.getWeights().map((weight) => ({
        shape: weight.shape,
        values: weight.dataSync() as Float32Array,
      })),
  }))

function dense(name: string, inputs: number, outputs: number): LayerWeights {
  const kernel = { shape: [inputs, outputs], values: new Float32Array(inputs * outputs) }
  return {
    name,
    read: async () => [kernel, { shape: [outputs], values: new Float32Array(outputs) }],
  }
}

async function fitted(layers: readonly LayerWeights[], isOrdered = true): Promise<tf.LayersModel> {
  const keras: KerasLayers = { layers, isOrdered }
  const model = architecture.build({ ...shape, seed: 1, weights: 'zeros' })
  await fill(model, await fit(model, { file: { format: 'keras-h5', keras }, architecture }))
  return model
}

function assertSame(model: tf.LayersModel): void {
  for (const [i, weight] of model.getWeights().entries()) {
    assert.deepEqual(weight.dataSync(), published.getWeights()[i]?.dataSync())
  }
}

const renamed = LAYERS.map((layer, i) => ({ ...layer, name: `layer_${i}` }))

test('by name in any order, with a head that is left over', async () => {
  assertSame(await fitted([dense('predictions', 1280, 1000), ...LAYERS.toReversed()], false))
})

test('by order under other names, with a head that is left over', async () => {
  assertSame(await fitted(renamed))
  assertSame(await fitted([...renamed, dense('fc', 1280, 1000)]))
})

test('what does not fit is refused, naming layer and shapes', async () => {
  const [first, second, ...others] = LAYERS
  assert.ok(first && second)
  const narrow = {
    ...first,
    read: async () => [{ shape: [3, 3, 1, 16], values: new Float32Array(144) }],
  }
  const refused: readonly [readonly LayerWeights[], boolean, RegExp][] = [
    [
      [narrow, second, ...others],
      true,
      /"Conv1\/kernel" is 3 x 3 x 1 x 16 .* 3 x 3 x 3 x 16 there/,
    ],
    [[...LAYERS, dense('extra', 2, 2)], true, /no place for: "extra"/],
    [renamed.slice(1), true, /holds 103 layers with weights, but MobileNetV2, width 0\.35 has 104/],
    [[...renamed, ...renamed.slice(0, 1)], true, /holds 105 layers/],
    [
      [renamed[1], renamed[0], ...renamed.slice(2)] as LayerWeights[],
      true,
      /"layer_1 \(number of weights\)"/,
    ],
    [renamed, false, /does not say in which order/],
  ]
  for (const [layers, isOrdered, message] of refused) {
    await assert.rejects(fitted(layers, isOrdered), { code: 'invalid-package', message })
  }
})

test('architecture and Keras’ own ImageNet statistics are told from the layers', async () => {
  const file = (layers: readonly LayerWeights[]) =>
    ({ format: 'keras-h5', keras: { layers, isOrdered: true } }) as const
  assert.equal(await recognise(file(LAYERS)), 'mobilenet_v2_035')
  await assert.rejects(recognise(file(renamed)), /--architecture/)
  const statistics = (variance: number[]): LayerWeights => ({
    name: 'normalization',
    read: async () =>
      [[0.485, 0.456, 0.406], variance].map((values) => ({
        shape: [3],
        values: Float32Array.from(values),
      })),
  })
  const b0 = { architecture: getArchitecture('efficientnet_b0') }
  assert.equal(await variantOf(file([statistics([0.229, 0.224, 0.225])]), b0), 'keras-imagenet')
  assert.equal(await variantOf(file([statistics([1, 1, 1])]), b0), 'keras')
  assert.equal(await variantOf(file(LAYERS), { architecture }), 'keras')
})
