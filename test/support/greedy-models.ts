// Graphs that answer a dark image at once and take what they can for a bright one: time without end, or memory.
import type { MessageWriter } from '../../src/engine/onnx/protobuf.ts'
import { SIDE } from '../inference/tiny-package.ts'
import {
  BOOL,
  FLOAT,
  graphAttribute,
  INT,
  INT64,
  message,
  node,
  port,
  scalar,
} from './onnx-messages.ts'

function floats(name: string, value: number): MessageWriter {
  const raw = Buffer.alloc(4)
  raw.writeFloatLE(value)
  return message().int(1, 1).int(2, FLOAT).text(8, name).bytes(9, raw)
}

function row(name: string): MessageWriter {
  const raw = Buffer.alloc(16)
  raw.writeBigInt64LE(1n, 0)
  raw.writeBigInt64LE(1n, 8)
  return message().int(1, 2).int(2, INT64).text(8, name).bytes(9, raw)
}

function vectorOfOne(name: string): MessageWriter {
  const raw = Buffer.alloc(8)
  raw.writeBigInt64LE(1n)
  return message().int(1, 1).int(2, INT64).text(8, name).bytes(9, raw)
}

const attribute = (name: string, value: number) =>
  message().text(1, name).int(3, value).int(20, INT)

/** `amount`: an int64 of length 1, `most` for an image whose brightest value is 1, and 0 where none is above 0. */
function model(most: number, nodes: (graph: MessageWriter) => MessageWriter): Uint8Array {
  const graph = message()
    .message(
      1,
      node({
        op: 'ReduceMax',
        inputs: ['image'],
        outputs: ['m'],
        attributes: [attribute('keepdims', 0)],
      }),
    )
    .message(1, node({ op: 'Relu', inputs: ['m'], outputs: ['bright'] }))
    .message(1, node({ op: 'Mul', inputs: ['bright', 'most'], outputs: ['product'] }))
    .message(
      1,
      node({
        op: 'Cast',
        inputs: ['product'],
        outputs: ['whole'],
        attributes: [attribute('to', INT64)],
      }),
    )
    .message(1, node({ op: 'Reshape', inputs: ['whole', 'one'], outputs: ['amount'] }))
  nodes(graph)
    .message(1, node({ op: 'Reshape', inputs: ['value', 'row'], outputs: ['logits'] }))
    .text(2, 'greedy')
    .message(5, floats('most', most))
    .message(5, vectorOfOne('one'))
    .message(5, row('row'))
    .message(11, port('image', FLOAT, [1, SIDE, SIDE, 1]))
    .message(12, port('logits', FLOAT, [1, 1]))
  return message().int(1, 8).message(7, graph).message(8, message().text(1, '').int(2, 17)).finish()
}

/** Loops for longer than any test. */
export function endlessModel(): Uint8Array {
  const body = message()
    .message(1, node({ op: 'Identity', inputs: ['going'], outputs: ['goes'] }))
    .message(1, node({ op: 'Add', inputs: ['sum', 'tiny'], outputs: ['next'] }))
    .text(2, 'body')
    .message(5, floats('tiny', 1e-9))
    .message(11, port('i', INT64, []))
    .message(11, port('going', BOOL, []))
    .message(11, port('sum', FLOAT, [1]))
    .message(12, port('goes', BOOL, []))
    .message(12, port('next', FLOAT, [1]))
  return model(1e15, (graph) =>
    graph
      .message(5, scalar('yes', BOOL, 1))
      .message(5, floats('zero', 0))
      .message(
        1,
        node({
          op: 'Loop',
          inputs: ['amount', 'yes', 'zero'],
          outputs: ['value'],
          attributes: [graphAttribute('body', body)],
        }),
      ),
  )
}

/** Fills so many bytes, several times over, so that they are held for a while. */
export function hungryModel(bytes: number): Uint8Array {
  const steps = ['Exp', 'Sin', 'Exp', 'Cos', 'Exp', 'Sin']
  return model(bytes / 4, (graph) => {
    graph.message(1, node({ op: 'Max', inputs: ['amount', 'one'], outputs: ['length'] }))
    graph.message(1, node({ op: 'ConstantOfShape', inputs: ['length'], outputs: ['v0'] }))
    for (const [i, op] of steps.entries()) {
      graph.message(1, node({ op, inputs: [`v${i}`], outputs: [`v${i + 1}`] }))
    }
    return graph.message(
      1,
      node({
        op: 'ReduceMean',
        inputs: [`v${steps.length}`],
        outputs: ['value'],
        attributes: [attribute('keepdims', 0)],
      }),
    )
  })
}
