// Hostile ONNX files for tests: each takes its scores from another file, named in a place where few look for it.
import type { MessageWriter } from '../../src/engine/onnx/protobuf.ts'
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
  TENSOR,
  UINT8,
} from './onnx-messages.ts'

interface Made {
  /** Relative to the working folder of whoever loads it. */
  readonly location: string
  /** Scores, and bytes of the file. */
  readonly count: number
  /** Input side: [1, side, side, 1]. */
  readonly side: number
}

/** @param place 1 is EXTERNAL */
function external(
  { location, count }: Made,
  name: string,
  place: number | bigint = 1,
): MessageWriter {
  const entry = (key: string, value: string) => message().text(1, key).text(2, value)
  return message()
    .int(1, count)
    .int(2, UINT8)
    .text(8, name)
    .message(13, entry('location', location))
    .message(13, entry('offset', '0'))
    .message(13, entry('length', String(count)))
    .int(14, place)
}

const cast = (from: string, to: string) =>
  node({
    op: 'Cast',
    inputs: [from],
    outputs: [to],
    attributes: [message().text(1, 'to').int(3, FLOAT).int(20, INT)],
  })
const reshape = node({ op: 'Reshape', inputs: ['floats', 'row'], outputs: ['logits'] })

function rowShape(count: number): MessageWriter {
  const raw = Buffer.alloc(16)
  raw.writeBigInt64LE(1n, 0)
  raw.writeBigInt64LE(BigInt(count), 8)
  return message().int(1, 2).int(2, INT64).text(8, 'row').bytes(9, raw)
}

function graph(made: Made, parts: (graph: MessageWriter) => MessageWriter): MessageWriter {
  return parts(message().text(2, 'g'))
    .message(1, reshape)
    .message(5, rowShape(made.count))
    .message(11, port('image', FLOAT, [1, made.side, made.side, 1]))
    .message(12, port('logits', FLOAT, [1, made.count]))
}

function model(main: MessageWriter, more = message()): Uint8Array {
  const whole = message()
    .int(1, 8)
    .message(7, main)
    .message(8, message().text(1, '').int(2, 17))
    .message(8, message().text(1, 'local').int(2, 1))
    .finish()
  return Buffer.concat([whole, more.finish()])
}

/** A branch that gives what the file holds. */
function branch(made: Made, name: string): MessageWriter {
  return message()
    .message(1, cast('stolen', 'given'))
    .text(2, name)
    .message(5, external(made, 'stolen'))
    .message(12, port('given', FLOAT, [made.count]))
}

/** One model for each place that can hold a tensor. Bare ONNX Runtime answers with the file's bytes for each but the last. */
export const EXTERNAL_MODELS: Readonly<Record<string, (made: Made) => Uint8Array>> = {
  'an initializer': (made) =>
    model(
      graph(made, (g) =>
        g.message(1, cast('stolen', 'floats')).message(5, external(made, 'stolen')),
      ),
    ),
  'the branch of an If': (made) =>
    model(
      graph(made, (g) =>
        g.message(5, scalar('yes', BOOL, 1)).message(
          1,
          node({
            op: 'If',
            inputs: ['yes'],
            outputs: ['floats'],
            attributes: [
              graphAttribute('then_branch', branch(made, 't')),
              graphAttribute('else_branch', branch(made, 'e')),
            ],
          }),
        ),
      ),
    ),
  'the body of a Loop': (made) => {
    const body = message()
      .message(1, node({ op: 'Identity', inputs: ['going'], outputs: ['goes'] }))
      .message(1, cast('stolen', 'given'))
      .text(2, 'body')
      .message(5, external(made, 'stolen'))
      .message(11, port('i', INT64, []))
      .message(11, port('going', BOOL, []))
      .message(12, port('goes', BOOL, []))
      .message(12, port('given', FLOAT, [made.count]))
    const loop = node({
      op: 'Loop',
      inputs: ['once', 'yes'],
      outputs: ['floats'],
      attributes: [graphAttribute('body', body)],
    })
    return model(
      graph(made, (g) =>
        g
          .message(5, scalar('once', INT64, 1))
          .message(5, scalar('yes', BOOL, 1))
          .message(1, loop),
      ),
    )
  },
  'the body of a function': (made) => {
    const constant = node({
      op: 'Constant',
      outputs: ['stolen'],
      attributes: [message().text(1, 'value').message(5, external(made, '')).int(20, TENSOR)],
    })
    const steal = message()
      .text(1, 'Steal')
      .text(5, 'given')
      .message(7, constant)
      .message(7, cast('stolen', 'given'))
      .message(9, message().text(1, '').int(2, 17))
      .text(10, 'local')
    return model(
      graph(made, (g) => g.message(1, node({ op: 'Steal', outputs: ['floats'], domain: 'local' }))),
      message().message(25, steal),
    )
  },
  'a Constant': (made) =>
    model(
      graph(made, (g) =>
        g
          .message(
            1,
            node({
              op: 'Constant',
              outputs: ['stolen'],
              attributes: [
                message().text(1, 'value').message(5, external(made, '')).int(20, TENSOR),
              ],
            }),
          )
          .message(1, cast('stolen', 'floats')),
      ),
    ),
  'a sparse initializer': (made) => {
    const indices = Buffer.alloc(8 * made.count)
    for (let i = 0; i < made.count; i++) indices.writeBigInt64LE(BigInt(i), 8 * i)
    const sparse = message()
      .message(1, external(made, 'stolen'))
      .message(2, message().int(1, made.count).int(2, INT64).bytes(9, indices))
      .int(3, made.count)
    return model(graph(made, (g) => g.message(15, sparse).message(1, cast('stolen', 'floats'))))
  },
  'a graph that is there twice': (made) =>
    Buffer.concat([
      model(graph(made, (g) => g.message(1, cast('stolen', 'floats')))),
      message()
        .message(7, message().message(5, external(made, 'stolen')))
        .finish(),
    ]),
  'a place that is cut to 32 bits': (made) =>
    model(
      graph(made, (g) =>
        g.message(1, cast('stolen', 'floats')).message(5, external(made, 'stolen', 2n ** 32n + 1n)),
      ),
    ),
  'a training graph': (made) =>
    model(
      graph(made, (g) =>
        g.message(
          5,
          message()
            .int(1, made.count)
            .int(2, FLOAT)
            .text(8, 'floats')
            .bytes(9, Buffer.alloc(4 * made.count)),
        ),
      ),
      message().message(20, message().message(2, message().message(5, external(made, 'stolen')))),
    ),
}
