// Each kernel of the trace backend, one by one, against TF.js' cpu backend.
import assert from 'node:assert/strict'
import test from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { assertTracedEqualsCpu, numbers, type Tensors } from './compare.ts'

type Case = (inputs: Tensors) => tf.Tensor
const MAP = [2, 5, 6, 3]
const FILTER = [3, 3, 3, 4]

/** The tensor of that name; missing ones fail in TF.js itself. */
const t = (inputs: Tensors, name: string) => inputs[name] as tf.Tensor
const x4 = (inputs: Tensors) => t(inputs, 'x') as tf.Tensor4D
const conv = (inputs: Tensors) => tf.conv2d(x4(inputs), t(inputs, 'w') as tf.Tensor4D, 1, 'same')

const UNARY: Record<string, (x: tf.Tensor) => tf.Tensor> = {
  relu: tf.relu,
  relu6: (x) => tf.relu6(tf.mul(x, 10)),
  sigmoid: tf.sigmoid,
  tanh: tf.tanh,
  erf: tf.erf,
  exp: tf.exp,
  expm1: tf.expm1,
  log: (x) => tf.log(tf.add(x, 1.5)),
  log1p: tf.log1p,
  sqrt: (x) => tf.sqrt(tf.abs(x)),
  rsqrt: (x) => tf.rsqrt(tf.add(x, 1.5)),
  neg: tf.neg,
  abs: tf.abs,
  elu: tf.elu,
  selu: tf.selu,
  softplus: tf.softplus,
  floor: (x) => tf.floor(tf.mul(x, 5)),
  ceil: (x) => tf.ceil(tf.mul(x, 5)),
  round: (x) => tf.round(tf.mul(x, 5)),
  sign: tf.sign,
  reciprocal: (x) => tf.reciprocal(tf.add(x, 1.5)),
  sin: tf.sin,
  cos: tf.cos,
  square: tf.square,
  step: (x) => tf.step(x),
  'leaky relu': (x) => tf.leakyRelu(x, 0.1),
  clip: (x) => tf.clipByValue(x, -0.5, 0.25),
  'logical not': (x) => tf.logicalNot(tf.greater(x, 0)),
  cast: (x) => tf.cast(tf.cast(tf.mul(x, 5), 'int32'), 'float32'),
}

const BINARY: Record<string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor> = {
  add: tf.add,
  sub: tf.sub,
  mul: tf.mul,
  div: (a, b) => tf.div(a, tf.add(b, 2)),
  'div by a number': (a) => tf.div(a, 3),
  maximum: tf.maximum,
  minimum: tf.minimum,
  pow: (a, b) => tf.pow(tf.add(a, 2), b),
  greater: tf.greater,
  'greater or equal': tf.greaterEqual,
  less: tf.less,
  'less or equal': tf.lessEqual,
  equal: (a, b) => tf.equal(tf.round(a), tf.round(b)),
  'not equal': (a, b) => tf.notEqual(tf.round(a), tf.round(b)),
  'logical and': (a, b) => tf.logicalAnd(tf.greater(a, 0), tf.greater(b, 0)),
  'logical or': (a, b) => tf.logicalOr(tf.greater(a, 0), tf.greater(b, 0)),
  'squared difference': tf.squaredDifference,
  'floor division': (a, b) => tf.floorDiv(tf.mul(a, 9), tf.add(b, 2)),
  where: (a, b) => tf.where(tf.greater(a, 0), a, tf.add(tf.zerosLike(a), b)),
  'add several': (a, b) => tf.addN([a, tf.add(tf.zerosLike(a), b), a]),
  prelu: (a, b) => tf.prelu(a, b),
}

const OTHER: Record<string, Case> = {
  'conv2d, stride 2': (i) => tf.conv2d(x4(i), t(i, 'w') as tf.Tensor4D, 2, 'same'),
  'conv2d, valid, dilated': (i) =>
    tf.conv2d(x4(i), t(i, 'w') as tf.Tensor4D, 1, 'valid', 'NHWC', 2),
  'depthwise conv2d': (i) => tf.depthwiseConv2d(x4(i), t(i, 'w') as tf.Tensor4D, 1, 'same'),
  'fused conv2d': (i) =>
    tf.fused.conv2d({
      x: x4(i),
      filter: t(i, 'w') as tf.Tensor4D,
      strides: 1,
      pad: 'same',
      bias: tf.tensor1d([1, -1, 0.5, 0]),
      activation: 'relu6',
    }),
  'fused depthwise conv2d': (i) =>
    tf.fused.depthwiseConv2d({
      x: x4(i),
      filter: t(i, 'w') as tf.Tensor4D,
      strides: 1,
      pad: 'valid',
      bias: tf.fill([12], 0.5),
      activation: 'leakyrelu',
      leakyreluAlpha: 0.3,
    }),
  'conv2d transpose': (i) =>
    tf.conv2dTranspose(conv(i) as tf.Tensor4D, t(i, 'w') as tf.Tensor4D, [2, 10, 12, 3], 2, 'same'),
  'max pool': (i) => tf.maxPool(x4(i), 3, 2, 'same'),
  'average pool, padded': (i) => tf.avgPool(x4(i), 3, 2, 'same'),
  'batch norm': (i) =>
    tf.batchNorm(
      conv(i),
      tf.tensor1d([1, 2, 3, 4]),
      tf.tensor1d([1, 2, 3, 4]),
      tf.ones([4]),
      tf.fill([4], 2),
      1e-3,
    ),
  'batch norm of vectors': (i) =>
    tf.batchNorm(tf.reshape(x4(i), [60, 3]), tf.tensor1d([1, 2, 3]), tf.tensor1d([1, 2, 3])),
  'mat mul': (i) => tf.matMul(tf.reshape(x4(i), [12, 15]), tf.reshape(x4(i), [12, 15]), true),
  'batched mat mul': (i) => tf.matMul(x4(i), x4(i), false, true),
  'fused mat mul': (i) =>
    tf.fused.matMul({
      a: tf.reshape(x4(i), [60, 3]) as tf.Tensor2D,
      b: tf.reshape(t(i, 'w'), [3, 36]) as tf.Tensor2D,
      bias: tf.fill([36], 0.1),
      activation: 'sigmoid',
    }),
  einsum: (i) => tf.einsum('nhwc,nhwd->ncd', x4(i), x4(i)),
  'sum of all': (i) => tf.sum(conv(i)),
  'mean over places': (i) => tf.mean(conv(i), [1, 2]),
  'mean over channels, kept': (i) => tf.mean(conv(i), -1, true),
  'max over rows': (i) => tf.max(conv(i), 1),
  'min over the batch': (i) => tf.min(conv(i), 0),
  prod: (i) => tf.prod(x4(i), 2),
  argmax: (i) => tf.argMax(conv(i), -1),
  argmin: (i) => tf.argMin(conv(i), 1),
  any: (i) => tf.any(tf.greater(x4(i), 0.9), 3),
  all: (i) => tf.all(tf.greater(x4(i), -0.9), 3),
  softmax: (i) => tf.softmax(tf.reshape(x4(i), [2, 90])),
  'log softmax': (i) => tf.logSoftmax(tf.reshape(x4(i), [2, 90])),
  'reshape of a map': (i) => tf.reshape(conv(i), [2, -1]),
  'transpose of a map': (i) => tf.transpose(conv(i), [3, 1, 0, 2]),
  'expand dims': (i) => tf.expandDims(conv(i), 1),
  'concat of channels': (i) => tf.concat([conv(i), x4(i), conv(i)], -1),
  stack: (i) => tf.stack([x4(i), x4(i)], 2),
  unstack: (i) => tf.unstack(conv(i), 1)[2] as tf.Tensor,
  pad: (i) =>
    tf.pad(
      x4(i),
      [
        [0, 0],
        [1, 2],
        [0, 3],
        [0, 0],
      ],
      7,
    ),
  'pad of channels': (i) =>
    tf.pad(x4(i), [
      [0, 0],
      [0, 0],
      [0, 0],
      [1, 2],
    ]),
  'slice of a map': (i) => tf.slice(conv(i), [0, 1, 2, 1], [2, 3, -1, 2]),
  split: (i) => tf.split(conv(i), [1, 3], 3)[1] as tf.Tensor,
  reverse: (i) => tf.reverse(x4(i), [1, 2]),
  tile: (i) => tf.tile(x4(i), [1, 2, 1, 3]),
  'broadcast to': (i) => tf.broadcastTo(tf.mean(x4(i), [1, 2], true), MAP),
  gather: (i) => tf.gather(x4(i), tf.tensor1d([2, 0, 2], 'int32'), 1),
  'one hot': (i) => tf.oneHot(tf.argMax(x4(i), -1), 3),
  cumsum: (i) => tf.cumsum(x4(i), 2, true),
  'broadcast of channels over a map': (i) => tf.mul(conv(i), tf.tensor1d([1, 2, 3, 4])),
  'broadcast of a mask over a map': (i) => tf.mul(conv(i), tf.mean(x4(i), 3, true)),
  'filled with one number': (i) =>
    tf.add(tf.mul(tf.onesLike(conv(i)), 2), tf.fill([2, 5, 6, 4], 3)),
  range: (i) => tf.add(tf.sum(x4(i)), tf.range(0, 4)),
}

for (const [name, fn] of Object.entries(UNARY)) {
  test(`${name} is the same on plain and on convolved values`, async () => {
    await assertTracedEqualsCpu({ x: MAP, w: FILTER }, (i) => ({
      plain: fn(x4(i)),
      convolved: fn(tf.mul(tf.tanh(conv(i)), 0.9)),
    }))
  })
}

for (const [name, fn] of Object.entries(BINARY)) {
  test(`${name} is the same, with and without broadcasting, in both layouts`, async () => {
    await assertTracedEqualsCpu({ x: MAP, y: MAP, row: [3], w: [3, 3, 3, 3] }, (i) => ({
      plain: fn(x4(i), t(i, 'y')),
      withRow: fn(x4(i), t(i, 'row')),
      convolved: fn(tf.tanh(conv(i)), t(i, 'y')),
      convolvedRow: fn(tf.tanh(conv(i)), t(i, 'row')),
    }))
  })
}

for (const [name, fn] of Object.entries(OTHER)) {
  test(`${name} is the same`, async () => {
    await assertTracedEqualsCpu({ x: MAP, w: FILTER }, (i) => ({ y: fn(i) }))
  })
}

test('erf-GELU and layer normalisation, written in TF.js, are the same', async () => {
  await assertTracedEqualsCpu({ x: numbers([2, 7, 16], 3, [-3, 3]) }, (i) => {
    const x = t(i, 'x')
    const gelu = tf.mul(tf.mul(x, 0.5), tf.add(1, tf.erf(tf.div(x, Math.SQRT2))))
    const centred = tf.sub(x, tf.mean(x, -1, true))
    const variance = tf.mean(tf.square(centred), -1, true)
    return { gelu, normal: tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-6))) }
  })
})

test('a kernel that is not written is named', async () => {
  await assert.rejects(
    assertTracedEqualsCpu({ x: [4] }, (i) => ({ y: tf.unique(t(i, 'x')).values })),
    { code: 'invalid-package', message: /operation Unique/ },
  )
})
