// From the value of a PyTorch file's pickle to its tensors: the dict of weights is found, each is checked against the numbers
// that are stored, and read row by row whatever its strides are.
import { AppError } from '../../errors.ts'
import {
  NUMBER_BYTES,
  shownName,
  sizeOf,
  type TensorInfo,
  type TensorSource,
} from '../tensor-source.ts'
import { type PickledStorage, PickledTensor, type PickleValue } from './torch-values.ts'

/** Where checkpoints keep the weights, beside optimizer and epoch. */
const KEYS = ['state_dict', 'model_state_dict', 'model', 'net', 'network', 'weights', 'params']

export interface Storages {
  /** Of a storage; undefined where there is none. */
  readonly bytesOf: (key: string) => number | undefined
  readonly read: (storage: PickledStorage) => Promise<Float32Array>
}

/** @throws AppError `invalid-package`: no weights, or some that are not there */
export function tensorSource(value: PickleValue, { bytesOf, read }: Storages): TensorSource {
  const pickled = stateDict(value)
  const tensors = new Map<string, TensorInfo>()
  for (const [name, tensor] of pickled) {
    checkTensor(name, { tensor, bytes: bytesOf(tensor.storage.key) })
    tensors.set(name, { shape: tensor.shape, type: tensor.storage.type })
  }
  return {
    tensors,
    read: async (name) => {
      const tensor = pickled.get(name)
      if (!tensor) throw damaged(new Error(`no tensor ${name}`))
      return valuesOf(tensor, await read(tensor.storage))
    },
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
  throw new AppError(
    'invalid-package',
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
  { tensor, bytes }: { readonly tensor: PickledTensor; readonly bytes: number | undefined },
): void {
  const { storage, offset, shape, strides } = tensor
  const size = sizeOf(shape, name)
  const last = shape.reduce((at, n, axis) => at + (n - 1) * (strides[axis] ?? 0), offset)
  const isInside = size === 0 || last < storage.numbers
  const isWhole = bytes === storage.numbers * NUMBER_BYTES[storage.type]
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

export function damaged(cause: unknown): AppError {
  return new AppError(
    'invalid-package',
    'The PyTorch file is cut off or damaged; copy or save it again.',
    { cause },
  )
}
