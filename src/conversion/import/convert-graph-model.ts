// A TF.js graph model (a frozen TensorFlow graph) as a graph that is served. Runs in the import's child process.
import { join } from 'node:path'
import { graphModelPrediction, loadGraphModel } from '../../engine/graph-model.ts'
import type { ConvertedModel } from './converted-model.ts'

/** @throws AppError `invalid-package` in one sentence */
export async function convertGraphModel(folder: string): Promise<ConvertedModel> {
  const loaded = await loadGraphModel(folder)
  const { input, weights, save } = loaded
  const traced = graphModelPrediction(loaded)
  const { explanationLayer, explanationReason, lastActivation, outputCount } = traced
  return {
    onnx: traced.onnx,
    graph: traced.graph,
    input: { width: input.width, height: input.height, channels: input.channels },
    outputCount,
    lastActivation,
    certainty:
      traced.graph.outputs.logits === null ? 'open' : lastActivation ? 'logits' : 'probably-logits',
    explanation:
      explanationLayer === null
        ? null
        : { layer: explanationLayer, reason: explanationReason, scale: null },
    // A frozen graph does not say which of its numbers were trained.
    parameters: { total: weights, trainable: weights, nonTrainable: 0 },
    labels: undefined,
    featureNotice: undefined,
    architecture: 'tfjs-graph',
    writeMore: (modelsDir) => save(join(modelsDir, 'tfjs')),
  }
}
