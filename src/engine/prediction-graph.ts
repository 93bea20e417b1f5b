// A classifier as one ONNX graph: logits, and in the same run the feature map of the explanation layer and the gradients of
// the logits with respect to it, from which every CAM method is arithmetic.
import * as tf from '@tensorflow/tfjs'
import { AppError } from '../errors.ts'
import {
  chooseExplanation,
  isSpatial,
  linearTail,
  type SpatialOutput,
} from './explanation-layer.ts'
import { findHead, type Head, type LastActivation, withoutLastActivation } from './head.ts'
import { type Layer, type LayerCall, onlyTensor, withLayerCalls } from './layer-calls.ts'
import { encodeModel, type OnnxGraph } from './onnx/model.ts'
import { made } from './tracing/layout.ts'
import { keepWhileTracing, trace } from './tracing/trace.ts'
import { tensorOfValue } from './tracing/trace-backend.ts'

export interface PredictionOptions {
  /** What turns the model's output into probabilities; `auto` looks at its last layer. */
  readonly lastActivation: LastActivation | 'auto'
  /** Name of the layer to explain; by default the last one with a spatial output. */
  readonly explanationLayer?: string
  /** Images in one run; 1 by default. */
  readonly batchSize?: number
  /** Whether to add features and gradients; by default only for one image. */
  readonly explain?: boolean
}

export interface PredictionGraph {
  /** The .onnx file. */
  readonly onnx: Uint8Array
  /** Names as in the package's configs/model.json; an output that is not there is null. */
  readonly graph: {
    readonly input: { readonly name: string; readonly layout: 'nhwc' }
    readonly outputs: {
      readonly logits: string | null
      readonly probabilities: string | null
      readonly features: string | null
      readonly gradients: string | null
    }
  }
  readonly explanationLayer: string | null
  /** Why this layer, or why none, in words for a person. */
  readonly explanationReason: string
}

/** More classes than this are explained only when the gradients are closed form. */
const MAX_GRADIENT_CLASSES = 64
const UNUSED = 'unused_input'

/**
 * Traces `model`, which takes one image batch [batchSize, H, W, C] and gives [batchSize, K].
 * Outputs: `logits` [B, K] when the last activation is sigmoid, softmax or none, else `probabilities` [B, K];
 * `features` [1, h, w, F]; `gradients` d logit_k / d features as [K, h, w, F], or [K, 1, 1, F] when a linear layer
 * follows global average pooling.
 * @throws AppError `invalid-package` when the model is no image classifier
 */
export function predictionGraph(
  model: tf.LayersModel,
  options: PredictionOptions,
): PredictionGraph {
  const { batchSize = 1, explain = batchSize === 1 } = options
  const imageShape = imageShapeOf(model)
  const head = findHead(model)
  const usesLogits = head.activation !== null
  if (!explain || !usesLogits) {
    const reason = explain
      ? 'the scores before the last activation cannot be reached'
      : 'made for scores only'
    const output = usesLogits ? 'logits' : 'probabilities'
    const graph = trace({ input: { shape: [batchSize, ...imageShape] } }, ({ input }) => ({
      [output]: withoutLastActivation(head, () => scoresOf(model, input)),
    }))
    return finished(graph, null, reason)
  }
  const first = explained(model, { imageShape, head, options, gradients: true })
  if (first.isCut) return finished(first.graph, first.layer, first.reason)
  const second = explained(model, { imageShape, head, options, gradients: false })
  const reason = `${second.reason}; parts of the model go past it, so it has no gradients`
  return finished(second.graph, second.layer, reason)
}

interface Explained {
  readonly graph: OnnxGraph
  readonly layer: string | null
  readonly reason: string
  /** Everything between the input and the logits goes through the layer. */
  readonly isCut: boolean
}

interface ExplainOptions {
  readonly imageShape: readonly number[]
  readonly head: Head
  readonly options: PredictionOptions
  readonly gradients: boolean
}

function explained(model: tf.LayersModel, explain: ExplainOptions): Explained {
  const { imageShape, head, options } = explain
  let layer: string | null = null
  let reason = ''
  const graph = trace({ input: { shape: [1, ...imageShape] } }, ({ input }) =>
    withoutLastActivation(head, () => {
      const spatial: SpatialOutput[] = []
      const logits = withLayerCalls(
        model,
        (call) => {
          const result = call.proceed()
          if (!Array.isArray(result) && isSpatial(result.shape)) {
            spatial.push({ layer: call.layer, output: keepWhileTracing(tf.clone(result)) })
          }
          return result
        },
        () => scoresOf(model, input),
      )
      const choice = chooseExplanation(spatial, options.explanationLayer)
      reason = choice.reason
      if (!choice.chosen) return { logits }
      layer = choice.chosen.layer.name
      const features = choice.chosen.output
      const gradients = explain.gradients
        ? gradientsOf(model, { layer: choice.chosen.layer, features, logits, imageShape })
        : undefined
      return gradients ? { logits, features, gradients } : { logits, features }
    }),
  )
  const isCut = !graph.nodes.some((node) => node.inputs.includes(UNUSED))
  return { graph, layer, reason, isCut }
}

interface TailOptions {
  readonly layer: Layer
  readonly features: tf.Tensor
  readonly logits: tf.Tensor
  readonly imageShape: readonly number[]
}

/** d logit_k / d features for every class k, or undefined where there are too many. */
function gradientsOf(model: tf.LayersModel, options: TailOptions): tf.Tensor | undefined {
  const { layer, features, logits, imageShape } = options
  const classes = logits.shape[1] ?? 1
  const calls: LayerCall[] = []
  /** Applies what follows the layer to given features, one copy for each class; the rest of the model is pruned. */
  const tail = (given: tf.Tensor): tf.Tensor => {
    const unused = made(UNUSED, 'nhwc', [classes, ...imageShape])
    let isAfter = false
    return withLayerCalls(
      model,
      (call) => {
        if (call.layer === layer) {
          isAfter = true
          calls.length = 0
          return tf.clone(given)
        }
        if (isAfter) calls.push(call)
        return call.proceed()
      },
      () => scoresOf(model, tensorOfValue(unused)),
    )
  }
  const copies = tf.tile(features, [classes, 1, 1, 1])
  if (classes <= MAX_GRADIENT_CLASSES) {
    // Copy k contributes its logit k only, so that one backward pass gives every class its own gradient.
    const each = tf.eye(classes)
    const gradients = tf.grad((given: tf.Tensor) => tf.sum(tf.mul(tail(given), each)))(copies)
    const dense = linearTail(calls)
    return dense ? closedForm(dense, features.shape) : gradients
  }
  tail(copies)
  const dense = linearTail(calls)
  return dense ? closedForm(dense, features.shape) : undefined
}

/** The transposed weights of the dense layer over the number of places: [K, 1, 1, F]. */
function closedForm(dense: Layer, featureShape: readonly number[]): tf.Tensor {
  const [, height = 1, width = 1, features = 1] = featureShape
  const [kernel] = dense.getWeights()
  if (!kernel) throw new Error('a dense layer without weights')
  const weights = tf.mul(tf.transpose(kernel), 1 / (height * width))
  return tf.reshape(weights, [-1, 1, 1, features])
}

function scoresOf(model: tf.LayersModel, input: tf.Tensor | undefined): tf.Tensor {
  if (!input) throw new Error('the traced input is missing')
  return onlyTensor(model.apply(input) as tf.Tensor)
}

function imageShapeOf(model: tf.LayersModel): number[] {
  const [input, second] = model.inputs
  const [output, otherOutput] = model.outputs
  const [, ...shape] = input?.shape ?? []
  if (!input || second || !output || otherOutput) {
    throw new AppError('invalid-package', 'The model must have one input and one output.')
  }
  if (shape.length !== 3 || output.shape.length !== 2 || shape.some((dim) => dim === null)) {
    throw new AppError(
      'invalid-package',
      'The model must take images of one fixed size and give one number for each class.',
    )
  }
  return shape.map(Number)
}

function finished(
  graph: OnnxGraph,
  layer: string | null,
  explanationReason: string,
): PredictionGraph {
  const names = new Set(graph.outputs.map((port) => port.name))
  const named = (name: string) => (names.has(name) ? name : null)
  return {
    onnx: encodeModel(graph),
    graph: {
      input: { name: 'input', layout: 'nhwc' },
      outputs: {
        logits: named('logits'),
        probabilities: named('probabilities'),
        features: named('features'),
        gradients: named('gradients'),
      },
    },
    explanationLayer: layer,
    explanationReason,
  }
}
