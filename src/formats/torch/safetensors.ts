// Safetensors: eight bytes of length, a header of JSON, the numbers one after the other. Read here without trusting it, and
// written for the store of weights. https://huggingface.co/docs/safetensors
import { type FileHandle, open } from 'node:fs/promises'
import { z } from 'zod'
import { AppError } from '../../errors.ts'
import {
  NUMBER_BYTES,
  type NumberType,
  shownName,
  sizeOf,
  type TensorInfo,
  type TensorSource,
  toFloat32,
} from '../tensor-source.ts'

const MAX_HEADER_BYTES = 32 * 1024 * 1024
const LENGTH_BYTES = 8
/** Later formats know more; nothing that is read here uses those. */
const TYPES: Readonly<Record<string, NumberType>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  I64: 'int64',
  I32: 'int32',
  I16: 'int16',
  I8: 'int8',
  U8: 'uint8',
  BOOL: 'bool',
}

const EntrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.number()),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
})

interface Stored extends TensorInfo {
  /** In the file. */
  readonly from: number
  readonly bytes: number
}

/** Opens it for as long as `use` takes. @throws AppError `invalid-package` in one sentence */
export async function withSafetensors<T>(
  path: string,
  use: (source: TensorSource) => Promise<T>,
): Promise<T> {
  const file = await open(path, 'r')
  try {
    const tensors = await readHeader(file)
    const read = async (name: string): Promise<Float32Array> => {
      const stored = tensors.get(name)
      if (!stored) throw damaged(new Error(`no tensor ${name}`))
      const { from, bytes, type } = stored
      return toFloat32(type, await readExactly(file, from, bytes))
    }
    return await use({ tensors, read })
  } finally {
    await file.close()
  }
}

async function readHeader(file: FileHandle): Promise<Map<string, Stored>> {
  const { size } = await file.stat()
  if (size < LENGTH_BYTES) throw damaged(new Error('no header'))
  const length = Number((await readExactly(file, 0, LENGTH_BYTES)).readBigUInt64LE())
  if (length > MAX_HEADER_BYTES || LENGTH_BYTES + length > size) {
    throw damaged(new Error(`a header of ${length} bytes`))
  }
  const start = LENGTH_BYTES + length
  const header = parseHeader(await readExactly(file, LENGTH_BYTES, length))
  const tensors = new Map<string, Stored>()
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue
    tensors.set(name, storedAt(name, { entry, start, end: size }))
  }
  refuseOverlap(tensors)
  return tensors
}

function parseHeader(bytes: Buffer): Record<string, unknown> {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(bytes.toString('utf8')))
  } catch (cause) {
    throw damaged(cause)
  }
}

function storedAt(
  name: string,
  { entry, start, end }: { readonly entry: unknown; readonly start: number; readonly end: number },
): Stored {
  const parsed = EntrySchema.safeParse(entry)
  if (!parsed.success) throw damaged(parsed.error)
  const { dtype, shape, data_offsets: offsets } = parsed.data
  const type = Object.hasOwn(TYPES, dtype) ? TYPES[dtype] : undefined
  if (!type) {
    throw new AppError(
      'invalid-package',
      `The weight "${shownName(name)}" is stored as ${shownName(dtype)}, which is not supported; save it as 32-bit floats.`,
    )
  }
  const bytes = sizeOf(shape, name) * NUMBER_BYTES[type]
  const [from, to] = offsets
  if (to - from !== bytes || start + to > end) {
    throw damaged(new Error(`${name}: ${from} to ${to}, ${bytes} bytes`))
  }
  return { shape, type, from: start + from, bytes }
}

/** The format allows none; a few bytes could pretend to be many tensors. */
function refuseOverlap(tensors: ReadonlyMap<string, Stored>): void {
  let reached = 0
  for (const { from, bytes } of [...tensors.values()].sort((a, b) => a.from - b.from)) {
    if (bytes > 0 && from < reached) throw damaged(new Error('tensors overlap'))
    reached = Math.max(reached, from + bytes)
  }
}

async function readExactly(file: FileHandle, from: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, from + filled)
    if (bytesRead === 0) throw damaged(new Error('the file ends early'))
    filled += bytesRead
  }
  return buffer
}

function damaged(cause: unknown): AppError {
  return new AppError(
    'invalid-package',
    'The safetensors file is cut off or damaged; copy or save it again.',
    { cause },
  )
}

export interface WrittenTensor {
  readonly name: string
  readonly shape: readonly number[]
}

/** Writes 32-bit floats; `valuesOf` is asked for one tensor after the other. The file must not be there. */
export async function writeSafetensors(
  path: string,
  o: {
    readonly tensors: readonly WrittenTensor[]
    readonly valuesOf: (name: string) => Promise<Float32Array>
  },
): Promise<void> {
  const header: Record<string, unknown> = {}
  let offset = 0
  for (const { name, shape } of o.tensors) {
    const bytes = sizeOf(shape, name) * 4
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + bytes] }
    offset += bytes
  }
  const text = JSON.stringify(header)
  // Readers that map the file want the numbers to begin at a multiple of eight.
  const json = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8, ' '), 'latin1')
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeBigUInt64LE(BigInt(json.length))
  const file = await open(path, 'wx', 0o644)
  try {
    await file.appendFile(Buffer.concat([length, json]))
    for (const { name } of o.tensors) {
      const { buffer, byteOffset, byteLength } = await o.valuesOf(name)
      await file.appendFile(new Uint8Array(buffer, byteOffset, byteLength))
    }
    await file.sync()
  } finally {
    await file.close()
  }
}
