// ONNX files with their weights in other files beside them: read into the one file that is served and hashed.
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { MessageWriter } from '../../engine/onnx/protobuf.ts'
import { AppError } from '../../errors.ts'
import { replaceInitializers } from './amend-graph.ts'
import { GRAPH, MODEL, TENSOR } from './model-proto.ts'
import { type Field, fields, textOf } from './wire.ts'

const EXTERNAL = 1
/** A file of protocol buffers ends at 2 GiB. */
const MAX_BYTES = 1536 * 1024 * 1024
/** A link is not followed: it could lead out of the folder. */
const READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)

interface Place {
  readonly file: string
  readonly offset: number
  /** To the end of the file when not given. */
  readonly length: number | undefined
}

/** @throws Error when the bytes are no whole model */
export function hasExternalData(onnx: Uint8Array): boolean {
  return externalTensors(onnx).length > 0
}

/**
 * @param folder where the other files are; undefined when only the one file was sent
 * @throws AppError `invalid-package`: files that are missing, too short, too large or outside of the folder
 */
export async function withExternalData(
  onnx: Uint8Array,
  folder: string | undefined,
): Promise<Uint8Array> {
  const tensors = externalTensors(onnx)
  if (tensors.length === 0) return onnx
  if (folder === undefined) {
    throw new AppError(
      'invalid-package',
      'The weights of this ONNX model are in another file; send both in one zip, or a folder.',
    )
  }
  const contents: Uint8Array[] = []
  let total = onnx.length
  for (const tensor of tensors) {
    const content = await readPlace(folder, placeOf(tensor), MAX_BYTES - total)
    total += content.length
    contents.push(content)
  }
  let next = 0
  return replaceInitializers(onnx, (message) =>
    isExternal(fields(message)) ? inlined(fields(message), contents[next++]) : undefined,
  )
}

function externalTensors(onnx: Uint8Array): readonly (readonly Field[])[] {
  const graph = fields(onnx).find(({ number }) => number === MODEL.graph)
  return fields(graph?.bytes ?? new Uint8Array())
    .filter(({ number }) => number === GRAPH.initializer)
    .map(({ bytes }) => fields(bytes))
    .filter(isExternal)
}

function isExternal(tensor: readonly Field[]): boolean {
  return tensor.some(({ number, value }) => number === TENSOR.location && value === EXTERNAL)
}

function placeOf(tensor: readonly Field[]): Place {
  const entries = new Map(
    tensor
      .filter(({ number }) => number === TENSOR.external)
      .map(({ bytes }) => fields(bytes))
      .map((entry) => [textOf(entry, 1), textOf(entry, 2)]),
  )
  const file = entries.get('location') ?? ''
  const number = (name: string): number | undefined => {
    const text = entries.get(name)
    if (text === undefined) return undefined
    const value = Number(text)
    if (Number.isSafeInteger(value) && value >= 0) return value
    throw new AppError('invalid-package', 'The ONNX file does not say where its weights are.')
  }
  const isSafe = /^[\w][\w .()@+-]*(\/[\w][\w .()@+-]*)*$/.test(file) && file.length <= 255
  if (!isSafe) {
    throw new AppError(
      'invalid-package',
      'The ONNX file asks for weights outside of its own folder, which is refused.',
    )
  }
  return { file, offset: number('offset') ?? 0, length: number('length') }
}

async function readPlace(folder: string, place: Place, most: number): Promise<Uint8Array> {
  const shown = place.file.slice(0, 80)
  const handle = await open(join(folder, place.file), READ).catch((cause: unknown) => {
    throw new AppError('invalid-package', `The weight file "${shown}" is not there.`, { cause })
  })
  try {
    const { size } = await handle.stat()
    const length = place.length ?? size - place.offset
    if (length > most) {
      throw new AppError(
        'invalid-package',
        'The weights of this ONNX model are larger than 1.5 GiB.',
      )
    }
    if (length < 0 || place.offset + length > size) {
      throw new AppError('invalid-package', `The weight file "${shown}" is too short.`)
    }
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, place.offset)
    return buffer
  } finally {
    await handle.close()
  }
}

/** The same tensor with its numbers in itself. */
function inlined(tensor: readonly Field[], content: Uint8Array | undefined): Uint8Array {
  const kept = tensor
    .filter(({ number }) => number !== TENSOR.external && number !== TENSOR.location)
    .map(({ whole }) => whole)
  const raw = new MessageWriter().bytes(TENSOR.raw, content ?? new Uint8Array()).finish()
  return Buffer.concat([...kept, raw])
}
