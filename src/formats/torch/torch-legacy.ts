// A PyTorch file as torch.save wrote it before version 1.6: pickles one after the other (a magic number, a protocol, the system,
// the object, the keys of its storages), then each storage as its length and its numbers.
import { readFile } from 'node:fs/promises'
import { AppError } from '../../errors.ts'
import { NUMBER_BYTES, type TensorSource, toFloat32 } from '../tensor-source.ts'
import { readPickles } from './torch-pickle.ts'
import { damaged, tensorSource } from './torch-tensors.ts'
import { PickledStorage, PickledTensor, type PickleValue } from './torch-values.ts'

/** The pickle of the magic number, which a file begins with; longer than any integer that a state dict holds. */
const MAGIC_BYTES = 15
const PROTOCOL = 1001
const MAX_BYTES = 2 ** 31

/** @throws AppError `invalid-package` in one sentence; nothing in it is executed */
export async function withLegacyTorchFile<T>(
  path: string,
  use: (source: TensorSource) => Promise<T>,
): Promise<T> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw damaged(cause)
  })
  if (bytes.length > MAX_BYTES) {
    throw new AppError('invalid-package', 'The PyTorch file is larger than 2 GiB.')
  }
  const { values, end } = readPickles(bytes, { from: MAGIC_BYTES, count: 4 })
  const [protocol, system, object, keys] = values
  if (protocol !== PROTOCOL) throw damaged(new Error(`protocol ${String(protocol)}`))
  if (system instanceof Map && system.get('little_endian') === false) {
    throw new AppError('invalid-package', 'The PyTorch file was written on a big-endian machine.')
  }
  const types = storagesIn(object ?? null)
  const storages = new Map<string, Uint8Array>()
  let at = end
  for (const key of Array.isArray(keys) ? keys : []) {
    const storage = types.get(String(key))
    if (!storage || at + 8 > bytes.length) throw damaged(new Error(`storage ${String(key)}`))
    const length = Number(bytes.readBigUInt64LE(at)) * NUMBER_BYTES[storage.type]
    at += 8
    if (!(at + length <= bytes.length)) throw damaged(new Error('a storage is cut off'))
    storages.set(String(key), bytes.subarray(at, at + length))
    at += length
  }
  const source = tensorSource(object ?? null, {
    bytesOf: (key) => storages.get(key)?.length,
    read: async ({ key, type }) => toFloat32(type, storages.get(key) ?? new Uint8Array()),
  })
  return use(source)
}

/** Storages that any tensor below looks into, by their keys. */
function storagesIn(value: PickleValue, found = new Map<string, PickledStorage>()) {
  const waiting: PickleValue[] = [value]
  const seen = new Set<PickleValue>()
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next !== 'object' || seen.has(next)) continue
    seen.add(next)
    if (next instanceof PickledTensor) found.set(next.storage.key, next.storage)
    else if (next instanceof PickledStorage) found.set(next.key, next)
    else if (next instanceof Map) waiting.push(...next.values())
    else if (Array.isArray(next)) waiting.push(...next)
  }
  return found
}
