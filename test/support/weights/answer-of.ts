// What a network answers, computed by ONNX Runtime from the traced network: TF.js alone would take minutes for VGG16.
import type * as tf from '@tensorflow/tfjs'
import { encodeModel } from '../../../src/engine/onnx/model.ts'
import { createSession } from '../../../src/engine/session.ts'
import { trace } from '../../../src/engine/tracing/trace.ts'

/** @param x one image as the network sees it, row-major, channels last */
export async function answerOf(model: tf.LayersModel, x: Float32Array): Promise<Float32Array> {
  const [, ...dims] = model.inputs[0]?.shape ?? []
  const shape = [1, ...dims.map(Number)]
  const graph = trace({ x: { shape } }, ({ x: input }) => ({
    y: model.apply(input as tf.Tensor, { training: false }) as tf.Tensor,
  }))
  const session = await createSession(encodeModel(graph), { threads: 2 })
  try {
    const { y } = await session.run({ x: { data: x, dims: shape } })
    return Float32Array.from(y?.data ?? [])
  } finally {
    await session.release()
  }
}

export function largestDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? Number.NaN))), 0)
}
