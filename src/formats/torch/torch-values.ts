// What a PyTorch pickle may hold: plain values, tensors and the storages that they look into. The list of Python names that
// stand for them is the whole list of what is understood; see torch-pickle.ts.
import type { NumberType } from '../tensor-source.ts'

export class PickledGlobal {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** Numbers in a file of their own in the archive. */
export class PickledStorage {
  readonly type: NumberType
  readonly key: string
  readonly numbers: number
  constructor(type: NumberType, o: { readonly key: string; readonly numbers: number }) {
    this.type = type
    this.key = o.key
    this.numbers = o.numbers
  }
}

/** A view of a storage; offset and strides count numbers, not bytes. Not checked yet. */
export class PickledTensor {
  readonly storage: PickledStorage
  readonly offset: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]
  constructor(
    storage: PickledStorage,
    o: {
      readonly offset: number
      readonly shape: readonly number[]
      readonly strides: readonly number[]
    },
  ) {
    this.storage = storage
    this.offset = o.offset
    this.shape = o.shape
    this.strides = o.strides
  }
}

export type PickleValue =
  | null
  | boolean
  | number
  | string
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | PickledGlobal
  | PickledStorage
  | PickledTensor

const STORAGES: Readonly<Record<string, NumberType>> = {
  'torch.DoubleStorage': 'float64',
  'torch.FloatStorage': 'float32',
  'torch.HalfStorage': 'float16',
  'torch.BFloat16Storage': 'bfloat16',
  'torch.LongStorage': 'int64',
  'torch.IntStorage': 'int32',
  'torch.ShortStorage': 'int16',
  'torch.CharStorage': 'int8',
  'torch.ByteStorage': 'uint8',
  'torch.BoolStorage': 'bool',
}
const ORDERED_DICT = 'collections.OrderedDict'
const SIZE = 'torch.Size'
const TENSOR = 'torch._utils._rebuild_tensor_v2'
const PARAMETER = 'torch._utils._rebuild_parameter'
const CONSTRUCTORS: readonly string[] = [ORDERED_DICT, SIZE, TENSOR, PARAMETER]

export function isAllowed(name: string): boolean {
  return Object.hasOwn(STORAGES, name) || CONSTRUCTORS.includes(name)
}

/** What one of the allowed constructors makes; none is called, for none is there. @throws Error */
export function constructed(callable: PickleValue, args: readonly PickleValue[]): PickleValue {
  if (!(callable instanceof PickledGlobal)) throw new Error('a call of what is no function')
  const [first] = args
  switch (callable.name) {
    case ORDERED_DICT:
      return orderedDict(first)
    case SIZE:
      return Array.isArray(first) ? first : []
    case TENSOR:
      return tensor(args)
    case PARAMETER:
      if (first instanceof PickledTensor) return first
      throw new Error('a parameter that is no tensor')
    default:
      throw new Error(`${callable.name} is no constructor`)
  }
}

function orderedDict(pairs: PickleValue | undefined): Map<PickleValue, PickleValue> {
  const dict = new Map<PickleValue, PickleValue>()
  for (const pair of Array.isArray(pairs) ? pairs : []) {
    if (!Array.isArray(pair) || pair.length !== 2) throw new Error('a pair that is none')
    dict.set(pair[0] as PickleValue, pair[1] as PickleValue)
  }
  return dict
}

/** (storage, offset, size, stride, requires_grad, hooks, …) */
function tensor([storage, offset, shape, strides]: readonly PickleValue[]): PickledTensor {
  if (!(storage instanceof PickledStorage)) throw new Error('a tensor without a storage')
  return new PickledTensor(storage, {
    offset: wholeNumber(offset),
    shape: wholeNumbers(shape),
    strides: wholeNumbers(strides),
  })
}

/** ("storage", type, key, device, numbers) */
export function persistentStorage(id: PickleValue): PickledStorage {
  const [word, type, key, , numbers, part = null] = Array.isArray(id) ? id : []
  const isKnown = type instanceof PickledGlobal && Object.hasOwn(STORAGES, type.name)
  const stored = isKnown ? STORAGES[type.name] : undefined
  // A sixth, of files from before version 1.6, makes a view of another storage.
  const isWhole = word === 'storage' && part === null
  if (!isWhole || !stored || typeof key !== 'string') throw new Error('no storage')
  return new PickledStorage(stored, { key, numbers: wholeNumber(numbers) })
}

/** State of a dict is its version; what else has state is no plain tensor. */
export function withState(object: PickleValue, state: PickleValue): PickleValue {
  if (object instanceof Map && (state === null || state instanceof Map)) return object
  throw new Error('an object with state')
}

function wholeNumber(value: PickleValue | undefined): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
  throw new Error('no whole number')
}

function wholeNumbers(values: PickleValue | undefined): readonly number[] {
  if (!Array.isArray(values)) throw new Error('no list of numbers')
  return values.map(wholeNumber)
}
