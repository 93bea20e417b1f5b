// A model made ready to predict, by ONNX Runtime or by TensorFlow: the same names in, the same names out.
import type * as tf from '@tensorflow/tfjs'
import type { EngineName } from './native/choose-engine.ts'
import type { PredictionOptions } from './prediction.ts'
import { predictionGraph } from './prediction-graph.ts'
import type { PredictionSession } from './ready-prediction.ts'
import { createSession } from './session.ts'

export interface PredictionSessionOptions extends PredictionOptions {
  /** Of ONNX Runtime; TensorFlow takes all cores. */
  readonly threads: number
  /** `onnx` by default. */
  readonly engine?: EngineName
}

/**
 * The model must not change while the session is used: one engine copies its weights, the other reads them.
 * @throws AppError `invalid-package` when the model is no image classifier, `unavailable` when the engine is not there
 */
export async function createPredictionSession(
  model: tf.LayersModel,
  options: PredictionSessionOptions,
): Promise<PredictionSession> {
  if (options.engine === 'tensorflow') {
    const { createNativePrediction } = await import('./native/native-prediction.ts')
    return createNativePrediction(model, options)
  }
  const { onnx, ...described } = predictionGraph(model, options)
  const session = await createSession(onnx, { threads: options.threads })
  return { engine: 'onnx', ...session, ...described }
}
