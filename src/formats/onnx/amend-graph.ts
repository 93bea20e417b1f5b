// An ONNX file with nodes, constants and outputs added at its end, or with constants replaced; all else keeps its bytes.
import type { OnnxNode, OnnxTensor } from '../../engine/onnx/model.ts'
import { encodeModel } from '../../engine/onnx/model.ts'
import { MessageWriter } from '../../engine/onnx/protobuf.ts'
import { GRAPH, MODEL } from './model-proto.ts'
import { fields } from './wire.ts'

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
  const wanted: readonly number[] = [GRAPH.node, GRAPH.initializer, GRAPH.output]
  const parts = fields(graph?.bytes ?? new Uint8Array())
    .filter(({ number }) => wanted.includes(number))
    .map(({ whole }) => whole)
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
