// The frozen beginning of a model made ready to run, by ONNX Runtime (with all its weights constant, so that everything it
// can fuse is fused) or by TensorFlow: images in, features out.
import * as tf from '@tensorflow/tfjs'
import { computeFeatures, type FrozenPrefix } from './frozen-prefix.ts'
import type { EngineName } from './native/choose-engine.ts'
import { encodeModel } from './onnx/model.ts'
import { createSession } from './session.ts'
import { keepWhileTracing, trace } from './tracing/trace.ts'

export interface FeatureSession {
  /** x [batchSize, height, width, channels], preprocessed, to [batchSize, prefix.size]. */
  run(x: Float32Array): Promise<Float32Array>
  close(): Promise<void>
}

export interface FeatureSessionOptions {
  readonly model: tf.LayersModel
  readonly prefix: FrozenPrefix
  readonly batchSize: number
  readonly threads: number
  /** `onnx` by default. */
  readonly engine?: EngineName
}

/** @throws AppError `load-failed`, `invalid-package`, or `unavailable` when the engine is not there */
export async function createFeatureSession(o: FeatureSessionOptions): Promise<FeatureSession> {
  const { model, prefix, batchSize } = o
  const dims = [batchSize, ...prefix.imageShape]
  if (o.engine === 'tensorflow') {
    const { onNative } = await import('./native/load-library.ts')
    return {
      run: async (x) =>
        onNative(() => {
          const kept: tf.Tensor[] = []
          const keep = (tensor: tf.Tensor) => {
            kept.push(tf.keep(tensor))
            return tensor
          }
          const features = tf.tidy(() =>
            computeFeatures(model, prefix, { images: tf.tensor(x, dims), keep }),
          )
          const numbers = (features.dataSync() as Float32Array).slice()
          tf.dispose([features, ...kept])
          return numbers
        }),
      close: async () => {},
    }
  }
  const graph = trace({ x: { shape: dims } }, (inputs) => ({
    features: computeFeatures(model, prefix, {
      images: inputs.x as tf.Tensor,
      keep: keepWhileTracing,
    }),
  }))
  const session = await createSession(encodeModel(graph), { threads: o.threads })
  return {
    run: async (x) => {
      const { features } = await session.run({ x: { data: x, dims } })
      if (!features) throw new Error('the frozen layers gave no features')
      return features.data
    },
    close: () => session.release(),
  }
}
