// One training step as one ONNX graph, in which state goes in and comes out. What it computes is step.ts, keeping the
// state between steps traced-training-step.ts.
import type { OnnxGraph } from '../onnx/model.ts'
import { addInput, keepWhileTracing, trace } from '../tracing/trace.ts'
import { computeStep, inputShapes, type StepPlan } from './step.ts'
import type { DropoutInput } from './training-layers.ts'

export interface TrainingGraph {
  readonly graph: OnnxGraph
  /** Further inputs: the masks of dropout layers. */
  readonly dropouts: readonly DropoutInput[]
}

/** @throws AppError `invalid` when the model cannot be trained so */
export function trainingGraph(plan: StepPlan): TrainingGraph {
  const dropouts: DropoutInput[] = []
  const specs = Object.entries(inputShapes(plan)).map(([name, shape]) => [name, { shape }] as const)
  const graph = trace(Object.fromEntries(specs), (inputs) =>
    computeStep(plan, inputs, {
      keep: keepWhileTracing,
      mask: (dropout) => {
        dropouts.push(dropout)
        return addInput(dropout.name, dropout.shape)
      },
    }),
  )
  return { graph, dropouts }
}
