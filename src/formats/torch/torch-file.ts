// A PyTorch file as torch.save writes it since version 1.6: a zip with one pickle and a file for each storage of numbers.
// Everything in it is checked against everything else before a number is read.
import { stat } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { type Entry, openPromise, type ZipFile } from 'yauzl'
import { AppError } from '../../errors.ts'
import {
  NUMBER_BYTES,
  shownName,
  sizeOf,
  type TensorInfo,
  type TensorSource,
  toFloat32,
} from '../tensor-source.ts'
import { readPickle } from './torch-pickle.ts'
import { PickledTensor, type PickleValue } from './torch-values.ts'
import { pickleOf } from './torch-zip.ts'

const MIB = 1024 * 1024
const MAX_ENTRIES = 20_000
const MAX_PICKLE_BYTES = 32 * MIB
const MAX_TOTAL_BYTES = 8192 * MIB
/** torch.save does not compress; whoever packed it again with zip stays far below. */
const MAX_RATIO = 20
/** Where checkpoints keep the weights, beside optimizer and epoch. */
const KEYS = ['state_dict', 'model_state_dict', 'model', 'net', 'network', 'weights', 'params']

/** Opens it for as long as `use` takes. @throws AppError `invalid-package` in one sentence; nothing in it is executed */
export async function withTorchFile<T>(
  path: string,
  use: (source: TensorSource) => Promise<T>,
): Promise<T> {
  const zip = await openPromise(path, { autoClose: false, strictFileNames: false }).catch(notZip)
  try {
    return await use(await openArchive(zip, (await stat(path)).size))
  } finally {
    zip.close()
  }
}

async function openArchive(zip: ZipFile, zipBytes: number): Promise<TensorSource> {
  const entries = await readEntries(zip, zipBytes)
  const pickle = pickleOf(entries.keys())
  if (pickle === undefined) {
    throw invalid('This zip file is no PyTorch file: there is no data.pkl in it.')
  }
  const top = pickle.slice(0, -'data.pkl'.length)
  if (entries.has(`${top}constants.pkl`)) {
    throw invalid(
      'This is a TorchScript program and not a file of weights; save torch.save(model.state_dict(), …) or export the model to ONNX.',
    )
  }
  const content = (name: string) => readEntry(zip, entries.get(name))
  if (entries.has(`${top}byteorder`)) {
    const order = (await content(`${top}byteorder`)).toString('latin1').trim()
    if (order !== 'little') throw invalid('The PyTorch file was written on a big-endian machine.')
  }
  if ((entries.get(pickle)?.uncompressedSize ?? 0) > MAX_PICKLE_BYTES) {
    throw invalid('The PyTorch file describes more than a network does (data.pkl is too large).')
  }
  const pickled = stateDict(readPickle(await content(pickle)))
  const tensors = new Map<string, TensorInfo>()
  for (const [name, tensor] of pickled) {
    checkTensor(name, { tensor, entry: entries.get(`${top}data/${tensor.storage.key}`) })
    tensors.set(name, { shape: tensor.shape, type: tensor.storage.type })
  }
  const read = async (name: string): Promise<Float32Array> => {
    const tensor = pickled.get(name)
    if (!tensor) throw damaged(new Error(`no tensor ${name}`))
    const { storage } = tensor
    const bytes = await content(`${top}data/${storage.key}`)
    return valuesOf(tensor, toFloat32(storage.type, bytes))
  }
  return { tensors, read }
}

async function readEntries(zip: ZipFile, zipBytes: number): Promise<Map<string, Entry>> {
  if (zip.entryCount > MAX_ENTRIES) throw invalid('The PyTorch file has too many parts.')
  const entries = new Map<string, Entry>()
  let [packed, unpacked] = [0, 0]
  try {
    for await (const entry of zip.eachEntry()) {
      if (entries.has(entry.fileName)) throw new Error(`${entry.fileName} twice`)
      if (entry.isEncrypted() || !entry.canDecodeFileData()) throw new Error('encrypted')
      entries.set(entry.fileName, entry)
      packed += entry.compressedSize
      unpacked += entry.uncompressedSize
    }
  } catch (cause) {
    throw damaged(cause)
  }
  if (packed > zipBytes || unpacked > MAX_TOTAL_BYTES || unpacked > MAX_RATIO * zipBytes + MIB) {
    throw invalid('The PyTorch file unpacks to far more than is plausible, and was rejected.')
  }
  return entries
}

async function readEntry(zip: ZipFile, entry: Entry | undefined): Promise<Buffer> {
  if (!entry) throw damaged(new Error('a part is missing'))
  try {
    // yauzl ends the stream with an error when the bytes are more or fewer than the entry says.
    return await buffer(await zip.openReadStreamPromise(entry))
  } catch (cause) {
    throw damaged(cause)
  }
}

/** The dict of tensors itself, or the one in a checkpoint. */
function stateDict(value: PickleValue): Map<string, PickledTensor> {
  const own = tensorsOf(value)
  if (own.size > 0) return own
  if (value instanceof Map) {
    for (const key of KEYS) {
      const found = tensorsOf(value.get(key))
      if (found.size > 0) return found
    }
  }
  throw invalid(
    'The PyTorch file holds no dictionary of weights; save it with torch.save(model.state_dict(), …).',
  )
}

function tensorsOf(value: PickleValue | undefined): Map<string, PickledTensor> {
  const found = new Map<string, PickledTensor>()
  if (!(value instanceof Map)) return found
  for (const [name, tensor] of value) {
    if (typeof name === 'string' && tensor instanceof PickledTensor) found.set(name, tensor)
  }
  return found
}

/** Within its storage, and the storage within its file. */
function checkTensor(
  name: string,
  { tensor, entry }: { readonly tensor: PickledTensor; readonly entry: Entry | undefined },
): void {
  const { storage, offset, shape, strides } = tensor
  const size = sizeOf(shape, name)
  const last = shape.reduce((at, n, axis) => at + (n - 1) * (strides[axis] ?? 0), offset)
  const isInside = size === 0 || last < storage.numbers
  const isWhole = entry?.uncompressedSize === storage.numbers * NUMBER_BYTES[storage.type]
  // A stride of zero repeats numbers: a storage of one could pretend to be a tensor of any size.
  if (isInside && isWhole && strides.length === shape.length && size <= storage.numbers) return
  throw new AppError(
    'invalid-package',
    `The weight "${shownName(name)}" of the PyTorch file reaches beyond the numbers that are stored for it; the file is damaged.`,
  )
}

/** Row-major, whatever the strides are. */
function valuesOf({ offset, shape, strides }: PickledTensor, numbers: Float32Array): Float32Array {
  const size = shape.reduce((product, n) => product * n, 1)
  if (isRowMajor(shape, strides)) return numbers.subarray(offset, offset + size)
  const values = new Float32Array(size)
  const place = new Array<number>(shape.length).fill(0)
  let from = offset
  for (let i = 0; i < size; i++) {
    values[i] = numbers[from] ?? 0
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const stride = strides[axis] ?? 0
      place[axis] = (place[axis] ?? 0) + 1
      from += stride
      if ((place[axis] ?? 0) < (shape[axis] ?? 0)) break
      from -= stride * (shape[axis] ?? 0)
      place[axis] = 0
    }
  }
  return values
}

function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  let step = 1
  return shape.every((_, i) => {
    const axis = shape.length - 1 - i
    const isStep = shape[axis] === 1 || strides[axis] === step
    step *= shape[axis] ?? 1
    return isStep
  })
}

function notZip(cause: unknown): never {
  throw damaged(cause)
}

function damaged(cause: unknown): AppError {
  return new AppError(
    'invalid-package',
    'The PyTorch file is cut off or damaged; copy or save it again.',
    { cause },
  )
}

function invalid(message: string): AppError {
  return new AppError('invalid-package', message)
}
