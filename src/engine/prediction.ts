// What a prediction computes: logits, and with them the feature map of the explanation layer and the gradients of the
// logits with respect to it, from which every CAM method is arithmetic. Traced in prediction-graph.ts, or computed natively.
import * as tf from '@tensorflow/tfjs'
import {
  asMap,
  chooseExplanation,
  linearTail,
  type SpatialOutput,
  SpatialOutputs,
} from './explanation-layer.ts'
import { applyToFeatures, type FrozenPrefix } from './frozen-prefix.ts'
import { findHead, type LastActivation, withoutLastActivation } from './head.ts'
import { imageShapeOf } from './image-shape.ts'
import { type Layer, type LayerCall, onlyTensor, withLayerCalls } from './layer-calls.ts'

export interface PredictionOptions {
  /** What turns the model's output into probabilities; `auto` looks at its last layer. */
  readonly lastActivation: LastActivation | 'auto'
  /** Whether the last sigmoid or softmax stays in the graph, as who takes its result for logits wants it. */
  readonly keepsActivation?: boolean
  /** Name of the layer to explain; by default the last one with a spatial output, before the last attention if there is any. */
  readonly explanationLayer?: string
  /** Images in one run; 1 by default. */
  readonly batchSize?: number
  /** Whether to add features and gradients; by default only for one image. */
  readonly explain?: boolean
  /** Given, the input is features of this frozen beginning, and nothing is explained. */
  readonly prefix?: FrozenPrefix
}

export interface Prediction {
  /**
   * `logits` [B, K] when the last activation is sigmoid, softmax or none, else `probabilities` [B, K]; `features`
   * [1, h, w, F]; `gradients` d logit_k / d features as [K, h, w, F], or [K, 1, 1, F] when a linear layer follows global
   * average pooling.
   */
  readonly outputs: Record<string, tf.Tensor>
  readonly explanationLayer: string | null
  /** Why this layer, or why none, in words for a person. */
  readonly explanationReason: string
}

/** Keeps a tensor beyond TF.js' scopes, to the end of the prediction. */
type Keep = <T extends tf.Tensor>(tensor: T) => T

/** More classes than this are explained only when the gradients are closed form. */
const MAX_GRADIENT_CLASSES = 64

/** Shape of what a prediction takes: [B, H, W, C], or [B, F] of features. @throws AppError `invalid-package` */
export function inputShapeOf(
  model: tf.LayersModel,
  { batchSize = 1, prefix }: PredictionOptions,
): number[] {
  return [batchSize, ...(prefix ? [prefix.size] : imageShapeOf(model))]
}

/** Applies `model` to one batch of images, input [batchSize, H, W, C]. */
export function computePrediction(
  model: tf.LayersModel,
  input: tf.Tensor,
  { options, keep }: { readonly options: PredictionOptions; readonly keep: Keep },
): Prediction {
  const { batchSize = 1, prefix, explain = batchSize === 1 && !prefix } = options
  const head = findHead(model)
  const usesLogits = head.activation !== null && !options.keepsActivation
  const applied = usesLogits ? head : { ...head, activation: null }
  return withoutLastActivation(applied, () => {
    if (explain && usesLogits) return explained(model, input, { options, keep })
    const output = usesLogits ? 'logits' : 'probabilities'
    return {
      outputs: {
        [output]: prefix
          ? applyToFeatures(model, input, {
              prefix,
              visit: (call) => call.proceed({ training: false }),
            })
          : scoresOf(model, input),
      },
      explanationLayer: null,
      explanationReason: explain
        ? 'the scores before the last activation cannot be reached'
        : 'made for scores only',
    }
  })
}

function explained(
  model: tf.LayersModel,
  input: tf.Tensor,
  { options, keep }: { readonly options: PredictionOptions; readonly keep: Keep },
): Prediction {
  const spatial = new SpatialOutputs()
  const results: tf.Tensor[][] = []
  const logits = withLayerCalls(
    model,
    (call) => {
      spatial.entering(call.layer)
      const result = call.proceed()
      const kept = [result].flat().map((tensor) => keep(tf.clone(tensor)))
      spatial.add({ layer: call.layer, call: results.length, outputs: kept })
      results.push(kept)
      return result
    },
    () => scoresOf(model, input),
  )
  const { chosen, reason } = chooseExplanation(spatial.all(), options.explanationLayer)
  if (!chosen) return { outputs: { logits }, explanationLayer: null, explanationReason: reason }
  const classes = logits.shape[1] ?? 1
  const gradients = gradientsOf({ model, chosen, input, results, classes })
  return {
    outputs: {
      logits,
      features: asMap(chosen.output),
      ...(gradients ? { gradients: asMap(gradients) } : {}),
    },
    explanationLayer: chosen.layer.name,
    explanationReason: reason,
  }
}

interface Explained {
  readonly model: tf.LayersModel
  readonly chosen: SpatialOutput
  readonly input: tf.Tensor
  /** What every call of a layer gave, in order. */
  readonly results: readonly (readonly tf.Tensor[])[]
  readonly classes: number
}

/** d logit_k / d features for every class k; undefined where there are too many. */
function gradientsOf(explained: Explained): tf.Tensor | undefined {
  const { chosen, classes } = explained
  const { calls } = tail(explained, { features: chosen.output, copies: 1 })
  const dense = linearTail(calls)
  if (dense) return closedForm(dense, chosen.output.shape)
  if (classes > MAX_GRADIENT_CLASSES) return undefined
  // Copy k contributes its logit k only, so that one backward pass gives every class its own gradient.
  const each = tf.eye(classes)
  const scores = (features: tf.Tensor) =>
    tf.sum(tf.mul(tail(explained, { features, copies: classes }).logits, each))
  return tf.grad(scores)(copied(chosen.output, classes))
}

/**
 * Applies what follows the explanation layer to given features of it, in `copies`. What comes before, and may go past the
 * layer, is not computed again but stays as it was.
 */
function tail(
  { model, chosen, input, results }: Explained,
  { features, copies }: { readonly features: tf.Tensor; readonly copies: number },
): { readonly logits: tf.Tensor; readonly calls: readonly LayerCall[] } {
  const calls: LayerCall[] = []
  let number = 0
  const visit = (call: LayerCall): tf.Tensor | tf.Tensor[] => {
    const before = number++
    if (before === chosen.call) return tf.clone(features)
    if (before > chosen.call) {
      calls.push(call)
      return call.proceed()
    }
    const [only, ...others] = (results[before] ?? []).map((result) => copied(result, copies))
    return only && others.length === 0 ? only : [...(only ? [only] : []), ...others]
  }
  const logits = withLayerCalls(model, visit, () => scoresOf(model, copied(input, copies)))
  return { logits, calls }
}

/** One after the other along the first axis. */
function copied(x: tf.Tensor, copies: number): tf.Tensor {
  return copies === 1 ? tf.clone(x) : tf.tile(x, [copies, ...x.shape.slice(1).map(() => 1)])
}

/** The transposed weights of the dense layer over the number of places: [K, 1, 1, F]. */
function closedForm(dense: Layer, featureShape: readonly number[]): tf.Tensor {
  const [, height = 1, width = 1, features = 1] = featureShape
  const [kernel] = dense.getWeights()
  if (!kernel) throw new Error('a dense layer without weights')
  const weights = tf.mul(tf.transpose(kernel), 1 / (height * width))
  return tf.reshape(weights, [-1, 1, 1, features])
}

function scoresOf(model: tf.LayersModel, input: tf.Tensor): tf.Tensor {
  return onlyTensor(model.apply(input) as tf.Tensor)
}
