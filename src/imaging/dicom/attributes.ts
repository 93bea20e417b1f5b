// Values of single attributes: text, decimal and integer strings, 16-bit words, sequence items. Tags are spelled x00280010.
import type { Attributes } from './data-set.ts'

/** Longest text that is ever read; the values that are asked for have 16 characters each. */
const MAX_TEXT_BYTES = 1024

/** The first of a multi-valued text, without its padding; undefined when absent or empty. */
export function findText(item: Attributes, tag: string): string | undefined {
  return texts(item, tag)[0] || undefined
}

/** A code string (CS), which the standard writes in capitals and some equipment does not. */
export function findCode(item: Attributes, tag: string): string | undefined {
  return findText(item, tag)?.toUpperCase()
}

/** DS or IS values that are finite numbers; a decimal comma is taken for the point that it stands for. */
export function decimals(item: Attributes, tag: string): number[] {
  return texts(item, tag)
    .filter((text) => text !== '')
    .map((text) => Number(DECIMAL_COMMA.test(text) ? text.replace(',', '.') : text))
    .filter(Number.isFinite)
}

/** PS3.5 table 6.2-1 allows a point only; software of other countries writes a comma. */
export function hasDecimalComma(item: Attributes, tag: string): boolean {
  return texts(item, tag).some((text) => DECIMAL_COMMA.test(text))
}

const DECIMAL_COMMA = /^[+-]?\d*,\d*(e[+-]?\d+)?$/i

/** The first US (or SS) value, as it lies there: unsigned. */
export function findWord(item: Attributes, tag: string): number | undefined {
  return words(item, tag, 1)[0]
}

/** Up to `limit` unsigned 16-bit values in the data set's byte order. */
export function words(item: Attributes, tag: string, limit: number): number[] {
  const value = valueBytes(item, tag)
  if (!value) return []
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  const count = Math.min(limit, Math.floor(value.length / 2))
  return Array.from({ length: count }, (_, i) => view.getUint16(i * 2, !item.bigEndian))
}

/** The raw value; undefined when absent, empty, of undefined length or cut off. */
export function valueBytes(item: Attributes, tag: string): Uint8Array | undefined {
  const element = item.elements[tag]
  if (!element || element.hadUndefinedLength || element.length === 0) return undefined
  const end = element.dataOffset + element.length
  return end > item.bytes.length ? undefined : item.bytes.subarray(element.dataOffset, end)
}

/** The value representation that the file gives; undefined in implicit files. */
export function representation(item: Attributes, tag: string): string | undefined {
  return item.elements[tag]?.vr
}

/** The items of a sequence; none when it is absent. */
export function sequenceItems(item: Attributes, tag: string): Attributes[] {
  const items = item.elements[tag]?.items ?? []
  return items.map((elements) => ({ ...item, elements }))
}

function texts(item: Attributes, tag: string): string[] {
  const value = valueBytes(item, tag)
  if (!value) return []
  const text = Buffer.from(value.subarray(0, MAX_TEXT_BYTES)).toString('latin1')
  return text.split('\\').map((one) => one.replaceAll('\0', ' ').trim())
}
