// Tracing as such: layouts, constants, what is refused; the bytes of an .onnx file; sessions.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import test, { before } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as tf from '@tensorflow/tfjs'
import { encodeModel } from '../../src/engine/onnx/model.ts'
import { MessageWriter } from '../../src/engine/onnx/protobuf.ts'
import { predictionGraph } from '../../src/engine/prediction-graph.ts'
import { createSession } from '../../src/engine/session.ts'
import { trace } from '../../src/engine/tracing/trace.ts'
import { numbers } from './compare.ts'
import { tinyNet } from './nets.ts'

before(async () => {
  await tf.setBackend('cpu')
})

const hex = (writer: MessageWriter) => Buffer.from(writer.finish()).toString('hex')

test('protocol buffers are written as their documentation shows', () => {
  assert.equal(hex(new MessageWriter().int(1, 150)), '089601')
  assert.equal(hex(new MessageWriter().text(2, 'testing')), '120774657374696e67')
  const inner = new MessageWriter().int(1, 150)
  assert.equal(hex(new MessageWriter().message(3, inner)), '1a03089601')
  assert.equal(hex(new MessageWriter().int(1, -1)), '08ffffffffffffffffff01')
  assert.equal(hex(new MessageWriter().float(1, 1)), '0d0000803f')
})

test('a chain of convolutions stays in the convolutions’ layout: one transpose in, one out', () => {
  const filter = tf.ones([3, 3, 4, 4]) as tf.Tensor4D
  const graph = trace({ x: { shape: [1, 8, 8, 4] } }, ({ x }) => {
    let y = x as tf.Tensor4D
    for (let i = 0; i < 3; i++) y = tf.relu(tf.add(tf.conv2d(y, filter, 1, 'same'), tf.ones([4])))
    return { y: tf.concat([y, tf.maxPool(y, 1, 1, 'same')], 3) }
  })
  const ops = graph.nodes.map(({ op }) => op)
  assert.equal(ops.filter((op) => op === 'Transpose').length, 2)
  assert.equal(graph.initializers.size < 10, true)
})

test('the product with a relu mask is one Where', () => {
  const graph = trace({ x: { shape: [5] }, dy: { shape: [5] } }, ({ x, dy }) => ({
    dx: tf.grad((given: tf.Tensor) => tf.relu(given))(x as tf.Tensor, dy as tf.Tensor),
  }))
  assert.deepEqual(
    graph.nodes.map(({ op }) => op),
    ['Greater', 'Where', 'Identity'],
  )
})

test('what no output depends on is left out, inputs included', () => {
  const graph = trace({ x: { shape: [2] }, unused: { shape: [2] } }, ({ x, unused }) => {
    tf.exp(unused as tf.Tensor)
    return { y: tf.neg(x as tf.Tensor) }
  })
  assert.deepEqual(
    graph.inputs.map(({ name }) => name),
    ['x'],
  )
  assert.equal(graph.nodes.length, 2)
})

test('random operations are refused by name, and are allowed again afterwards', () => {
  const draws: Record<string, () => tf.Tensor> = {
    dropout: () => tf.dropout(tf.ones([4]), 0.5),
    randomNormal: () => tf.randomNormal([4]),
    randomUniform: () => tf.randomUniform([4]),
    truncatedNormal: () => tf.truncatedNormal([4]),
  }
  for (const [name, draw] of Object.entries(draws)) {
    assert.throws(
      () => trace({ x: { shape: [4] } }, ({ x }) => ({ y: tf.mul(x as tf.Tensor, draw()) })),
      new RegExp(`random operation ${name} `),
    )
    assert.equal(draw().size, 4)
  }
  assert.equal(tf.getBackend(), 'cpu')
})

test('reading the numbers of a traced tensor is refused', () => {
  assert.throws(
    () => trace({ x: { shape: [1] } }, ({ x }) => ({ y: tf.scalar(x?.dataSync()[0] ?? 0) })),
    /not known while tracing/,
  )
})

test('traces do not nest', () => {
  const inner = () => trace({}, () => ({ y: tf.ones([1]) }))
  const outer = () =>
    trace({}, () => {
      inner()
      return { y: tf.ones([1]) }
    })
  assert.throws(outer, /inside another/)
})

test('a trace leaves no tensors behind', () => {
  const model = tinyNet()
  predictionGraph(model, { lastActivation: 'auto' })
  const before = tf.memory().numTensors
  predictionGraph(model, { lastActivation: 'auto' })
  assert.equal(tf.memory().numTensors, before)
})

test('the same function gives the same bytes', () => {
  const model = tinyNet()
  const bytes = () =>
    encodeModel(
      trace({ x: { shape: [1, 16, 16, 1] } }, ({ x }) => ({
        y: model.apply(x as tf.Tensor) as tf.Tensor,
      })),
    )
  assert.deepEqual(bytes(), bytes())
})

test('bytes that are no graph are refused as load-failed', async () => {
  await assert.rejects(createSession(Buffer.from('not a model'), { threads: 1 }), {
    code: 'load-failed',
  })
  await assert.rejects(createSession(new Uint8Array(), { threads: 1 }), { code: 'load-failed' })
})

test('a session can be released twice, and an earlier result stays what it was', async () => {
  const graph = trace({ x: { shape: [4] } }, ({ x }) => ({ y: tf.mul(x as tf.Tensor, 2) }))
  const session = await createSession(encodeModel(graph), { threads: 1 })
  const first = await session.run({ x: numbers([4], 1) })
  const copy = first.y?.data.slice()
  await session.run({ x: numbers([4], 2) })
  assert.deepEqual(first.y?.data, copy)
  await session.release()
  await session.release()
})

test('the session module loads no TF.js', async () => {
  const session = fileURLToPath(new URL('../../src/engine/session.ts', import.meta.url))
  const script = `await import(${JSON.stringify(session)})
    const { createRequire } = await import('node:module')
    const loaded = Object.keys(createRequire(${JSON.stringify(session)}).cache)
    console.log(loaded.filter((path) => path.includes('@tensorflow')).length)`
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script])
  assert.equal(stdout.trim(), '0')
})
