// Lookup tables of grey values and of palettes: descriptor and data (PS3.3 C.11.1.1, C.11.2.1.1, C.7.6.3.1.5).
import { AppError } from '../../errors.ts'
import { representation, valueBytes, words } from './attributes.ts'
import type { Attributes } from './data-set.ts'

export interface LookupTable {
  readonly entries: Uint8Array | Uint16Array
  /** The input that the first entry is for; lower ones take it too, higher ones than the last take the last. */
  readonly first: number
  /** Bits of an entry: white is 2^bits - 1. */
  readonly bits: number
}

export interface LookupTags {
  readonly descriptor: string
  readonly data: string
  /** The inputs can be negative, so that a first value without a sign of its own (implicit files) has one. */
  readonly signed: boolean
}

/** Undefined when the item has none. @throws AppError `undecodable-image` when it is shorter than it says */
export function findLookupTable(item: Attributes, tags: LookupTags): LookupTable | undefined {
  const data = valueBytes(item, tags.data)
  const [count, start, bits] = words(item, tags.descriptor, 3)
  if (!data || count === undefined || start === undefined) return undefined
  const length = count === 0 ? 65536 : count
  const vr = representation(item, tags.descriptor)
  const negative = start >= 0x8000 && (vr === 'SS' || (vr !== 'US' && tags.signed))
  const depth = bits !== undefined && bits >= 1 && bits <= 16 ? bits : 16
  return {
    entries: entriesOf(item, { data, tag: tags.data, length }),
    first: negative ? start - 0x10000 : start,
    bits: depth,
  }
}

/** The entry for `value`. */
export function lookUp({ entries, first }: LookupTable, value: number): number {
  const at = Math.min(Math.max(Math.round(value) - first, 0), entries.length - 1)
  return entries[at] as number
}

/** Words, or bytes where there are just as many as entries. */
function entriesOf(
  item: Attributes,
  { data, tag, length }: { data: Uint8Array; tag: string; length: number },
): Uint8Array | Uint16Array {
  if (data.length >= length * 2) return Uint16Array.from(words(item, tag, length))
  if (data.length >= length) return data.subarray(0, length)
  throw new AppError(
    'undecodable-image',
    'A lookup table of the DICOM image is shorter than it says; export the image again.',
  )
}
