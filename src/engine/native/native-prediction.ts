// Predictions on TensorFlow: the very function that is traced for ONNX Runtime, computed as it is.
import * as tf from '@tensorflow/tfjs'
import { AppError } from '../../errors.ts'
import {
  computePrediction,
  inputShapeOf,
  type Prediction,
  type PredictionOptions,
} from '../prediction.ts'
import { portsOf } from '../prediction-graph.ts'
import type { PredictionSession } from '../ready-prediction.ts'
import type { TensorValue } from '../session.ts'
import { onNative } from './load-library.ts'

interface Predicted extends Omit<Prediction, 'outputs'> {
  readonly outputs: Record<string, TensorValue>
}

/**
 * Predicts once on an empty image, which tells what there is to give and warms up.
 * @throws AppError `invalid-package` when the model is no image classifier, `unavailable` when TensorFlow was not loaded
 */
export function createNativePrediction(
  model: tf.LayersModel,
  options: PredictionOptions,
): PredictionSession {
  const dims = inputShapeOf(model, options)
  const size = dims.reduce((product, dim) => product * dim, 1)
  const first = predict(model, { data: new Float32Array(size), dims }, options)
  const outputNames = Object.keys(first.outputs)
  return {
    engine: 'tensorflow',
    inputNames: ['input'],
    outputNames,
    graph: portsOf(new Set(outputNames)),
    explanationLayer: first.explanationLayer,
    explanationReason: first.explanationReason,
    async run({ input }) {
      if (input?.data.length !== size) {
        throw new AppError('invalid', `The input must have ${size} numbers ([${dims.join(', ')}]).`)
      }
      return predict(model, { data: input.data, dims }, options).outputs
    },
    async release() {},
  }
}

function predict(
  model: tf.LayersModel,
  { data, dims }: TensorValue,
  options: PredictionOptions,
): Predicted {
  const kept: tf.Tensor[] = []
  const keep = <T extends tf.Tensor>(tensor: T): T => {
    kept.push(tf.keep(tensor))
    return tensor
  }
  try {
    const scope: { predicted?: Predicted } = {}
    onNative(() =>
      tf.tidy(() => {
        const input = tf.tensor(data, [...dims])
        const { outputs, ...rest } = computePrediction(model, input, { options, keep })
        const values = Object.entries(outputs).map(([name, tensor]) => {
          const numbers = tensor.dataSync() as Float32Array
          return [name, { data: numbers.slice(), dims: tensor.shape }] as const
        })
        scope.predicted = { outputs: Object.fromEntries(values), ...rest }
      }),
    )
    if (!scope.predicted) throw new Error('a prediction without a result')
    return scope.predicted
  } finally {
    tf.dispose(kept)
  }
}
