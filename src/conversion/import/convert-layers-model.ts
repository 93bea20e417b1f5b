// A loaded layers model as a graph that is served: given a pooled end where it has none, traced to ONNX.
// Runs in the import's child process: TF.js is never loaded by the server.
import * as tf from '@tensorflow/tfjs'
import { findHead } from '../../engine/head.ts'
import { predictionGraph } from '../../engine/prediction-graph.ts'
import { AppError } from '../../errors.ts'
import type { ConvertedModel } from './converted-model.ts'
import type { InputSize, OutputChoice } from './foreign-fields.ts'

const FEATURE_NOTICE =
  'A feature extractor without a classifier: its "classes" are numbered features, averaged over the image, and no findings.'

/** What the file told besides the model, and how it is kept in the package. */
export type ModelSource = Pick<ConvertedModel, 'labels' | 'architecture' | 'writeMore'> & {
  readonly said: OutputChoice
}

/** @throws AppError `invalid-package` in one sentence */
export function convertLayersModel(
  loaded: tf.LayersModel,
  { said, ...source }: ModelSource,
): ConvertedModel {
  const input = inputSize(loaded)
  const { model, isHeadless } = withScores(loaded)
  const lastActivation = isHeadless ? undefined : activationOf(loaded)
  // Who says that the outputs are logits means those that the file gives.
  const keepsActivation = said === 'logits' && !isHeadless && lastActivation !== undefined
  const traced = predictionGraph(model, { lastActivation: 'auto', keepsActivation })
  const isLinear = traced.graph.outputs.logits !== null && !keepsActivation
  const trainable = countOf(model.trainableWeights)
  const nonTrainable = countOf(model.nonTrainableWeights)
  return {
    ...source,
    onnx: traced.onnx,
    graph: traced.graph,
    input,
    outputCount: outputShape(model).at(-1) ?? 0,
    lastActivation: keepsActivation ? undefined : lastActivation,
    certainty: isLinear ? (lastActivation || isHeadless ? 'logits' : 'probably-logits') : 'open',
    explanation:
      traced.explanationLayer === null
        ? null
        : { layer: traced.explanationLayer, reason: traced.explanationReason, scale: null },
    parameters: { total: trainable + nonTrainable, trainable, nonTrainable },
    featureNotice: isHeadless ? FEATURE_NOTICE : undefined,
  }
}

function inputSize(model: tf.LayersModel): InputSize {
  if (model.inputs.length !== 1) {
    throw new AppError(
      'invalid-package',
      `The model takes ${model.inputs.length} inputs; only one image input is supported.`,
    )
  }
  const [, height, width, channels] = model.inputs[0]?.shape ?? []
  if (!height || !width || (channels !== 1 && channels !== 3)) {
    throw new AppError(
      'invalid-package',
      'The model must take one image of a fixed size with 1 or 3 channels, as [height, width, channels].',
    )
  }
  return { width, height, channels }
}

function outputShape(model: tf.LayersModel): readonly (number | null)[] {
  return model.outputs[0]?.shape ?? []
}

/**
 * A backbone ends in a map [1, h, w, F]. Averaged over the image it gives F features, which are served as the scores of a
 * softmax, so that `logit` is the feature itself.
 */
function withScores(model: tf.LayersModel): { model: tf.LayersModel; isHeadless: boolean } {
  if (model.outputs.length !== 1) {
    throw new AppError(
      'invalid-package',
      `The model gives ${model.outputs.length} outputs; only one row of scores is supported.`,
    )
  }
  const shape = outputShape(model)
  if (shape.length === 2) return { model, isHeadless: false }
  if (shape.length !== 4) {
    throw new AppError('invalid-package', 'The model must give one row of scores for an image.')
  }
  const features = tf.layers
    .globalAveragePooling2d({ name: 'roentgen_pooled_features', dataFormat: 'channelsLast' })
    .apply(model.outputs[0] as tf.SymbolicTensor)
  const scores = tf.layers
    .activation({ name: 'roentgen_feature_scores', activation: 'softmax' })
    .apply(features) as tf.SymbolicTensor
  return { model: tf.model({ inputs: model.inputs, outputs: scores }), isHeadless: true }
}

/** The activation at the very end, where it is one that gives probabilities. */
function activationOf(model: tf.LayersModel): 'sigmoid' | 'softmax' | undefined {
  const { activation } = findHead(model)
  return activation === 'sigmoid' || activation === 'softmax' ? activation : undefined
}

function countOf(weights: readonly { readonly shape: readonly (number | null)[] }[]): number {
  return weights.reduce(
    (sum, { shape }) => sum + shape.reduce<number>((size, n) => size * (n ?? 1), 1),
    0,
  )
}
