// TF.js graph models: recorded, they give what TF.js gives.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { graphModelPrediction, loadGraphModel } from '../../src/engine/graph-model.ts'
import { createSession } from '../../src/engine/session.ts'
import { trace } from '../../src/engine/tracing/trace.ts'
import {
  channelsFirst,
  channelsLast,
  convolvedFirst,
  type GraphNode,
} from '../support/graph-model.ts'
import { sharedPath } from '../support/shared.ts'
import { numbers, relativeError } from './compare.ts'

const root = await mkdtemp(join(tmpdir(), 'roentgen-graph-model-'))
after(() => rm(root, { recursive: true, force: true }))

for (const [name, make, o] of [
  [
    'channels first throughout',
    convolvedFirst,
    { layer: 'relu', dims: [16, 16, 3], first: true, grid: [1, 1] },
  ],
  [
    'channels last',
    channelsLast,
    { layer: 'conv2', dims: [16, 16, 3], first: false, grid: [1, 1] },
  ],
  [
    'channels first',
    channelsFirst,
    { layer: 'relu', dims: [16, 16, 1], first: true, grid: [16, 16] },
  ],
] as const) {
  test(`a graph model with ${name} gives TF.js' logits, its map and the gradients of the logits`, async () => {
    const loaded = await loadGraphModel(await make().write(root))
    const traced = graphModelPrediction(loaded)
    assert.equal(traced.explanationLayer, o.layer)
    assert.deepEqual(Object.values(traced.graph.outputs), ['logits', null, 'features', 'gradients'])
    const session = await createSession(traced.onnx, { threads: 1 })
    const input = numbers([1, ...o.dims], 3)
    const actual = await session.run({ input })
    await session.release()
    await tf.setBackend('cpu')
    const given = tf.tensor(input.data, [...input.dims])
    const own = o.first ? tf.transpose(given, [0, 3, 1, 2]) : given
    const [logits, map] = loaded.model.execute({ image: own }, ['logits', o.layer]) as tf.Tensor[]
    const features = o.first ? tf.transpose(map as tf.Tensor, [0, 2, 3, 1]) : (map as tf.Tensor)
    assert.deepEqual([...(actual.features?.dims ?? [])], features.shape)
    assert.ok(relativeError(actual.logits?.data ?? [], logits?.dataSync() ?? []) <= 1e-5)
    assert.ok(relativeError(actual.features?.data ?? [], features.dataSync()) <= 1e-5)
    const k = 1
    const gradient = tf.grad((x: tf.Tensor) => {
      const scores = loaded.model.execute({ [o.layer]: x }, 'logits') as tf.Tensor2D
      return tf.sum(tf.slice(scores, [0, k], [1, 1]))
    })(map as tf.Tensor)
    const expected = o.first ? tf.transpose(gradient, [0, 2, 3, 1]) : gradient
    const [, height, width, channels = 0] = actual.gradients?.dims ?? []
    assert.deepEqual([height, width], o.grid, 'one number a feature where the head is linear')
    const size = o.grid[0] * o.grid[1] * channels
    const ours = actual.gradients?.data.subarray(k * size, (k + 1) * size) ?? []
    assert.ok(relativeError(ours, expected.dataSync().subarray(0, size)) <= 1e-5)
  })
}

test('a convolution that takes channels first needs no transpose of what lies in that order', async () => {
  const loaded = await loadGraphModel(await convolvedFirst().write(root))
  const graph = trace({ image: { shape: [1, 3, 16, 16] } }, ({ image }) => ({
    logits: loaded.model.execute({ image: image as tf.Tensor }, 'logits') as tf.Tensor,
  }))
  assert.deepEqual(
    graph.nodes.map(({ op }) => op),
    ['Conv', 'Relu', 'ReduceMean', 'Gemm', 'Identity'],
  )
})

test('control flow is refused in one sentence', async () => {
  const g = channelsLast()
  g.node('loop', 'StatelessWhile', ['scores'])
  await assert.rejects(loadGraphModel(await g.write(root)), {
    code: 'invalid-package',
    message:
      'The model uses control flow (StatelessWhile), which cannot be made into one graph here.',
  })
})

test('an operation without an ONNX form is named', async () => {
  const g = channelsLast()
  g.node('strange', 'Unique', ['conv2'])
  const mean = g.nodes.findIndex(({ name }) => name === 'mean')
  g.nodes[mean] = { ...(g.nodes[mean] as GraphNode), input: ['strange', 'axes'] }
  const loaded = await loadGraphModel(await g.write(root))
  assert.throws(
    () => graphModelPrediction(loaded),
    /uses the operation Unique, for which there is no/,
  )
})

test('shards that are missing are told, as of the real Chester', {
  skip: sharedPath('data/chester') ? false : 'shared/data/chester is not here',
}, async () => {
  await assert.rejects(loadGraphModel(sharedPath('data/chester/model-incomplete') ?? ''), {
    code: 'invalid-package',
    message: /weight file group1-shard1of7\.bin is missing/,
  })
})
