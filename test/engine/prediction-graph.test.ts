// A model as one ONNX graph: same scores as TF.js, logits before the last activation, features and gradients for CAM.
import assert from 'node:assert/strict'
import test, { before } from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { loadLayersModel } from '../../src/engine/layers-model.ts'
import type { PredictionOptions } from '../../src/engine/prediction.ts'
import { predictionGraph } from '../../src/engine/prediction-graph.ts'
import { createSession, type TensorValue } from '../../src/engine/session.ts'
import { sharedPath, skipWithout } from '../support/shared.ts'
import { assertTracedEqualsCpu, numbers, relativeError } from './compare.ts'
import { randomiseWeights, separableNet, tinyNet } from './nets.ts'

const TEACHABLE = 'data/models/tfjs-layers-teachable-brain'
const MOBILENET = 'data/backbones/mobilenet_v2_035_224_notop'
const QUANTISED = 'data/backbones/nsfwjs-mobilenet_v2'

before(async () => {
  await tf.setBackend('cpu')
})

async function run(
  model: tf.LayersModel,
  input: TensorValue,
  options: PredictionOptions = { lastActivation: 'auto' },
) {
  const prediction = predictionGraph(model, options)
  const session = await createSession(prediction.onnx, { threads: 1 })
  try {
    return { ...prediction, results: await session.run({ input }) }
  } finally {
    await session.release()
  }
}

function predict(model: tf.LayersModel, input: TensorValue): Float32Array {
  return tf.tidy(() => {
    const scores = model.predict(tf.tensor(input.data, [...input.dims])) as tf.Tensor
    return scores.dataSync().slice() as Float32Array
  })
}

const softmax = (logits: Float32Array | undefined) =>
  tf.softmax(tf.tensor1d(logits ?? [])).dataSync()
const sigmoid = (logits: Float32Array | undefined) =>
  tf.sigmoid(tf.tensor1d(logits ?? [])).dataSync()

function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance = 1e-5,
): void {
  const error = relativeError(actual, expected)
  assert.ok(error <= tolerance, `differs by ${error} (relative)`)
}

test('a small net gives the logits whose sigmoid is what TF.js predicts', async () => {
  const model = tinyNet()
  const input = numbers([1, 16, 16, 1])
  const { results, graph } = await run(model, input)
  assert.deepEqual(graph.outputs, {
    logits: 'logits',
    probabilities: null,
    features: 'features',
    gradients: 'gradients',
  })
  assert.deepEqual(results.logits?.dims, [1, 1])
  assertClose(sigmoid(results.logits?.data), predict(model, input))
})

test('a depthwise-separable net with a residual connection gives the logits of TF.js', async () => {
  const model = separableNet()
  const input = numbers([1, 16, 16, 3])
  const { results } = await run(model, input)
  assertClose(softmax(results.logits?.data), predict(model, input))
})

test('a graph for a batch gives each image the scores that it has alone', async () => {
  const model = separableNet()
  const images = [1, 2, 3].map((seed) => numbers([1, 16, 16, 3], seed))
  const data = Float32Array.from(images.flatMap((image) => [...image.data]))
  const batch = await run(
    model,
    { data, dims: [3, 16, 16, 3] },
    { lastActivation: 'auto', batchSize: 3 },
  )
  assert.equal(batch.graph.outputs.features, null)
  const alone = await Promise.all(images.map((image) => run(model, image)))
  assertClose(
    batch.results.logits?.data ?? [],
    alone.flatMap(({ results }) => [...(results.logits?.data ?? [])]),
  )
})

test('tracing leaves the model as it was', async () => {
  const model = tinyNet()
  const input = numbers([1, 16, 16, 1])
  const before = predict(model, input)
  predictionGraph(model, { lastActivation: 'auto' })
  assert.deepEqual(predict(model, input), before)
})

test('the explained layer is the last one with a spatial output, and its features are what TF.js computes', async () => {
  const model = tinyNet()
  const input = numbers([1, 16, 16, 1])
  const { results, explanationLayer, explanationReason } = await run(model, input)
  assert.equal(explanationLayer, 'conv2')
  assert.match(explanationReason, /last layer with a spatial output \(8 x 8, 8 features\)/)
  const part = tf.model({
    inputs: model.inputs,
    outputs: model.getLayer('conv2').output as tf.SymbolicTensor,
  })
  assert.deepEqual(results.features?.dims, [1, 8, 8, 8])
  assertClose(results.features?.data ?? [], predict(part, input))
})

test('a linear head after global average pooling has constant gradients that equal autodiff', async () => {
  const model = tinyNet({ classes: 3 })
  const { results } = await run(model, numbers([1, 16, 16, 1]))
  assert.deepEqual(results.gradients?.dims, [3, 1, 1, 8])
  const [kernel] = model.getLayer('head').getWeights()
  const features = tf.tensor(results.features?.data ?? [], [1, 8, 8, 8])
  for (const k of [0, 1, 2]) {
    const logit = (given: tf.Tensor) =>
      tf.sum(tf.slice(tf.matMul(tf.mean(given, [1, 2]), kernel as tf.Tensor), [0, k], [1, 1]))
    const byAutodiff = tf.grad(logit)(features).dataSync()
    const closed = results.gradients?.data.slice(k * 8, k * 8 + 8) ?? []
    assertClose(
      Float32Array.from({ length: 512 }, (_, i) => closed[i % 8] ?? 0),
      byAutodiff,
    )
  }
})

test('a head with a hidden layer has the gradients of TF.js autodiff, one map for each class', async () => {
  const model = separableNet()
  const { results, explanationLayer } = await run(model, numbers([1, 16, 16, 3]))
  assert.equal(explanationLayer, 'separable')
  assert.deepEqual(results.gradients?.dims, [3, 6, 6, 12])
  const features = tf.tensor(results.features?.data ?? [], [1, 6, 6, 12])
  const weightsOf = (name: string) => model.getLayer(name).getWeights() as [tf.Tensor, tf.Tensor]
  const [[w1, b1], [w2, b2]] = [weightsOf('hidden'), weightsOf('head')]
  const expected = [0, 1, 2].flatMap((k) => {
    const logit = (given: tf.Tensor) => {
      const hidden = tf.relu(tf.add(tf.matMul(tf.mean(given, [1, 2]), w1), b1))
      return tf.sum(tf.slice(tf.add(tf.matMul(hidden, w2), b2), [0, k], [1, 1]))
    }
    return [...tf.grad(logit)(features).dataSync()]
  })
  assertClose(results.gradients?.data ?? [], expected)
})

test('a layer can be named; what goes past it by a residual connection stays as it was in the gradients', async () => {
  const model = separableNet()
  const input = numbers([1, 16, 16, 3])
  const named = await run(model, input, { lastActivation: 'auto', explanationLayer: 'residual' })
  assert.equal(named.explanationLayer, 'residual')
  assert.deepEqual(named.results.gradients?.dims, [3, 8, 8, 8])
  const bypassed = await run(model, input, { lastActivation: 'auto', explanationLayer: 'dw_act' })
  assert.equal(bypassed.explanationLayer, 'dw_act')
  const [kernel] = model.getLayer('project').getWeights() as [tf.Tensor4D]
  const behindResidual = tf.tensor(named.results.gradients?.data ?? [], [3, 8, 8, 8])
  // From the sum back through the 1x1 convolution: the other summand does not depend on the layer.
  const expected = tf.matMul(
    tf.reshape(behindResidual, [-1, 8]),
    tf.reshape(kernel, [8, 8]),
    false,
    true,
  )
  assertClose(bypassed.results.gradients?.data ?? [], [...expected.dataSync()])
})

test('a layer that does not exist gives no explanation and says so', () => {
  const { graph, explanationLayer, explanationReason } = predictionGraph(tinyNet(), {
    lastActivation: 'auto',
    explanationLayer: 'nowhere',
  })
  assert.equal(explanationLayer, null)
  assert.equal(graph.outputs.features, null)
  assert.match(explanationReason, /no layer "nowhere"/)
})

test('a model whose last activation cannot be undone gives probabilities', async () => {
  const model = tf.sequential({
    layers: [
      tf.layers.flatten({ inputShape: [4, 4, 1] }),
      tf.layers.dense({ units: 2 }),
      tf.layers.activation({ activation: 'hardSigmoid' }),
    ],
  })
  const input = numbers([1, 4, 4, 1])
  const { results, graph } = await run(model, input)
  assert.equal(graph.outputs.logits, null)
  assertClose(results.probabilities?.data ?? [], predict(model, input))
})

test('Softmax and Activation layers at the end are taken off too', async () => {
  for (const last of [tf.layers.softmax(), tf.layers.activation({ activation: 'softmax' })]) {
    const model = tf.sequential({
      layers: [
        tf.layers.flatten({ inputShape: [4, 4, 1] }),
        tf.layers.dense({ units: 3 }),
        last as tf.layers.Layer,
      ],
    })
    const input = numbers([1, 4, 4, 1])
    const { results } = await run(model, input)
    assertClose(softmax(results.logits?.data), predict(model, input))
  }
})

test('a model that is no image classifier is refused in one sentence', () => {
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [5] })] })
  assert.throws(() => predictionGraph(model, { lastActivation: 'auto' }), {
    code: 'invalid-package',
    message: /must take images of one fixed size/,
  })
})

for (const path of [TEACHABLE, QUANTISED]) {
  test(`the real model ${path} gives TF.js’ probabilities, also with random batch-norm statistics`, {
    skip: skipWithout(path),
  }, async () => {
    const model = await loadLayersModel(sharedPath(path) ?? '')
    const input = numbers([1, 224, 224, 3])
    assertClose(softmax((await run(model, input)).results.logits?.data), predict(model, input))
    randomiseWeights(model, { normsOnly: true })
    const { results, explanationLayer } = await run(model, input)
    assertClose(softmax(results.logits?.data), predict(model, input))
    assert.equal(explanationLayer, 'out_relu')
    assert.deepEqual(results.features?.dims, [1, 7, 7, 1280])
  })
}

test('the MobileNetV2 backbone has cpu’s feature map with random batch-norm statistics', {
  skip: skipWithout(MOBILENET),
}, async () => {
  const model = await loadLayersModel(sharedPath(MOBILENET) ?? '')
  randomiseWeights(model, { normsOnly: true })
  await assertTracedEqualsCpu({ x: [1, 224, 224, 3] }, ({ x }) => ({
    features: model.apply(x as tf.Tensor) as tf.Tensor,
  }))
})
