// TF.js' gradients of every kernel that training meets: traced and run by ONNX Runtime against TF.js' cpu backend.
import assert from 'node:assert/strict'
import test from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { batchNormOfBatch } from '../../src/engine/training/batch-norm.ts'
import {
  assertTracedEqualsCpu,
  gradientsOf,
  numbers,
  relativeError,
  runOnCpu,
  runTraced,
  type Tensors,
} from './compare.ts'

const x4 = (inputs: Tensors) => inputs.x as tf.Tensor4D
const w4 = (inputs: Tensors) => inputs.w as tf.Tensor4D

for (const stride of [1, 2, 3]) {
  for (const pad of ['same', 'valid'] as const) {
    for (const [kernel, size] of [
      [1, 7],
      [3, 8],
      [3, 7],
      [5, 8],
    ] as const) {
      test(`conv2d ${kernel}x${kernel}, stride ${stride}, ${pad}, ${size} px has cpu's gradients`, async () => {
        await assertTracedEqualsCpu(
          { x: [2, size, size, 3], w: [kernel, kernel, 3, 4] },
          gradientsOf((i) => tf.conv2d(x4(i), w4(i), stride, pad)),
        )
      })
    }
    for (const multiplier of [1, 2]) {
      test(`depthwise conv2d x${multiplier}, stride ${stride}, ${pad} has cpu's gradients`, async () => {
        await assertTracedEqualsCpu(
          { x: [2, 9, 8, 4], w: [3, 3, 4, multiplier] },
          gradientsOf((i) => tf.depthwiseConv2d(x4(i), w4(i), stride, pad)),
        )
      })
    }
  }
}

for (const [window, stride, pad] of [
  [2, 2, 'valid'],
  [3, 2, 'valid'],
  [3, 2, 'same'],
  [3, 1, 'same'],
  [2, 2, 'same'],
] as const) {
  for (const size of [8, 9]) {
    test(`max pooling ${window} by ${stride}, ${pad}, ${size} px has cpu's gradient`, async () => {
      await assertTracedEqualsCpu(
        { x: [2, size, size, 3] },
        gradientsOf((i) => tf.maxPool(x4(i), window, stride, pad)),
      )
    })
    // TF.js' own gradient counts padding in although its forward pass does not, so the reference is the definition:
    // a depthwise convolution with ones over the number of elements that are no padding.
    test(`average pooling ${window} by ${stride}, ${pad}, ${size} px has the gradient of its definition`, async () => {
      const ones = (channels: number) => tf.ones([window, window, channels, 1]) as tf.Tensor4D
      const sums = (x: tf.Tensor4D) => tf.depthwiseConv2d(x, ones(x.shape[3]), stride, pad)
      const data = { x: numbers([2, size, size, 3]) }
      const expected = await runOnCpu(
        data,
        gradientsOf((i) => tf.div(sums(x4(i)), sums(tf.onesLike(x4(i))))),
      )
      const actual = await runTraced(
        data,
        gradientsOf((i) => tf.avgPool(x4(i), window, stride, pad)),
      )
      assert.ok(relativeError(actual.d_x?.data ?? [], expected.d_x?.data ?? []) <= 1e-5)
    })
  }
}

const MAPS: Record<string, (x: tf.Tensor4D) => tf.Tensor> = {
  relu: tf.relu,
  relu6: (x) => tf.relu6(tf.mul(x, 10)),
  sigmoid: tf.sigmoid,
  tanh: tf.tanh,
  elu: tf.elu,
  'leaky relu': (x) => tf.leakyRelu(x, 0.1),
  softplus: tf.softplus,
  erf: tf.erf,
  swish: (x) => tf.mul(x, tf.sigmoid(x)),
  log: (x) => tf.log(tf.add(x, 2)),
  sqrt: (x) => tf.sqrt(tf.add(x, 2)),
  rsqrt: (x) => tf.rsqrt(tf.add(x, 2)),
  exp: tf.exp,
  pow: (x) => tf.pow(tf.add(x, 2), 3),
  clip: (x) => tf.clipByValue(x, -0.5, 0.5),
  division: (x) => tf.div(x, tf.add(tf.square(x), 1)),
  maximum: (x) => tf.maximum(x, tf.mul(x, -2)),
  'global average pooling': (x) => tf.mean(x, [1, 2]),
  'global max pooling': (x) => tf.max(x, [1, 2]),
  softmax: (x) => tf.softmax(tf.reshape(x, [2, -1])),
  'log softmax': (x) => tf.logSoftmax(tf.reshape(x, [2, -1])),
  transpose: (x) => tf.transpose(x, [0, 3, 1, 2]),
  concat: (x) => tf.concat([x, tf.relu(x)], 3),
  slice: (x) => tf.slice(x, [0, 1, 1, 0], [2, 3, -1, 2]),
  pad: (x) =>
    tf.pad(x, [
      [0, 0],
      [1, 0],
      [0, 2],
      [0, 0],
    ]),
  tile: (x) => tf.tile(x, [1, 2, 1, 1]),
  split: (x) => tf.split(x, 3, 3)[1] as tf.Tensor,
  gather: (x) => tf.gather(x, tf.tensor1d([1, 1, 3], 'int32'), 1),
  'batch norm with given statistics': (x) =>
    tf.batchNorm(
      x,
      tf.mean(x, [0, 1, 2]) as tf.Tensor1D,
      tf.tensor1d([1, 2, 3]),
      tf.tensor1d([3, 2, 1]),
      tf.tensor1d([1, 2, 0.5]),
    ),
  'layer normalisation': (x) => {
    const centred = tf.sub(x, tf.mean(x, -1, true))
    return tf.mul(centred, tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), 1e-3)))
  },
}

for (const [name, fn] of Object.entries(MAPS)) {
  test(`${name} has cpu's gradient, on a plain value and after a convolution`, async () => {
    const plain = gradientsOf((i) => fn(x4(i)))
    await assertTracedEqualsCpu({ x: [2, 5, 6, 3] }, plain)
    await assertTracedEqualsCpu(
      { x: [2, 5, 6, 3], w: numbers([3, 3, 3, 3], 5, [-0.15, 0.15]) },
      gradientsOf((i) => fn(tf.conv2d(x4(i), w4(i), 1, 'same'))),
    )
  })
}

test('matrix products have cpu’s gradients, whichever side is transposed', async () => {
  for (const [a, b, left, right] of [
    [[4, 5], [5, 3], false, false],
    [[5, 4], [3, 5], true, true],
    [[2, 4, 5], [2, 3, 5], false, true],
    [[2, 5, 4], [2, 5, 3], true, false],
  ] as const) {
    await assertTracedEqualsCpu(
      { a: [...a], b: [...b] },
      gradientsOf((i) => tf.matMul(i.a as tf.Tensor, i.b as tf.Tensor, left, right)),
    )
  }
})

test('batch norm in training has the gradient of autodiff through mean and variance', async () => {
  const closed = gradientsOf((i) => {
    const { output } = batchNormOfBatch(x4(i), {
      gamma: i.gamma as tf.Tensor,
      beta: i.beta as tf.Tensor,
      epsilon: 1e-3,
    })
    return tf.mul(output, tf.sigmoid(output))
  })
  const byAutodiff = gradientsOf((i) => {
    const { mean, variance } = tf.moments(x4(i), [0, 1, 2])
    const output = tf.add(
      tf.mul(tf.mul(tf.sub(x4(i), mean), tf.rsqrt(tf.add(variance, 1e-3))), i.gamma as tf.Tensor),
      i.beta as tf.Tensor,
    )
    return tf.mul(output, tf.sigmoid(output))
  })
  await assertTracedEqualsCpu({ x: [4, 5, 6, 3], gamma: [3], beta: [3] }, closed)
  await assertTracedEqualsCpu({ x: [4, 5, 6, 3], gamma: [3], beta: [3] }, (inputs) => {
    const [one, other] = [closed(inputs), byAutodiff(inputs)]
    const difference = tf.max(tf.abs(tf.sub(one.d_x as tf.Tensor, other.d_x as tf.Tensor)))
    return { isSame: tf.lessEqual(difference, 1e-5) }
  })
})
