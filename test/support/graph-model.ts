// TF.js graph models for tests, written node by node as TensorFlow's converter writes them.
import { mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { numbers } from '../engine/compare.ts'

const text = (value: string) => ({ s: Buffer.from(value).toString('base64') })
const ints = (...values: number[]) => ({ list: { i: values.map(String) } })
const FLOAT = { T: { type: 'DT_FLOAT' } }

export interface GraphNode {
  readonly name: string
  readonly op: string
  readonly input?: readonly string[]
  readonly attr?: object
}

/** Nodes and weights of a model under construction; integers are weights too, as the converter has it. */
export class GraphWriter {
  readonly nodes: GraphNode[] = []
  readonly #specs: { name: string; shape: readonly number[]; dtype: string }[] = []
  readonly #parts: Uint8Array[] = []

  image(...shape: number[]): string {
    const dim = shape.map((size) => ({ size: String(size) }))
    const attr = { dtype: { type: 'DT_FLOAT' }, shape: { shape: { dim } } }
    return this.node('image', 'Placeholder', [], attr)
  }

  node(name: string, op: string, input: readonly string[], attr: object = {}): string {
    this.nodes.push({ name, op, input, attr: { ...FLOAT, ...attr } })
    return name
  }

  weight(name: string, shape: readonly number[]): string {
    const { data } = numbers(shape, this.#specs.length + 1, [-0.5, 0.5])
    return this.#constant(name, { shape, dtype: 'float32', type: 'DT_FLOAT', data })
  }

  integers(name: string, ...values: number[]): string {
    const data = Int32Array.from(values)
    return this.#constant(name, { shape: [values.length], dtype: 'int32', type: 'DT_INT32', data })
  }

  #constant(
    name: string,
    o: { shape: readonly number[]; dtype: string; type: string; data: Float32Array | Int32Array },
  ): string {
    this.nodes.push({ name, op: 'Const', attr: { dtype: { type: o.type } } })
    this.#specs.push({ name, shape: o.shape, dtype: o.dtype })
    this.#parts.push(new Uint8Array(o.data.buffer, o.data.byteOffset, o.data.byteLength))
    return name
  }

  /** Into a new folder below `root`, which is returned. */
  async write(root: string): Promise<string> {
    const folder = await mkdtemp(join(root, 'model-'))
    await writeFile(join(folder, 'shard.bin'), Buffer.concat(this.#parts))
    const json = {
      format: 'graph-model',
      modelTopology: { node: this.nodes, versions: {} },
      weightsManifest: [{ paths: ['shard.bin'], weights: this.#specs }],
    }
    await writeFile(join(folder, 'model.json'), JSON.stringify(json))
    return folder
  }
}

const CONV = { strides: ints(1, 1, 1, 1), dilations: ints(1, 1, 1, 1), padding: text('SAME') }

/** Channels last: a fused and an unfused convolution, pooling, a linear head and softmax. */
export function channelsLast(): GraphWriter {
  const g = new GraphWriter()
  const image = g.image(-1, 16, 16, 3)
  const nhwc = { ...CONV, data_format: text('NHWC') }
  g.node('conv1', 'Conv2D', [image, g.weight('w1', [3, 3, 3, 6])], nhwc)
  g.node('bias1', 'BiasAdd', ['conv1', g.weight('b1', [6])])
  g.node('relu1', 'Relu', ['bias1'])
  const pool = { ksize: ints(1, 2, 2, 1), strides: ints(1, 2, 2, 1), padding: text('VALID') }
  g.node('pool1', 'MaxPool', ['relu1'], pool)
  const fused = {
    fused_ops: { list: { s: [text('BiasAdd').s, text('Relu').s] } },
    num_args: { i: '1' },
  }
  const conv2 = ['pool1', g.weight('w2', [3, 3, 6, 8]), g.weight('b2', [8])]
  g.node('conv2', '_FusedConv2D', conv2, { ...nhwc, ...fused, epsilon: { f: 0 } })
  g.node('mean', 'Mean', ['conv2', g.integers('axes', 1, 2)], { keep_dims: { b: false } })
  g.node('dense', 'MatMul', ['mean', g.weight('w3', [8, 3])])
  g.node('logits', 'BiasAdd', ['dense', g.weight('b3', [3])])
  g.node('scores', 'Softmax', ['logits'])
  return g
}

/** Channels first, as converted from PyTorch: transposed around its convolution, a hidden layer, sigmoid. */
export function channelsFirst(): GraphWriter {
  const g = new GraphWriter()
  const image = g.image(1, 1, 16, 16)
  g.node('last', 'Transpose', [image, g.integers('to_last', 0, 2, 3, 1)])
  const conv = ['last', g.weight('w1', [3, 3, 1, 6])]
  g.node('conv', 'Conv2D', conv, { ...CONV, data_format: text('NHWC') })
  g.node('first', 'Transpose', ['conv', g.integers('to_first', 0, 3, 1, 2)])
  g.node('shift', 'Add', ['first', g.weight('b1', [6, 1, 1])])
  g.node('relu', 'Relu', ['shift'])
  g.node('mean', 'Mean', ['relu', g.integers('axes', 2, 3)], { keep_dims: { b: true } })
  g.node('flat', 'Reshape', ['mean', g.integers('shape', 1, 6)])
  g.node('hidden', 'MatMul', ['flat', g.weight('w2', [6, 5])])
  g.node('tanh', 'Tanh', ['hidden'])
  g.node('logits', 'MatMul', ['tanh', g.weight('w3', [5, 4])])
  g.node('scores', 'Sigmoid', ['logits'])
  return g
}

/** The same with a convolution that itself takes channels first. */
export function convolvedFirst(): GraphWriter {
  const g = new GraphWriter()
  const image = g.image(1, 3, 16, 16)
  const conv = [image, g.weight('w1', [3, 3, 3, 6])]
  g.node('conv', 'Conv2D', conv, { ...CONV, data_format: text('NCHW') })
  g.node('relu', 'Relu', ['conv'])
  g.node('mean', 'Mean', ['relu', g.integers('axes', 2, 3)], { keep_dims: { b: false } })
  g.node('logits', 'MatMul', ['mean', g.weight('w2', [6, 3])])
  g.node('scores', 'Softmax', ['logits'])
  return g
}
