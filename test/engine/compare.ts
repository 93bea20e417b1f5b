// For the engine's tests: a TF.js function run by TF.js' cpu backend and, traced, by ONNX Runtime; both must agree.
import assert from 'node:assert/strict'
import * as tf from '@tensorflow/tfjs'
import { encodeModel } from '../../src/engine/onnx/model.ts'
import { createSession, type TensorValue } from '../../src/engine/session.ts'
import { trace } from '../../src/engine/tracing/trace.ts'

export type Tensors = Readonly<Record<string, tf.Tensor>>
type Data = Readonly<Record<string, TensorValue>>

/** Numbers in [low, high) that are the same in every run. */
export function numbers(shape: readonly number[], seed = 1, [low, high] = [-1, 1]): TensorValue {
  const size = shape.reduce((product, dim) => product * dim, 1)
  let state = seed * 2654435761
  const data = Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return low + (high - low) * (state / 2 ** 32)
  })
  return { data, dims: shape }
}

/** Largest difference over the largest expected size: what "relative" means in these tests. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  assert.equal(actual.length, expected.length)
  let difference = 0
  let largest = 1e-12
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs((actual[i] ?? NaN) - (expected[i] ?? NaN)))
    largest = Math.max(largest, Math.abs(expected[i] ?? NaN))
    if (Number.isNaN(difference)) return Number.NaN
  }
  return difference / largest
}

export async function runTraced(data: Data, fn: (inputs: Tensors) => Tensors): Promise<Data> {
  const shapes = Object.entries(data).map(([name, { dims }]) => [name, { shape: dims }] as const)
  const graph = trace(Object.fromEntries(shapes), (inputs) => floats(fn(inputs)))
  const session = await createSession(encodeModel(graph), { threads: 1 })
  try {
    const read = new Set(session.inputNames)
    const feeds = Object.fromEntries(Object.entries(data).filter(([name]) => read.has(name)))
    return await session.run(feeds)
  } finally {
    await session.release()
  }
}

export async function runOnCpu(data: Data, fn: (inputs: Tensors) => Tensors): Promise<Data> {
  await tf.setBackend('cpu')
  const results = tf.tidy(() => {
    const inputs = Object.entries(data).map(
      ([name, value]) => [name, tf.tensor(value.data, [...value.dims])] as const,
    )
    const outputs = Object.entries(floats(fn(Object.fromEntries(inputs))))
    return outputs.map(
      ([name, tensor]) =>
        [name, { data: tensor.dataSync().slice() as Float32Array, dims: tensor.shape }] as const,
    )
  })
  return Object.fromEntries(results)
}

/** Asserts that every output has the same shape and equals cpu's within `tolerance` (relative). */
export async function assertTracedEqualsCpu(
  inputs: Readonly<Record<string, readonly number[] | TensorValue>>,
  fn: (inputs: Tensors) => Tensors,
  { tolerance = 1e-5 } = {},
): Promise<void> {
  const data = Object.entries(inputs).map(([name, value], i) => {
    const isShape = Array.isArray(value)
    return [name, isShape ? numbers(value, i + 1) : (value as TensorValue)] as const
  })
  const given = Object.fromEntries(data)
  const expected = await runOnCpu(given, fn)
  const actual = await runTraced(given, fn)
  for (const [name, { data: values, dims }] of Object.entries(expected)) {
    assert.deepEqual([...(actual[name]?.dims ?? [])], [...dims], `${name} has the wrong shape`)
    const error = relativeError(actual[name]?.data ?? [], values)
    assert.ok(error <= tolerance, `${name} differs by ${error} (relative)`)
  }
}

/** The same for the gradient of sum(fn(inputs)²) with respect to every input. */
export function gradientsOf(
  fn: (inputs: Tensors) => tf.Tensor,
): (inputs: Tensors) => Record<string, tf.Tensor> {
  return (inputs) => {
    const names = Object.keys(inputs)
    const loss = (...tensors: tf.Tensor[]) => {
      const named = names.map((name, i) => [name, tensors[i] as tf.Tensor] as const)
      return tf.sum(tf.square(fn(Object.fromEntries(named))))
    }
    const gradients = tf.grads(loss)(Object.values(inputs))
    return Object.fromEntries(names.map((name, i) => [`d_${name}`, gradients[i] as tf.Tensor]))
  }
}

function floats(tensors: Tensors): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, tf.cast(tensor, 'float32')]),
  )
}
