// The published architectures are the published ones: counts, layers and shapes of keras.applications 3.15 and torchvision.
import assert from 'node:assert/strict'
import test from 'node:test'
import type * as tf from '@tensorflow/tfjs'
import type { BuildOptions } from '../../src/architectures/architecture.ts'
import { getArchitecture } from '../../src/architectures/catalogue.ts'
import {
  backboneLayers,
  freezeBatchNorm,
  trainLastLayers,
} from '../../src/architectures/fine-tuning.ts'

interface Published {
  readonly name: string
  /** With the head of 1,000 classes. */
  readonly total: number
  readonly nonTrainable: number
  readonly features: number
  readonly tensors: readonly [withTop: number, without: number]
  readonly layers?: readonly [withTop: number, without: number]
  /** Of the last layer without a head. */
  readonly map: readonly number[]
}

/** As printed by Keras, and by torchvision for ViT-B/16. */
const PUBLISHED: readonly Published[] = [
  {
    name: 'densenet121',
    total: 8_062_504,
    nonTrainable: 83_648,
    features: 7_037_504,
    tensors: [606, 604],
    layers: [429, 427],
    map: [7, 7, 1024],
  },
  {
    name: 'resnet50',
    total: 25_636_712,
    nonTrainable: 53_120,
    features: 23_587_712,
    tensors: [320, 318],
    layers: [177, 175],
    map: [7, 7, 2048],
  },
  {
    name: 'efficientnet_b0',
    total: 5_330_571,
    nonTrainable: 42_023,
    features: 4_049_571,
    tensors: [314, 312],
    layers: [240, 237],
    map: [7, 7, 1280],
  },
  {
    name: 'efficientnet_b3',
    total: 12_320_535,
    nonTrainable: 87_303,
    features: 10_783_535,
    tensors: [499, 497],
    layers: [387, 384],
    map: [10, 10, 1536],
  },
  {
    name: 'vgg16',
    total: 138_357_544,
    nonTrainable: 0,
    features: 14_714_688,
    tensors: [32, 26],
    layers: [23, 19],
    map: [7, 7, 512],
  },
  {
    name: 'mobilenet_v2_100',
    total: 3_538_984,
    nonTrainable: 34_112,
    features: 2_257_984,
    tensors: [262, 260],
    map: [7, 7, 1280],
  },
  {
    name: 'vit_b_16',
    total: 86_567_656,
    nonTrainable: 0,
    features: 85_798_656,
    tensors: [152, 150],
    map: [768],
  },
]

/** Weights of zeros are never written, so that VGG16's 550 MB are only promised by the system, not taken. */
function build(name: string, options: Partial<BuildOptions>): tf.LayersModel {
  const architecture = getArchitecture(name)
  const { inputSize: side } = architecture
  const shape = { height: side, width: side, channels: 3, outputs: 2, seed: 1 } as const
  return architecture.build({ ...shape, weights: 'zeros', ...options })
}

function countOf(weights: tf.LayersModel['weights']): number {
  const sizes = weights.map(({ shape }) => shape.reduce<number>((n, dim) => n * (dim ?? 1), 1))
  return sizes.reduce((sum, size) => sum + size, 0)
}

const namesOf = (model: tf.LayersModel): string[] => model.layers.map((layer) => layer.name)

for (const { name, total, nonTrainable, features, tensors, layers, map } of PUBLISHED) {
  test(`${name} has the parameters, weight tensors, layers and last map of the published one`, () => {
    const whole = build(name, { top: 'imagenet' })
    assert.equal(whole.countParams(), total)
    assert.equal(countOf(whole.trainableWeights), total - nonTrainable)
    assert.equal(countOf(whole.nonTrainableWeights), nonTrainable)
    const bare = build(name, { top: 'none' })
    assert.equal(bare.countParams(), features)
    assert.equal(countOf(bare.nonTrainableWeights), nonTrainable)
    assert.deepEqual(bare.outputs[0]?.shape, [null, ...map])
    assert.deepEqual([whole.weights.length, bare.weights.length], tensors)
    if (layers) assert.deepEqual([whole.layers.length, bare.layers.length], layers)
    for (const model of [whole, bare]) model.dispose()
  })

  test(`${name} for a condition has a linear head on the same features`, () => {
    const model = build(name, {})
    const width = map.at(-1) ?? 0
    assert.equal(model.layers.at(-1)?.name, 'logits')
    assert.equal(model.countParams(), features + 2 * width + 2)
    assert.ok(model.getLayer(getArchitecture(name).explanation.layer))
    model.dispose()
  })
}

test('layers stand in the order of Keras, which weight files without names rely on', () => {
  const first = 'conv2_block1'
  const names = namesOf(build('resnet50', { top: 'imagenet' }))
  const block = names.filter((name) => name.startsWith(`${first}_`))
  const parts = ['1_conv', '1_bn', '1_relu', '2_conv', '2_bn', '2_relu', '0_conv', '3_conv']
  const expected = [...parts, '0_bn', '3_bn', 'add', 'out'].map((part) => `${first}_${part}`)
  assert.deepEqual(block, expected)
  assert.deepEqual(names.slice(1, 7), [
    'conv1_pad',
    'conv1_conv',
    'conv1_bn',
    'conv1_relu',
    'pool1_pad',
    'pool1_pool',
  ])
  assert.deepEqual(names.slice(-3), ['conv5_block3_out', 'avg_pool', 'predictions'])
})

test('DenseNet121 has the names of Keras in its stem, its dense layers, its transitions and its end', () => {
  const names = namesOf(build('densenet121', { top: 'imagenet' }))
  assert.deepEqual(names.slice(1, 7), [
    'zero_padding2d',
    'conv1_conv',
    'conv1_bn',
    'conv1_relu',
    'zero_padding2d_1',
    'pool1',
  ])
  const layer = ['0_bn', '0_relu', '1_conv', '1_bn', '1_relu', '2_conv', 'concat']
  assert.deepEqual(
    names.slice(7, 14),
    layer.map((part) => `conv2_block1_${part}`),
  )
  const place = names.indexOf('conv2_block6_concat')
  assert.deepEqual(names.slice(place + 1, place + 5), [
    'pool2_bn',
    'pool2_relu',
    'pool2_conv',
    'pool2_pool',
  ])
  assert.deepEqual(names.slice(-4), ['bn', 'relu', 'avg_pool', 'predictions'])
})

test('EfficientNet has the names, squeeze widths, paddings and drop rates of Keras', () => {
  const b0 = build('efficientnet_b0', { top: 'imagenet' })
  assert.deepEqual(namesOf(b0).slice(1, 7), [
    'rescaling',
    'normalization',
    'stem_conv_pad',
    'stem_conv',
    'stem_bn',
    'stem_activation',
  ])
  const widths = (model: tf.LayersModel, blocks: readonly string[]) =>
    blocks.map((name) => model.getLayer(`block${name}_se_reduce`).outputShape.at(-1))
  assert.deepEqual(widths(b0, ['1a', '2a', '2b', '5a', '6d', '7a']), [8, 4, 6, 20, 48, 48])
  const rates = b0.layers.flatMap((layer) =>
    layer.name.endsWith('_drop') ? [(layer as unknown as { rate: number }).rate] : [],
  )
  // Only blocks with a shortcut have one: 2b is the third of 16, 6d the fifteenth.
  assert.equal(rates.length, 9)
  assert.equal(rates[0], (0.2 * 2) / 16)
  assert.equal(rates.at(-1), (0.2 * 14) / 16)
  const b3 = build('efficientnet_b3', { top: 'none' })
  assert.deepEqual(widths(b3, ['1a', '1b', '2a', '3a', '7b']), [10, 6, 6, 8, 96])
  const paddings = ['2a', '3a', '4a', '6a'].map(
    (name) => b3.getLayer(`block${name}_dwconv_pad`).getConfig().padding,
  )
  assert.deepEqual(paddings, [
    [
      [0, 1],
      [0, 1],
    ],
    [
      [2, 2],
      [2, 2],
    ],
    [
      [0, 1],
      [0, 1],
    ],
    [
      [2, 2],
      [2, 2],
    ],
  ])
})

test('EfficientNet for published weights divides by the root of the deviation once more', () => {
  const model = build('efficientnet_b0', { variant: 'keras-imagenet', top: 'none' })
  assert.deepEqual(namesOf(model).slice(1, 4), ['rescaling', 'normalization', 'rescaling_1'])
  assert.equal(model.layers.length, 237 + 1)
})

test('VGG16 with its own head has flatten and three dense layers', () => {
  const names = namesOf(build('vgg16', { top: 'imagenet' }))
  assert.deepEqual(names.slice(-5), ['block5_pool', 'flatten', 'fc1', 'fc2', 'predictions'])
})

test('fine-tuning trains the head and the last layers of the backbone, as Keras counts them', () => {
  const model = build('densenet121', {})
  trainLastLayers(model, 20)
  const [, ...layers] = model.layers // the first is the input
  const trained = layers.filter((layer) => layer.trainable).map((layer) => layer.name)
  // 427 layers without a head, one of them the input.
  assert.equal(backboneLayers(model).length, 426)
  assert.deepEqual(trained.slice(-4), ['bn', 'relu', 'avg_pool', 'logits'])
  assert.equal(trained.length, 20 + 2)
  // bn and relu, two blocks of seven layers, and the last four of block 14
  assert.equal(trained[0], 'conv5_block14_1_bn')
  trainLastLayers(model, 0)
  assert.equal(countOf(model.trainableWeights), 1024 * 2 + 2)
  trainLastLayers(model, 'all')
  assert.equal(countOf(model.trainableWeights), 7_037_504 - 83_648 + 1024 * 2 + 2)
  assert.throws(() => trainLastLayers(model, -1), /whole number/)
})

test('batch normalisation can be left alone in the trained part as well', () => {
  const model = build('densenet121', {})
  trainLastLayers(model, 20)
  freezeBatchNorm(model)
  const trained = model.layers.filter(({ trainable }) => trainable).map(({ name }) => name)
  assert.deepEqual(
    trained.filter((name) => name.endsWith('bn')),
    [],
  )
  assert.ok(trained.includes('conv5_block16_2_conv') && trained.includes('logits'))
  model.dispose()
})
