// A classifier as one ONNX graph: the prediction of prediction.ts, recorded.
import type * as tf from '@tensorflow/tfjs'
import { encodeModel, type OnnxGraph } from './onnx/model.ts'
import { computePrediction, inputShapeOf, type PredictionOptions } from './prediction.ts'
import { keepWhileTracing, trace } from './tracing/trace.ts'

/** A prediction as nodes, before it is a file. */
export interface PredictionTrace {
  readonly nodes: OnnxGraph
  /** Names as in the package's configs/model.json; an output that is not there is null. */
  readonly graph: PredictionPorts
  readonly explanationLayer: string | null
  /** Why this layer, or why none, in words for a person. */
  readonly explanationReason: string
}

export interface PredictionGraph extends Omit<PredictionTrace, 'nodes'> {
  /** The .onnx file. */
  readonly onnx: Uint8Array
}

export interface PredictionPorts {
  readonly input: { readonly name: string; readonly layout: 'nhwc' }
  readonly outputs: {
    readonly logits: string | null
    readonly probabilities: string | null
    readonly features: string | null
    readonly gradients: string | null
  }
}

/**
 * Traces `model`, which takes one image batch [batchSize, H, W, C] and gives [batchSize, K]; its outputs are those of a
 * `Prediction`.
 * @throws AppError `invalid-package` when the model is no image classifier
 */
export function predictionGraph(
  model: tf.LayersModel,
  options: PredictionOptions,
): PredictionGraph {
  const { nodes, ...described } = predictionTrace(model, options)
  return { onnx: encodeModel(nodes), ...described }
}

/** As `predictionGraph`, for whoever goes on working with the nodes. */
export function predictionTrace(
  model: tf.LayersModel,
  options: PredictionOptions,
): PredictionTrace {
  const shape = inputShapeOf(model, options)
  const explanation = { explanationLayer: null as string | null, explanationReason: '' }
  const nodes = trace({ input: { shape } }, (inputs) => {
    const { outputs, ...rest } = computePrediction(model, inputs.input as tf.Tensor, {
      options,
      keep: keepWhileTracing,
    })
    Object.assign(explanation, rest)
    return outputs
  })
  const names = new Set(nodes.outputs.map((port) => port.name))
  return { nodes, graph: portsOf(names), ...explanation }
}

/** Ports of a prediction that has these outputs. */
export function portsOf(names: ReadonlySet<string>): PredictionPorts {
  const named = (name: string) => (names.has(name) ? name : null)
  return {
    input: { name: 'input', layout: 'nhwc' },
    outputs: {
      logits: named('logits'),
      probabilities: named('probabilities'),
      features: named('features'),
      gradients: named('gradients'),
    },
  }
}
