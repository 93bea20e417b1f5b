// Kernels that mostly graph models from elsewhere bring: resizing, strided slices, mirrored borders, blocks, look-ups.
import test from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { assertTracedEqualsCpu, numbers, type Tensors } from './compare.ts'

const MAP = [2, 5, 6, 4]
const x4 = (inputs: Tensors) => inputs.x as tf.Tensor4D
const w4 = (inputs: Tensors) => inputs.w as tf.Tensor4D

const CASES: Record<string, (x: tf.Tensor4D) => tf.Tensor> = {
  'mirror pad, reflect': (x) => tf.mirrorPad(x, borders, 'reflect'),
  'mirror pad, symmetric': (x) => tf.mirrorPad(x, borders, 'symmetric'),
  'strided slice': (x) => tf.stridedSlice(x, [0, 1, 0, 1], [2, 5, 6, 4], [1, 2, 3, 2]),
  'strided slice going down': (x) =>
    tf.stridedSlice(x, [0, -1, 4, 3], [2, 0, 0, 0], [1, -2, -1, -1], 0, 0b0010),
  // cpu's own kernel fails here, so that it computes what the notation x[1, newaxis, 0:3:2] says.
  'strided slice with a dropped and a new axis': (x) =>
    tf.getBackend() === 'cpu'
      ? tf.reshape(tf.gather(tf.gather(x, [0, 2], 1), [1], 0), [1, 2, 6, 4])
      : tf.stridedSlice(x, [1, 0, 0], [2, 1, 3], [1, 1, 2], 0, 0, 0, 0b010, 0b001),
  'strided slice with an ellipsis': (x) =>
    tf.stridedSlice(x, [0, 1], [0, 3], [1, 1], 0b01, 0b01, 0b01),
  'depth to space': (x) => tf.depthToSpace(x, 2, 'NHWC'),
  'space to batch': (x) =>
    tf.spaceToBatchND(
      x,
      [2, 3],
      [
        [1, 0],
        [0, 0],
      ],
    ),
  'batch to space': (x) =>
    tf.batchToSpaceND(
      x,
      [2, 1],
      [
        [1, 2],
        [0, 1],
      ],
    ),
  'gather nd': (x) =>
    tf.gatherND(
      x,
      tf.tensor2d(
        [
          [1, 4],
          [0, 2],
        ],
        [2, 2],
        'int32',
      ),
    ),
  'top k values': (x) => tf.topk(x, 2).values,
  'top k places': (x) => tf.topk(x, 3).indices,
  'local response normalisation': (x) => tf.localResponseNormalization(x, 1, 1.5, 0.3, 0.75),
  'remainder of negative numbers': (x) => tf.mod(tf.mul(x, 7), 3),
  'flip from left to right': (x) => tf.image.flipLeftRight(x),
  linspace: (x) => tf.add(tf.sum(x), tf.linspace(-1, 2, 7)),
  tan: tf.tan,
  asin: tf.asin,
  acos: tf.acos,
  atan: tf.atan,
  sinh: tf.sinh,
  cosh: tf.cosh,
  asinh: tf.asinh,
  acosh: (x) => tf.acosh(tf.add(x, 2.5)),
  atanh: (x) => tf.atanh(tf.mul(x, 0.9)),
  'is nan': (x) => tf.isNaN(tf.log(x)),
  'is infinite': (x) => tf.isInf(tf.div(1, tf.relu(x))),
  'is finite': (x) => tf.isFinite(tf.add(tf.log(x), tf.div(1, tf.relu(x)))),
}

const borders: [number, number][] = [
  [0, 0],
  [2, 1],
  [0, 3],
  [1, 1],
]

for (const [name, fn] of Object.entries(CASES)) {
  test(`${name} is the same on plain and on convolved values`, async () => {
    await assertTracedEqualsCpu({ x: MAP, w: numbers([3, 3, 4, 4], 5, [-0.15, 0.15]) }, (i) => ({
      plain: fn(x4(i)),
      convolved: fn(tf.tanh(tf.conv2d(x4(i), w4(i), 1, 'same'))),
    }))
  })
}

const SIZES = [
  [9, 13],
  [3, 2],
  [5, 6],
  [1, 1],
] as const
const CONVENTIONS = [
  [true, false],
  [false, true],
  [false, false],
] as const
for (const [alignCorners, halfPixelCenters] of CONVENTIONS) {
  const convention = `aligned corners ${alignCorners}, half pixel centres ${halfPixelCenters}`
  const resized = (x: tf.Tensor4D, how: 'resizeBilinear' | 'resizeNearestNeighbor') =>
    SIZES.map((size) => tf.image[how](x, [...size], alignCorners, halfPixelCenters))

  for (const how of ['resizeBilinear', 'resizeNearestNeighbor'] as const) {
    test(`${how} to larger and smaller maps is the same, ${convention}`, async () => {
      await assertTracedEqualsCpu({ x: MAP }, (i) =>
        Object.fromEntries(resized(x4(i), how).map((y, k) => [`size${k}`, y])),
      )
    })
    // cpu's own gradients are wrong for maps that are not square and with half pixel centres: the reference is linearity.
    // For y = A x and L = sum(y * y), sum over x of z * dL/dx is 2 * sum(A x * A z).
    test(`the gradient of ${how} is that of a linear map, ${convention}`, async () => {
      for (const size of SIZES) {
        const gradient = (i: Tensors) => {
          const at = (x: tf.Tensor) =>
            tf.image[how](x as tf.Tensor4D, [...size], alignCorners, halfPixelCenters)
          const z = i.z as tf.Tensor
          const byGradient = () =>
            tf.sum(tf.mul(tf.grad((x) => tf.sum(tf.square(at(x))))(x4(i)), z))
          const byProduct = () => tf.mul(2, tf.sum(tf.mul(at(x4(i)), at(z))))
          return { y: tf.getBackend() === 'cpu' ? byProduct() : byGradient() }
        }
        // Sums of products of both signs: what cancels leaves an error above the usual 1e-5.
        await assertTracedEqualsCpu({ x: MAP, z: MAP }, gradient, { tolerance: 1e-4 })
      }
    })
  }
}
