// Whether an ONNX file takes numbers from other files, wherever in it: ONNX Runtime would open them by itself, against the
// process's working folder, so a model could read any file that the process may. Every session is made behind this.
// Knows the messages of onnx.proto3 that can hold a tensor, and nothing of what a model computes.

/** What a length-delimited field of a message is, by its number; all others hold no tensor. */
const MESSAGES = {
  model: { 7: 'graph', 20: 'training', 25: 'function' },
  training: { 1: 'graph', 2: 'graph' },
  function: { 7: 'node', 11: 'attribute' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  node: { 5: 'attribute' },
  attribute: {
    5: 'tensor',
    6: 'graph',
    10: 'tensor',
    11: 'graph',
    22: 'sparse',
    23: 'sparse',
  },
  sparse: { 1: 'tensor', 2: 'tensor' },
  tensor: {},
} as const satisfies Record<string, Readonly<Record<number, string>>>
type Kind = keyof typeof MESSAGES

/** TensorProto.external_data and TensorProto.data_location. */
const EXTERNAL_DATA = 13
const DATA_LOCATION = 14

const VARINT = 0
const LENGTHS: Readonly<Record<number, number>> = { 1: 8, 5: 4 }
const DELIMITED = 2
/** Protocol buffers' own limit of nesting. */
const MAX_DEPTH = 100
/** A key is 32 bits; what is longer is cut by some readers, and would be another field for them than for this one. */
const MAX_KEY = 2 ** 32 - 1
const MAX_LENGTH = 2 ** 31 - 1

/**
 * Looks through the whole file, repeated fields and unknown ones included. Whatever another reader could understand in
 * another way (groups, keys of more than 32 bits, nesting beyond 100) is taken for damage.
 * @returns where the first such tensor is, as `graph.node.attribute.graph.tensor`; undefined when all is in the file
 * @throws Error when the bytes are no whole message
 */
export function findExternalData(onnx: Uint8Array): string | undefined {
  return searched(onnx, { kind: 'model', path: [] })
}

interface Place {
  readonly kind: Kind
  readonly path: readonly Kind[]
}

function searched(bytes: Uint8Array, { kind, path }: Place): string | undefined {
  if (path.length > MAX_DEPTH) throw new Error('nested too deeply')
  const inside: Readonly<Record<number, Kind>> = MESSAGES[kind]
  let at = 0
  const varint = (max: number): number => {
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at++]
      if (byte === undefined) throw new Error('ends within a number')
      value += (byte & 0x7f) * 2 ** shift
      if (value > max) throw new Error('a number is too large')
      if (byte < 0x80) return value
    }
    throw new Error('a number is too long')
  }
  while (at < bytes.length) {
    const key = varint(MAX_KEY)
    const number = Math.floor(key / 8)
    const wire = key % 8
    if (number === 0) throw new Error('field number 0')
    if (wire === VARINT) {
      const value = varint(Number.POSITIVE_INFINITY)
      if (kind === 'tensor' && number === DATA_LOCATION && value !== 0) return path.join('.')
      if (kind === 'tensor' && number === EXTERNAL_DATA) return path.join('.')
      continue
    }
    const length = wire === DELIMITED ? varint(MAX_LENGTH) : LENGTHS[wire]
    if (length === undefined) throw new Error(`wire type ${wire}`)
    if (at + length > bytes.length) throw new Error('ends within a field')
    if (kind === 'tensor' && (number === EXTERNAL_DATA || number === DATA_LOCATION)) {
      return path.join('.')
    }
    const next = wire === DELIMITED ? inside[number] : undefined
    if (next !== undefined) {
      const content = bytes.subarray(at, at + length)
      const found = searched(content, { kind: next, path: [...path, next] })
      if (found !== undefined) return found
    }
    at += length
  }
  return undefined
}

/** One sentence for a person; `place` as `findExternalData` gives it. */
export function externalDataSentence(place: string): string {
  const where = place.startsWith('function')
    ? 'a function'
    : place.includes('sparse')
      ? 'a sparse tensor'
      : place.includes('attribute.graph')
        ? 'a branch or loop'
        : place.includes('attribute')
          ? 'a constant'
          : 'its constants'
  return `The ONNX file takes numbers of ${where} from another file, which is refused; export it with all its numbers inside.`
}
