// An ONNX file with nodes, constants and outputs added, or with constants, outputs or its input replaced; all else keeps
// its bytes.
import type { OnnxNode, OnnxTensor } from '../../engine/onnx/model.ts'
import { encodeModel } from '../../engine/onnx/model.ts'
import { MessageWriter } from '../../engine/onnx/protobuf.ts'
import { GRAPH, MODEL } from './model-proto.ts'
import { fields, textOf } from './wire.ts'

export interface Addition {
  readonly nodes: readonly OnnxNode[]
  readonly constants: ReadonlyMap<string, OnnxTensor>
  readonly outputs: readonly { readonly name: string; readonly dims: readonly number[] }[]
}

/** New nodes come last, so they may take any value that is there. */
export function addToGraph(bytes: Uint8Array, { nodes, constants, outputs }: Addition): Uint8Array {
  const added = encodeModel({
    nodes,
    initializers: constants,
    inputs: [],
    outputs: outputs.map((one) => ({ ...one, type: 'float32' })),
  })
  const graph = fields(added).find(({ number }) => number === MODEL.graph)
  const parts = partsOf(graph?.bytes, [GRAPH.node, GRAPH.initializer, GRAPH.output])
  return withGraph(bytes, (whole) => Buffer.concat([whole, ...parts]))
}

/** Rewrites each initializer that `replace` gives another message for. */
export function replaceInitializers(
  bytes: Uint8Array,
  replace: (message: Uint8Array) => Uint8Array | undefined,
): Uint8Array {
  return withGraph(bytes, (graph) =>
    Buffer.concat(
      fields(graph).map(({ number, bytes: message, whole }) => {
        const other = number === GRAPH.initializer ? replace(message) : undefined
        return other ? new MessageWriter().bytes(GRAPH.initializer, other).finish() : whole
      }),
    ),
  )
}

function withGraph(bytes: Uint8Array, change: (graph: Uint8Array) => Uint8Array): Uint8Array {
  return new Uint8Array(
    Buffer.concat(
      fields(bytes).map(({ number, bytes: message, whole }) =>
        number === MODEL.graph
          ? new MessageWriter().bytes(MODEL.graph, change(message)).finish()
          : whole,
      ),
    ),
  )
}

/** Leaves only these among the outputs; what they need is computed as before. */
export function keepOutputs(bytes: Uint8Array, names: ReadonlySet<string>): Uint8Array {
  return withGraph(bytes, (graph) =>
    Buffer.concat(
      fields(graph)
        .filter(
          ({ number, bytes: message }) =>
            number !== GRAPH.output || names.has(textOf(fields(message), 1)),
        )
        .map(({ whole }) => whole),
    ),
  )
}

/** Another input in place of `replaces`; the nodes come first and make that value of it. */
export function replaceInput(
  bytes: Uint8Array,
  o: {
    readonly replaces: string
    readonly name: string
    readonly dims: readonly number[]
    readonly nodes: readonly OnnxNode[]
    readonly constants: ReadonlyMap<string, OnnxTensor>
  },
): Uint8Array {
  const added = encodeModel({
    nodes: o.nodes,
    initializers: o.constants,
    inputs: [{ name: o.name, type: 'float32', dims: o.dims }],
    outputs: [],
  })
  const graph = fields(added).find(({ number }) => number === MODEL.graph)
  const first = partsOf(graph?.bytes, [GRAPH.node, GRAPH.initializer, GRAPH.input])
  return withGraph(bytes, (whole) => {
    const rest = fields(whole)
      .filter(
        ({ number, bytes: message }) =>
          number !== GRAPH.input || textOf(fields(message), 1) !== o.replaces,
      )
      .map((field) => field.whole)
    return Buffer.concat([...first, ...rest])
  })
}

function partsOf(graph: Uint8Array | undefined, wanted: readonly number[]): Uint8Array[] {
  return fields(graph ?? new Uint8Array())
    .filter(({ number }) => wanted.includes(number))
    .map(({ whole }) => whole)
}
