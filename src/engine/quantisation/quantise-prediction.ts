// A traced prediction and some images -> the same prediction in eight bits, as faithful as one of the rules for ranges makes it.
import { encodeModel, type OnnxGraph } from '../onnx/model.ts'
import { createSession, type Session } from '../session.ts'
import { foldConstants } from './fold-constants.ts'
import { measureExtremes, RANGE_RULES, type RangeRule, rangesBy } from './measure-ranges.ts'
import { planQuantisation } from './plan.ts'
import { quantiseGraph } from './quantise-graph.ts'

export interface QuantiseInput {
  /** Of a prediction: one input, and an output `logits` or `probabilities`. */
  readonly nodes: OnnxGraph
  /** Prepared as for the model, of the kind that it will see; never those that it is judged by. */
  readonly images: readonly Float32Array[]
  readonly threads: number
}

export interface QuantisedPrediction {
  /** The .onnx file. */
  readonly onnx: Uint8Array
  readonly rule: RangeRule
  /** Root of the mean squared difference of the scores from those of the float graph, over the images, for each rule. */
  readonly differences: Readonly<Record<RangeRule, number>>
  /** Operators whose weights are eight bits, and activations that are. */
  readonly operators: number
  readonly activations: number
}

/** Undefined when nothing of the graph has an integer form. @throws AppError `load-failed` */
export async function quantisePrediction({
  nodes,
  images,
  threads,
}: QuantiseInput): Promise<QuantisedPrediction | undefined> {
  const graph = foldConstants(nodes)
  const plan = planQuantisation(graph)
  const [port] = graph.inputs
  if (plan.weighted.size === 0 || !port || images.length === 0) return undefined
  const input = { name: port.name, dims: port.dims }
  const extremes = await measureExtremes(graph, { values: plan.values, input, images, threads })
  const wanted = await scoresOf(encodeModel(nodes), { input, images, threads })
  const candidates: { rule: RangeRule; onnx: Uint8Array; difference: number }[] = []
  for (const rule of Object.keys(RANGE_RULES) as RangeRule[]) {
    const onnx = encodeModel(quantiseGraph(graph, { plan, ranges: rangesBy(rule, extremes) }))
    const difference = rootMeanSquare(wanted, await scoresOf(onnx, { input, images, threads }))
    candidates.push({ rule, onnx, difference })
  }
  const best = candidates.reduce((a, b) => (b.difference < a.difference ? b : a))
  const differences = Object.fromEntries(candidates.map((one) => [one.rule, one.difference]))
  return {
    onnx: best.onnx,
    rule: best.rule,
    differences: differences as QuantisedPrediction['differences'],
    operators: plan.weighted.size,
    activations: plan.values.length,
  }
}

/** The scores of all images, one after the other. */
async function scoresOf(
  onnx: Uint8Array,
  o: {
    readonly input: { readonly name: string; readonly dims: readonly number[] }
    readonly images: readonly Float32Array[]
    readonly threads: number
  },
): Promise<number[]> {
  const session: Session = await createSession(onnx, { threads: o.threads })
  const all: number[] = []
  try {
    for (const data of o.images) {
      const results = await session.run({ [o.input.name]: { data, dims: o.input.dims } })
      all.push(...((results.logits ?? results.probabilities)?.data ?? []))
    }
  } finally {
    await session.release()
  }
  return all
}

function rootMeanSquare(a: readonly number[], b: readonly number[]): number {
  const squares = a.map((value, at) => (value - (b[at] ?? 0)) ** 2)
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / Math.max(1, squares.length))
}
