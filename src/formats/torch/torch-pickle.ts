// Reads the pickle in a PyTorch file as data. A pickle is a program for a stack machine that may call any Python function;
// this machine knows no function but the few that put tensors together, refuses every other by its name, and calls nothing.
// Opcodes: Python's Lib/pickletools.py, protocols 2 to 5.
import { AppError } from '../../errors.ts'
import { shownName } from '../tensor-source.ts'
import { PickleReader } from './pickle-reader.ts'
import {
  constructed,
  isAllowed,
  PickledGlobal,
  type PickleValue,
  persistentStorage,
  withState,
} from './torch-values.ts'

/** The deepest stack and the longest memo of a real state dict are far below. */
const MAX_VALUES = 2_000_000
const MAX_STEPS = 20_000_000

const MARK = Symbol('mark')
type Slot = PickleValue | typeof MARK

class Machine {
  readonly #reader: PickleReader
  readonly #stack: Slot[] = []
  readonly #memo = new Map<number, PickleValue>()

  constructor(reader: PickleReader) {
    this.#reader = reader
  }

  run(): PickleValue {
    for (let step = 0; step < MAX_STEPS; step++) {
      const opcode = this.#reader.byte()
      if (opcode === 0x2e) return this.#pop() // STOP
      const value = this.#execute(opcode)
      if (value !== undefined) this.#stack.push(value)
      if (this.#stack.length > MAX_VALUES) throw new Error('the stack is too deep')
    }
    throw new Error('the pickle does not end')
  }

  /** Does one opcode; what it gives back goes on the stack. */
  #execute(opcode: number): PickleValue | undefined {
    const reader = this.#reader
    const constant = CONSTANTS.get(String.fromCharCode(opcode))
    if (constant) return constant(reader)
    switch (opcode) {
      case 0x80: // PROTO
        if (reader.byte() > 5) throw new Error('a protocol that is not known')
        return undefined
      case 0x95: // FRAME
        reader.skip(8)
        return undefined
      case 0x28: // MARK
        this.#stack.push(MARK)
        return undefined
      case 0x30: // POP
        this.#stack.pop()
        return undefined
      case 0x31: // POP_MARK
        this.#toMark()
        return undefined
      case 0x32: // DUP
        return this.#top()
      case 0x74: // TUPLE
      case 0x6c: // LIST
        return this.#toMark()
      case 0x85: // TUPLE1
        return [this.#pop()]
      case 0x86: // TUPLE2
        return this.#pair()
      case 0x87: {
        // TUPLE3
        const last = this.#pop()
        return [...this.#pair(), last]
      }
      case 0x64: // DICT
        return setItems(new Map(), this.#toMark())
      default:
        return this.#change(opcode) ? undefined : this.#construct(opcode)
    }
  }

  /** Opcodes that change what is there already. */
  #change(opcode: number): boolean {
    if (opcode === 0x61)
      this.#append([this.#pop()]) // APPEND
    else if (opcode === 0x65)
      this.#append(this.#toMark()) // APPENDS
    else if (opcode === 0x73)
      this.#setItems(this.#pair()) // SETITEM
    else if (opcode === 0x75)
      this.#setItems(this.#toMark()) // SETITEMS
    else if (opcode === 0x71)
      this.#remember(this.#reader.byte()) // BINPUT
    else if (opcode === 0x72)
      this.#remember(this.#reader.uint32()) // LONG_BINPUT
    else if (opcode === 0x94)
      this.#remember(this.#memo.size) // MEMOIZE
    else return false
    return true
  }

  #construct(opcode: number): PickleValue {
    const reader = this.#reader
    switch (opcode) {
      case 0x68: // BINGET
        return this.#recall(reader.byte())
      case 0x6a: // LONG_BINGET
        return this.#recall(reader.uint32())
      case 0x63: // GLOBAL
        return global(reader.line(), reader.line())
      case 0x93: {
        // STACK_GLOBAL
        const [module, name] = this.#pair()
        return global(String(module), String(name))
      }
      case 0x51: // BINPERSID
        return persistentStorage(this.#pop())
      case 0x52: // REDUCE
      case 0x81: {
        // NEWOBJ
        const [callable, args] = this.#pair()
        if (!Array.isArray(args)) throw new Error('arguments that are no tuple')
        return constructed(callable, args)
      }
      case 0x62: {
        // BUILD
        const [object, state] = this.#pair()
        return withState(object, state)
      }
      default:
        throw new Error(`opcode 0x${opcode.toString(16)} has no place in a state dict`)
    }
  }

  #pop(): PickleValue {
    const value = this.#stack.pop()
    if (value === undefined || value === MARK) throw new Error('the stack is empty')
    return value
  }

  #top(): PickleValue {
    const value = this.#stack.at(-1)
    if (value === undefined || value === MARK) throw new Error('the stack is empty')
    return value
  }

  /** The last two, in the order that they were pushed. */
  #pair(): [PickleValue, PickleValue] {
    const second = this.#pop()
    return [this.#pop(), second]
  }

  #toMark(): PickleValue[] {
    const at = this.#stack.lastIndexOf(MARK)
    if (at < 0) throw new Error('no mark')
    const values = this.#stack.splice(at)
    return values.slice(1) as PickleValue[]
  }

  #append(values: readonly PickleValue[]): void {
    const list = this.#top()
    if (!Array.isArray(list)) throw new Error('append to what is no list')
    for (const value of values) list.push(value)
  }

  #setItems(pairs: readonly PickleValue[]): void {
    const dict = this.#top()
    if (!(dict instanceof Map)) throw new Error('an item of what is no dict')
    setItems(dict, pairs)
  }

  #remember(place: number): void {
    if (this.#memo.size > MAX_VALUES) throw new Error('the memo is too long')
    this.#memo.set(place, this.#top())
  }

  #recall(place: number): PickleValue {
    const value = this.#memo.get(place)
    if (value === undefined) throw new Error(`nothing at ${place} of the memo`)
    return value
  }
}

function setItems(
  dict: Map<PickleValue, PickleValue>,
  pairs: readonly PickleValue[],
): Map<PickleValue, PickleValue> {
  if (pairs.length % 2 !== 0) throw new Error('a key without a value')
  for (let i = 0; i < pairs.length; i += 2) {
    dict.set(pairs[i] as PickleValue, pairs[i + 1] as PickleValue)
  }
  return dict
}

function global(module: string, name: string): PickledGlobal {
  const full = `${module}.${name}`
  if (isAllowed(full)) return new PickledGlobal(full)
  throw new AppError(
    'invalid-package',
    `The PyTorch file asks for "${shownName(full)}" of Python, which is refused; nothing of it was run. ` +
      'Save the weights alone: torch.save(model.state_dict(), "weights.pth").',
  )
}

const CONSTANTS: ReadonlyMap<string, (reader: PickleReader) => PickleValue> = new Map<
  string,
  (reader: PickleReader) => PickleValue
>([
  ['N', () => null],
  ['\x88', () => true],
  ['\x89', () => false],
  ['}', () => new Map()],
  [']', () => []],
  [')', () => []],
  ['J', (reader) => reader.int32()],
  ['K', (reader) => reader.byte()],
  ['M', (reader) => reader.uint16()],
  ['G', (reader) => reader.float64()],
  ['\x8a', (reader) => reader.long(reader.byte())],
  ['X', (reader) => reader.text(reader.uint32())],
  ['\x8c', (reader) => reader.text(reader.byte())],
  ['\x8d', (reader) => reader.text(reader.uint64())],
  ['U', (reader) => reader.text(reader.byte())],
  ['C', (reader) => reader.text(reader.byte())],
  ['B', (reader) => reader.text(reader.uint32())],
  ['T', (reader) => reader.text(reader.uint32())],
])

/**
 * The value that a pickle describes; dicts are Maps, tuples and lists arrays, tensors `PickledTensor`.
 * @throws AppError `invalid-package`: a function or class that is not allowed, by its name; damage
 */
export function readPickle(bytes: Uint8Array): PickleValue {
  const [value = null] = readPickles(bytes, { from: 0, count: 1 }).values
  return value
}

/** Several that follow each other; `end` is where the last one ends. @throws AppError as `readPickle` */
export function readPickles(
  bytes: Uint8Array,
  { from, count }: { readonly from: number; readonly count: number },
): { readonly values: readonly PickleValue[]; readonly end: number } {
  try {
    const reader = new PickleReader(bytes, from)
    const values = Array.from({ length: count }, () => new Machine(reader).run())
    return { values, end: reader.at }
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw new AppError(
      'invalid-package',
      'The PyTorch file is damaged, or holds more than tensors; save it again with torch.save(model.state_dict(), …).',
      { cause },
    )
  }
}
