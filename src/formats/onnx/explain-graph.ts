// An ONNX classifier that also gives the features and gradients of Grad-CAM, where its end is found to be linear. What was
// found is tried on an image before it is believed: averages times weights must be the scores that the graph itself gives.
import { uniformAt } from '../../engine/random/counter-random.ts'
import { createSession, type TensorValue } from '../../engine/session.ts'
import { addToGraph } from './amend-graph.ts'
import { findLinearHead, type LinearHead } from './linear-head.ts'
import type { ProtoModel } from './model-proto.ts'

export interface ExplainedGraph {
  readonly onnx: Uint8Array
  readonly features: string
  readonly gradients: string
  readonly layer: string
  readonly reason: string
}

const FEATURES = 'roentgen_features'
const GRADIENTS = 'roentgen_gradients'
const LOGITS = 'roentgen_logits'
const WEIGHTS = 'roentgen_head'
const SEED = 7
/** Of the largest score; sums of a few thousand floats differ in their last bits. */
const TOLERANCE = 1e-3

/** @param input name and shape of the image input @returns undefined when the graph ends otherwise, or cannot be run */
export async function explainGraph(
  onnx: Uint8Array,
  o: { model: ProtoModel; scores: string; input: { name: string; dims: readonly number[] } },
): Promise<ExplainedGraph | undefined> {
  const head = findLinearHead(o.model, o.scores)
  if (!head) return undefined
  const map = await tryHead(onnx, { head, input: o.input })
  if (!map) return undefined
  const { outputs, channels, places } = map
  const weight = head.weight?.values ?? identity(channels)
  const gradients = {
    type: 'float32',
    dims: [outputs, 1, 1, channels],
    data: weight.map((value) => value / places),
  } as const
  const added = addToGraph(onnx, {
    nodes: [
      featureNode(head),
      { op: 'Identity', inputs: [WEIGHTS], outputs: [GRADIENTS], attributes: {} },
    ],
    constants: new Map([[WEIGHTS, gradients]]),
    outputs: [
      { name: FEATURES, dims: map.dims },
      { name: GRADIENTS, dims: gradients.dims },
    ],
  })
  const { layer } = head
  const [, height, width] = map.dims
  const reason = `what the model averages before its linear end (${height} x ${width}, ${channels} features): the map adds up to the score`
  return { onnx: added, features: FEATURES, gradients: GRADIENTS, layer, reason }
}

/** Channels last, as heatmaps are computed. */
function featureNode({ features, layout }: LinearHead) {
  const common = { inputs: [features], outputs: [FEATURES] }
  return layout === 'nchw'
    ? { op: 'Transpose', ...common, attributes: { perm: [0, 2, 3, 1] } }
    : { op: 'Identity', ...common, attributes: {} }
}

interface FeatureMap {
  /** [1, height, width, channels] */
  readonly dims: readonly number[]
  readonly channels: number
  readonly places: number
  readonly outputs: number
}

async function tryHead(
  onnx: Uint8Array,
  { head, input }: { head: LinearHead; input: { name: string; dims: readonly number[] } },
): Promise<FeatureMap | undefined> {
  const probe = addToGraph(onnx, {
    nodes: [
      featureNode(head),
      { op: 'Flatten', inputs: [head.logits], outputs: [LOGITS], attributes: { axis: 1 } },
    ],
    constants: new Map(),
    outputs: [
      { name: FEATURES, dims: [1, -1, -1, -1] },
      { name: LOGITS, dims: [1, -1] },
    ],
  })
  const session = await createSession(probe, { threads: 1 }).catch(() => undefined)
  if (!session) return undefined
  try {
    const run = async (seed: number) => {
      const count = input.dims.reduce((size, n) => size * n, 1)
      const data = Float32Array.from({ length: count }, (_, i) => uniformAt(seed, i, 0))
      const given = await session.run({ [input.name]: { data, dims: [...input.dims] } })
      return { features: given[FEATURES], logits: given[LOGITS] }
    }
    const [first, second] = [await run(SEED), await run(SEED + 1)]
    return mapOf(head, first, second)
  } catch {
    return undefined
  } finally {
    await session.release()
  }
}

interface Outputs {
  readonly features: TensorValue | undefined
  readonly logits: TensorValue | undefined
}

/** A bias is the same for both images, so that the difference of two scores is that of the averages times the weights. */
function mapOf(head: LinearHead, first: Outputs, second: Outputs): FeatureMap | undefined {
  const dims = first.features?.dims ?? []
  const [batch, height = 0, width = 0, channels = 0] = dims
  const outputs = first.logits?.data.length ?? 0
  const places = height * width
  const weight = head.weight?.values ?? identity(channels)
  const isWhole = head.window === undefined || head.window.join() === [height, width].join()
  const fits = weight.length === outputs * channels && (head.weight?.outputs ?? outputs) === outputs
  if (dims.length !== 4 || batch !== 1 || places < 2 || !isWhole || !fits) return undefined
  const scores = [first, second].map(({ features, logits }) => {
    const averages = averagesOf(features?.data ?? new Float32Array(), channels)
    return Array.from(
      { length: outputs },
      (_, k) => (logits?.data[k] ?? Number.NaN) - dot(weight, { row: k, averages }),
    )
  })
  const [a = [], b = []] = scores
  const largest = Math.max(1, ...Array.from(first.logits?.data ?? [], Math.abs))
  const isLinear = a.every(
    (bias, k) => Math.abs(bias - (b[k] ?? Number.NaN)) <= TOLERANCE * largest,
  )
  return isLinear ? { dims, channels, places, outputs } : undefined
}

function averagesOf(features: Float32Array, channels: number): Float64Array {
  const sums = new Float64Array(channels)
  for (const [i, value] of features.entries()) {
    sums[i % channels] = (sums[i % channels] ?? 0) + value
  }
  return sums.map((sum) => sum / (features.length / channels))
}

function dot(
  weight: Float32Array,
  { row, averages }: { row: number; averages: Float64Array },
): number {
  return averages.reduce(
    (sum, value, i) => sum + value * (weight[row * averages.length + i] ?? 0),
    0,
  )
}

function identity(size: number): Float32Array {
  return Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0))
}
