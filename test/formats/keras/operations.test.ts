// Operations between the layers of a Keras model, as Keras 3 and Keras 2 write them, compared with the arithmetic they stand for.
import assert from 'node:assert/strict'
import test from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { findHead } from '../../../src/engine/head.ts'
import { buildKeras } from '../../../src/formats/keras/read/load-keras.ts'
import { translateModel } from '../../../src/formats/keras/read/topology.ts'

type Node = Readonly<Record<string, unknown>>

const tensor = (layer: string) => ({
  class_name: '__keras_tensor__',
  config: { shape: [null, 2, 2, 3], dtype: 'float32', keras_history: [layer, 0, 0] },
})

const operation = (className: string, args: readonly unknown[], config: Node = {}): Node => ({
  module: 'keras.src.ops.numpy',
  class_name: className,
  config: { name: 'op', ...config },
  name: 'op',
  inbound_nodes: [{ args, kwargs: {} }],
})

const layer = (className: string, config: Node = {}): Node => ({
  module: 'keras.layers',
  class_name: className,
  config: { name: 'op', ...config },
  name: 'op',
  inbound_nodes: [{ args: [tensor('image')], kwargs: {} }],
})

const lambda = (name: string, node: readonly unknown[]): Node => ({
  class_name: name === '__operators__.getitem' ? 'SlicingOpLambda' : 'TFOpLambda',
  config: { name: 'op', function: name },
  name: 'op',
  inbound_nodes: [node],
})

function config(node: Node, shape: readonly (number | null)[] = [null, 2, 2, 3]): Node {
  return {
    module: 'keras.src.models.functional',
    class_name: 'Functional',
    config: {
      name: 'm',
      layers: [
        {
          class_name: 'InputLayer',
          config: { batch_shape: shape, name: 'image' },
          name: 'image',
          inbound_nodes: [],
        },
        node,
      ],
      input_layers: [['image', 0, 0]],
      output_layers: [['op', 0, 0]],
    },
  }
}

async function modelOf(node: Node, major = 3): Promise<tf.LayersModel> {
  const topology = translateModel(config(node), { major })
  return buildKeras({ ...topology, stored: [], values: 0, tensor: () => assert.fail('no weights') })
}

const IMAGE = Array.from({ length: 12 }, (_, i) => (i - 4) / 2)

async function resultOf(node: Node, major = 3): Promise<number[]> {
  const model = await modelOf(node, major)
  const result = model.apply(tf.tensor(IMAGE, [1, 2, 2, 3])) as tf.Tensor
  return Array.from(result.dataSync())
}

const close = (got: readonly number[], wanted: readonly number[], title: string) => {
  assert.equal(got.length, wanted.length, title)
  for (const [i, value] of got.entries()) {
    assert.ok(Math.abs(value - (wanted[i] ?? Number.NaN)) < 1e-5, `${title}: ${got} for ${wanted}`)
  }
}

const image = tensor('image')
const each = (apply: (x: number, i: number) => number) => IMAGE.map(apply)
const numpy = (value: unknown) => ({ class_name: '__numpy__', config: { value, dtype: 'float32' } })
const ELLIPSIS = { class_name: '__ellipsis__', config: {} }
const BACKWARDS = { class_name: '__slice__', config: { start: null, stop: null, step: -1 } }
const reversed = IMAGE.map((_, i) => IMAGE[i - (i % 3) + 2 - (i % 3)] ?? 0)

test('operations of Keras 3 on constants, tensors and slices compute what they say', async () => {
  const cases: [string, Node, number[]][] = [
    ['x + 3', operation('Add', [image, 3]), each((x) => x + 3)],
    ['1 - x', operation('Subtract', [1, image]), each((x) => 1 - x)],
    [
      'x - means',
      operation('Subtract', [image, numpy([1, 2, 3])]),
      each((x, i) => x - 1 - (i % 3)),
    ],
    ['x x', operation('Multiply', [image, image]), each((x) => x * x)],
    ['x / 4', operation('TrueDivide', [image, 4]), each((x) => x / 4)],
    ['x / 4 as Divide', operation('Divide', [image, 4]), each((x) => x / 4)],
    ['max(x, 0)', operation('Maximum', [image, 0]), each((x) => Math.max(x, 0))],
    ['min(x, 1)', operation('Minimum', [image, 1]), each((x) => Math.min(x, 1))],
    [
      'clip',
      operation('Clip', [image], { x_min: -1, x_max: 1 }),
      each((x) => Math.max(-1, Math.min(1, x))),
    ],
    ['x[..., ::-1]', operation('GetItem', [image, [ELLIPSIS, BACKWARDS]]), reversed],
    ['cast', operation('Cast', [image], { dtype: 'float16' }), IMAGE],
    [
      'mean',
      operation('Mean', [image], { axis: [1, 2, 3], keepdims: false }),
      [IMAGE.reduce((a, b) => a + b) / 12],
    ],
  ]
  for (const [title, node, wanted] of cases) close(await resultOf(node), wanted, title)
})

test('TFOpLambda and SlicingOpLambda of Keras 2 compute what they say', async () => {
  const slices = { slice_spec: [ELLIPSIS, { start: null, stop: null, step: -1 }] }
  const cases: [string, Node, number[]][] = [
    ['x / 4', lambda('math.truediv', ['image', 0, 0, { y: 4, name: null }]), each((x) => x / 4)],
    ['x + 3', lambda('__operators__.add', ['image', 0, 0, { y: 3 }]), each((x) => x + 3)],
    [
      '1 - x',
      lambda('math.subtract', ['_CONSTANT_VALUE', -1, 1, { y: ['image', 0, 0] }]),
      each((x) => 1 - x),
    ],
    ['x x', lambda('math.multiply', ['image', 0, 0, { y: ['image', 0, 0] }]), each((x) => x * x)],
    [
      'bias_add',
      lambda('nn.bias_add', ['image', 0, 0, { bias: [1, 2, 3] }]),
      each((x, i) => x + 1 + (i % 3)),
    ],
    ['x[..., ::-1]', lambda('__operators__.getitem', ['image', 0, 0, slices]), reversed],
  ]
  for (const [title, node, wanted] of cases) close(await resultOf(node, 2), wanted, title)
})

test('layers that TF.js lacks: CenterCrop, Resizing, Rescaling by channel, Softmax over another axis', async () => {
  const cropped = await resultOf(layer('CenterCrop', { height: 1, width: 1 }))
  close(cropped, IMAGE.slice(0, 3), 'the middle starts at (2 - 1) / 2, rounded down')
  const grown = await resultOf(layer('Resizing', { height: 4, width: 2, interpolation: 'nearest' }))
  close(
    grown,
    [0, 0, 1, 1].flatMap((row) => IMAGE.slice(6 * row, 6 * row + 6)),
    'each row twice',
  )
  const scaled = await resultOf(layer('Rescaling', { scale: [1, 2, 3], offset: 1 }))
  close(
    scaled,
    each((x, i) => x * (1 + (i % 3)) + 1),
    'a factor for each channel',
  )
  const shares = await resultOf(layer('Softmax', { axis: 1 }))
  for (let i = 0; i < 6; i++) close([(shares[i] ?? 0) + (shares[i + 6] ?? 0)], [1], 'over rows')
})

test('an operation that is not read, one that makes whole numbers and a Lambda are refused by name', async () => {
  const refused: [Node, RegExp][] = [
    [operation('Fft', [image]), /operation "Fft"/],
    [operation('Cast', [image], { dtype: 'int32' }), /"Cast".*int32/],
    [lambda('signal.stft', ['image', 0, 0, {}]), /"signal\.stft"/],
    [layer('Lambda', { function: ['x'] }), /holds code in its layer/],
    [
      layer('Resizing', { height: 4, width: 4, interpolation: 'bicubic' }),
      /interpolation "bicubic"/,
    ],
  ]
  for (const [node, words] of refused) {
    await assert.rejects(modelOf(node), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'invalid-package')
      return words.test(error.message)
    })
  }
})

test('an open height and width are the size that is said', () => {
  const open = config(layer('Activation', { activation: 'relu' }), [null, null, null, 3])
  const { model } = translateModel(open, { major: 3, size: [6, 8] })
  const [input] = (model.config as { layers: { config: { batch_input_shape?: unknown } }[] }).layers
  assert.deepEqual(input?.config.batch_input_shape, [null, 6, 8, 3])
})

test('the layer of the scores is found before layers that only hand them on', () => {
  const ends: Readonly<Record<string, () => tf.layers.Layer[]>> = {
    'a linear activation': () => [tf.layers.activation({ activation: 'linear' })],
    'a Reshape and a Flatten': () => [
      tf.layers.reshape({ targetShape: [1, 2] }),
      tf.layers.flatten(),
    ],
    'a Dropout': () => [tf.layers.dropout({ rate: 0.5 })],
  }
  for (const [title, make] of Object.entries(ends)) {
    const layers = [
      tf.layers.dense({ units: 2, inputShape: [3], activation: 'softmax' }),
      ...make(),
    ]
    assert.equal(findHead(tf.sequential({ layers })).activation, 'softmax', title)
    const input = tf.input({ shape: [3] })
    const output = layers.reduce((x, one) => one.apply(x) as tf.SymbolicTensor, input)
    assert.equal(
      findHead(tf.model({ inputs: input, outputs: output })).activation,
      'softmax',
      title,
    )
  }
})
