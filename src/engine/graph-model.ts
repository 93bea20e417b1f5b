// TF.js graph models (frozen TensorFlow graphs): loaded from a folder, and recorded as a prediction graph like any other.
// Where the logits, the explained map and the layout are is read off the graph: it has no layers to ask.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { AppError, messageOf } from '../errors.ts'
import { readModelJson } from './layers-model.ts'
import { encodeModel } from './onnx/model.ts'
import { type PredictionGraph, portsOf } from './prediction-graph.ts'
import { trace } from './tracing/trace.ts'
import { TO_NCHW, TO_NHWC } from './tracing/value.ts'
import { readWeights } from './weight-manifest.ts'

interface GraphNode {
  readonly name: string
  readonly op: string
  readonly inputs: readonly string[]
}

export interface LoadedGraphModel {
  readonly model: tf.GraphModel
  readonly nodes: ReadonlyMap<string, GraphNode>
  readonly input: {
    readonly name: string
    readonly width: number
    readonly height: number
    readonly channels: 1 | 3
    /** Whether images are [1, C, H, W]. */
    readonly channelsFirst: boolean
  }
  readonly output: string
  /** Numbers among its weights. */
  readonly weights: number
  /** Writes it into a folder, which is made: model.json and weights.bin. */
  readonly save: (folder: string) => Promise<void>
}

/** Control flow would be decided while it is recorded, once and for all images. */
const CONTROL_FLOW =
  /^(Switch|Merge|Enter|Exit|NextIteration|LoopCond|While|StatelessWhile|If|StatelessIf|TensorList\w*|TensorArray\w*)$/
const MAX_GRADIENT_CLASSES = 64
/** Between the map and the logits of a classifier, these keep the gradient the same for every image. */
const LINEAR = new Set([
  'Reshape',
  'Squeeze',
  'Identity',
  'MatMul',
  '_FusedMatMul',
  'BiasAdd',
  'Add',
  'AddV2',
])

/**
 * The graph model in `folder`/model.json. Nothing is fetched.
 * @throws AppError `invalid-package` with one sentence that says what is wrong
 */
export async function loadGraphModel(folder: string): Promise<LoadedGraphModel> {
  const json = await readModelJson(join(folder, 'model.json'))
  const nodes = nodesOf(json.modelTopology)
  const control = [...nodes.values()].find(({ op }) => CONTROL_FLOW.test(op))
  if (control) {
    throw refused(
      `The model uses control flow (${control.op}), which cannot be made into one graph here.`,
    )
  }
  const { specs, data } = await readWeights(folder, json.weightsManifest)
  await tf.setBackend('cpu')
  try {
    const { signature } = (json.userDefinedMetadata ?? json) as { signature?: object }
    const model = await tf.loadGraphModel(
      tf.io.fromMemory({
        format: 'graph-model',
        modelTopology: json.modelTopology as object,
        weightSpecs: specs,
        weightData: data,
        ...(signature && { signature }),
      }),
    )
    const weights = specs.reduce((sum, { shape }) => sum + shape.reduce((n, dim) => n * dim, 1), 0)
    const save = async (to: string) => {
      await mkdir(to, { recursive: true })
      const weightsManifest = [{ paths: ['weights.bin'], weights: specs }]
      await writeFile(join(to, 'weights.bin'), new Uint8Array(data))
      await writeFile(join(to, 'model.json'), JSON.stringify({ ...json, weightsManifest }))
    }
    return { model, nodes, input: inputOf(model), output: outputOf(model), weights, save }
  } catch (error) {
    if (error instanceof AppError) throw error
    const [line = ''] = messageOf(error).split('\n')
    throw refused(`TensorFlow.js cannot build this model: ${line.slice(0, 200)}`, error)
  }
}

function nodesOf(topology: Record<string, unknown> | undefined): Map<string, GraphNode> {
  const list = topology?.node
  if (!Array.isArray(list))
    throw refused('model.json holds no graph: its modelTopology has no nodes.')
  return new Map(
    list.map((node: { name?: unknown; op?: unknown; input?: unknown }) => {
      const given = Array.isArray(node.input) ? node.input.map(String) : []
      const inputs = given.filter((one) => !one.startsWith('^')).map(plainName)
      return [String(node.name), { name: String(node.name), op: String(node.op), inputs }]
    }),
  )
}

/** Without the number of the output. */
function plainName(name: string): string {
  return name.replace(/:\d+$/, '')
}

function inputOf(model: tf.GraphModel): LoadedGraphModel['input'] {
  const [input, second] = model.inputs
  const shape = input?.shape ?? []
  if (!input || second || shape.length !== 4) {
    throw refused(
      'The model must take one image, as [height, width, channels] or [channels, height, width].',
    )
  }
  const [, first = 0, middle = 0, last = 0] = shape
  const isChannels = (n: number): n is 1 | 3 => n === 1 || n === 3
  const channelsFirst = !isChannels(last) && isChannels(first)
  const [height, width, channels] = channelsFirst ? [middle, last, first] : [first, middle, last]
  if (!isChannels(channels) || height < 1 || width < 1) {
    throw refused('The model must take one image of a fixed size with 1 or 3 channels.')
  }
  return { name: plainName(input.name), width, height, channels, channelsFirst }
}

function outputOf(model: tf.GraphModel): string {
  const [output, second] = model.outputs
  if (!output || second) {
    throw refused(
      `The model gives ${model.outputs.length} outputs; one row of scores is read here.`,
    )
  }
  return plainName(output.name)
}

export interface GraphModelPrediction extends PredictionGraph {
  readonly outputCount: number
  /** Undefined where the end of the graph does not tell. */
  readonly lastActivation: 'sigmoid' | 'softmax' | undefined
}

/**
 * Records the graph with images [1, H, W, C], whatever its own layout is. Outputs as those of `predictionGraph`.
 * @throws AppError `invalid-package` when an operation has no ONNX form here, or the model is no image classifier
 */
export function graphModelPrediction(loaded: LoadedGraphModel): GraphModelPrediction {
  const { input } = loaded
  const { scores, lastActivation, output } = endOf(loaded)
  const found = {
    outputCount: 0,
    layer: null as string | null,
    reason: 'no spatial map before the scores',
  }
  const shape = [1, input.height, input.width, input.channels]
  const graph = trace({ input: { shape } }, (given) => {
    const image = given.input as tf.Tensor
    const own = input.channelsFirst ? tf.transpose(image, [...TO_NCHW]) : image
    const chain = chainBefore(loaded, scores)
    const results = execute(loaded, { [input.name]: own }, chain)
    const [logits] = results
    if (logits?.rank !== 2 || logits.shape[0] !== 1) {
      throw refused('The model must give one row of scores for an image.')
    }
    found.outputCount = logits.shape[1] ?? 0
    const at = results.findIndex((tensor) => isMap(tensor, input.channelsFirst))
    const [features, name] = [results[at], chain[at]]
    if (!features || name === undefined || output !== 'logits') return { [output]: logits }
    found.layer = name
    found.reason = 'the last spatial map before the scores'
    const isLinear = isPooledLinearly(loaded, chain.slice(0, at))
    const gradients = gradientsOf(loaded, { name, features, scores, classes: found.outputCount })
    const kept = gradients && channelsLast(gradients, input.channelsFirst)
    return {
      logits,
      features: channelsLast(features, input.channelsFirst),
      ...(kept && { gradients: isLinear ? tf.slice(kept, [0, 0, 0, 0], [-1, 1, 1, -1]) : kept }),
    }
  })
  return {
    onnx: encodeModel(graph),
    graph: portsOf(new Set(graph.outputs.map(({ name }) => name))),
    explanationLayer: found.layer,
    explanationReason: found.reason,
    outputCount: found.outputCount,
    lastActivation,
  }
}

interface End {
  /** Node of the scores that are read. */
  readonly scores: string
  readonly output: 'logits' | 'probabilities'
  readonly lastActivation: 'sigmoid' | 'softmax' | undefined
}

/** The node before the last sigmoid or softmax. */
function endOf({ nodes, output }: LoadedGraphModel): End {
  let node = nodes.get(output)
  while (node?.op === 'Identity') node = nodes.get(node.inputs[0] ?? '')
  if (!node) throw refused('The graph of the model does not hold its output.')
  const activation = { Sigmoid: 'sigmoid', Softmax: 'softmax' } as const
  const [before] = node.inputs
  if ((node.op === 'Sigmoid' || node.op === 'Softmax') && before !== undefined) {
    return { scores: before, output: 'logits', lastActivation: activation[node.op] }
  }
  const output_ = LINEAR.has(node.op) ? 'logits' : 'probabilities'
  return { scores: node.name, output: output_, lastActivation: undefined }
}

/** The scores and what leads to them, backwards along first inputs, as far as that is one path. */
function chainBefore({ nodes, input }: LoadedGraphModel, scores: string): string[] {
  const chain: string[] = []
  let node = nodes.get(scores)
  while (node && node.name !== input.name && node.op !== 'Const' && chain.length < 12) {
    chain.push(node.name)
    const next: string | undefined = node.inputs.find((name) => nodes.get(name)?.op !== 'Const')
    node = nodes.get(next ?? '')
  }
  return chain
}

function isMap(tensor: tf.Tensor, channelsFirst: boolean): boolean {
  const [, a = 1, b = 1, c = 1] = tensor.shape
  return tensor.rank === 4 && (channelsFirst ? b * c : a * b) > 1
}

function isPooledLinearly({ nodes }: LoadedGraphModel, after: readonly string[]): boolean {
  const ops = after.map((name) => nodes.get(name)?.op ?? '')
  return ops.at(-1) === 'Mean' && ops.slice(0, -1).every((op) => LINEAR.has(op))
}

interface Tail {
  readonly name: string
  readonly features: tf.Tensor
  readonly scores: string
  readonly classes: number
}

/** d logit_k / d features for each class, [K, …]; undefined where there are too many or TF.js has no gradient. */
function gradientsOf(
  loaded: LoadedGraphModel,
  { name, features, scores, classes }: Tail,
): tf.Tensor | undefined {
  if (classes > MAX_GRADIENT_CLASSES) return undefined
  const each = Array.from({ length: classes }, (_, k) =>
    tf.grad((map: tf.Tensor) => {
      const [logits] = execute(loaded, { [name]: map }, [scores])
      return tf.sum(tf.slice(logits as tf.Tensor2D, [0, k], [1, 1]))
    })(features),
  )
  return tf.concat(each, 0)
}

function channelsLast(map: tf.Tensor, channelsFirst: boolean): tf.Tensor {
  return channelsFirst ? tf.transpose(map, [...TO_NHWC]) : map
}

function execute(
  { model }: LoadedGraphModel,
  inputs: tf.NamedTensorMap,
  outputs: string[],
): tf.Tensor[] {
  const results = model.execute(inputs, outputs)
  return Array.isArray(results) ? results : [results]
}

function refused(sentence: string, cause?: unknown): AppError {
  return new AppError('invalid-package', sentence, { cause })
}
