// A trained model -> the graph that hosts run, and configs/model.json, which tells them how to read it.
import { predictionGraph } from '../../engine/prediction-graph.ts'
import type { Graph, ModelConfig } from '../../package/schema.ts'
import { explanationChoice } from '../explanation-choice.ts'
import { lastActivation } from '../predict.ts'
import type { PackageInput } from './package-context.ts'

/** Without the scale of heatmaps, which is measured with the graph. */
export function describeModel(o: PackageInput): { config: ModelConfig; onnx: Uint8Array } {
  const { architecture, variant, model, prepared, name } = o
  const { kind, classes } = prepared.index
  const wished = o.hyperparameters.explanationLayer
  const explanation = explanationChoice(architecture, { model, wished })
  const traced = predictionGraph(model, {
    lastActivation: lastActivation(kind),
    explanationLayer: explanation.layer,
  })
  const graph: Graph = { file: `models/${name}.onnx`, ...traced.graph }
  const total = model.countParams()
  const trainable = model.trainableWeights.reduce((sum, weight) => {
    return sum + weight.shape.reduce<number>((size, side) => size * (side ?? 1), 1)
  }, 0)
  const config: ModelConfig = {
    schema: 1,
    architecture: architecture.name,
    ...(variant !== 'keras' && { variant }),
    kind,
    classes: [...classes],
    graph,
    explanation: traced.explanationLayer
      ? { layer: traced.explanationLayer, reason: explanation.reason, scale: null }
      : null,
    parameters: { total, trainable, nonTrainable: total - trainable },
  }
  return { config, onnx: traced.onnx }
}
