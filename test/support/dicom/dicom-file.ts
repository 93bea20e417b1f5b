// Writes small DICOM files for tests: any transfer syntax whose pixels the test can make itself, sequences, fragments.
import { deflateRawSync } from 'node:zlib'

export const SYNTAX = {
  implicit: '1.2.840.10008.1.2',
  explicit: '1.2.840.10008.1.2.1',
  deflated: '1.2.840.10008.1.2.1.99',
  bigEndian: '1.2.840.10008.1.2.2',
  rle: '1.2.840.10008.1.2.5',
  jpeg: '1.2.840.10008.1.2.4.50',
  jpegLossless: '1.2.840.10008.1.2.4.70',
  jpegLs: '1.2.840.10008.1.2.4.80',
  jpeg2000: '1.2.840.10008.1.2.4.90',
  htj2k: '1.2.840.10008.1.2.4.201',
} as const

/** An attribute's value; items of a sequence are lists of attributes. */
export type Value = string | readonly number[] | Uint8Array | readonly (readonly Attribute[])[]

/** Tag as eight hexadecimal digits, value representation, value. */
export type Attribute = readonly [tag: string, vr: string, value: Value]

export interface DicomContent {
  readonly syntax?: string
  /** What the file says instead of the syntax that it is written in. */
  readonly says?: string
  /** Without it the file begins with its data set. */
  readonly header?: boolean
  readonly attributes: readonly Attribute[]
  readonly pixels?: Uint8Array | Uint16Array | Int16Array
  /** Encapsulated: the fragments, and the offset table before them. */
  readonly fragments?: readonly Uint8Array[]
  readonly offsets?: readonly number[]
}

const LONG = new Set('OB OD OF OL OV OW SQ SV UC UN UR UT UV ZZ'.split(' '))

/** Attributes of a grey image; `more` come on top of them. */
export function image(
  size: { readonly width: number; readonly height: number },
  more: Readonly<Record<string, readonly [vr: string, value: Value]>> = {},
): Attribute[] {
  const usual: Record<string, readonly [string, Value]> = {
    '00080060': ['CS', 'CR'],
    '00280002': ['US', [1]],
    '00280004': ['CS', 'MONOCHROME2'],
    '00280010': ['US', [size.height]],
    '00280011': ['US', [size.width]],
    '00280100': ['US', [8]],
    '00280101': ['US', [8]],
    '00280102': ['US', [7]],
    '00280103': ['US', [0]],
    ...more,
  }
  return Object.entries(usual).map(([tag, [vr, value]]) => [tag, vr, value] as const)
}

/** Tags of samples with that many bits in 16. */
export function deep(bits: number, signed = false): Record<string, readonly [string, number[]]> {
  return {
    '00280100': ['US', [16]],
    '00280101': ['US', [bits]],
    '00280102': ['US', [bits - 1]],
    '00280103': ['US', [signed ? 1 : 0]],
  }
}

export function dicomFile(content: DicomContent): Buffer {
  const { syntax = SYNTAX.explicit, attributes, header = true } = content
  const form = { explicit: syntax !== SYNTAX.implicit, big: syntax === SYNTAX.bigEndian }
  const sorted = [...attributes].sort(([a], [b]) => (a < b ? -1 : 1))
  const parts = sorted.map((attribute) => element(attribute, form))
  if (content.pixels) parts.push(element(['7fe00010', 'OW', bytesOf(content.pixels, form)], form))
  if (content.fragments) parts.push(fragments(content.fragments, content.offsets ?? []))
  const body = Buffer.concat(parts)
  const dataSet = syntax === SYNTAX.deflated ? deflateRawSync(body) : body
  if (!header) return dataSet
  const meta = element(['00020010', 'UI', content.says ?? syntax], { explicit: true, big: false })
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), meta, dataSet])
}

interface Form {
  readonly explicit: boolean
  readonly big: boolean
}

function element([tag, vr, value]: Attribute, form: Form): Buffer {
  const bytes = padded(encode(value, { vr, form }), vr)
  const isLong = LONG.has(vr)
  const head = Buffer.alloc(form.explicit && isLong ? 12 : 8)
  writeTag(head, { tag, big: form.big })
  if (form.explicit) head.write(vr, 4, 'latin1')
  if (form.explicit && !isLong) write16(head, { at: 6, value: bytes.length, big: form.big })
  else write32(head, { at: head.length - 4, value: bytes.length, big: form.big })
  return Buffer.concat([head, bytes])
}

function encode(value: Value, { vr, form }: { vr: string; form: Form }): Buffer {
  if (typeof value === 'string') return Buffer.from(value, 'latin1')
  if (value instanceof Uint8Array) return Buffer.from(value)
  if (vr === 'SQ') {
    const items = value as readonly (readonly Attribute[])[]
    return Buffer.concat(items.map((item) => sequenceItem(item, form)))
  }
  return Buffer.concat(
    (value as readonly number[]).map((one) => {
      const word = Buffer.alloc(2)
      write16(word, { at: 0, value: one & 0xffff, big: form.big })
      return word
    }),
  )
}

function sequenceItem(attributes: readonly Attribute[], form: Form): Buffer {
  const body = Buffer.concat(attributes.map((one) => element(one, form)))
  const head = Buffer.alloc(8)
  writeTag(head, { tag: 'fffee000', big: form.big })
  write32(head, { at: 4, value: body.length, big: form.big })
  return Buffer.concat([head, body])
}

function fragments(list: readonly Uint8Array[], offsets: readonly number[]): Buffer {
  const form = { explicit: true, big: false }
  const head = Buffer.from('e07f10004f420000ffffffff', 'hex')
  const table = Buffer.alloc(offsets.length * 4)
  offsets.forEach((offset, i) => {
    table.writeUInt32LE(offset, i * 4)
  })
  const items = [table, ...list].map((bytes) => {
    const even = padded(Buffer.from(bytes), 'OB')
    const item = Buffer.alloc(8)
    writeTag(item, { tag: 'fffee000', big: form.big })
    item.writeUInt32LE(even.length, 4)
    return Buffer.concat([item, even])
  })
  return Buffer.concat([head, ...items, Buffer.from('feffdde000000000', 'hex')])
}

function bytesOf(pixels: Uint8Array | Uint16Array | Int16Array, { big }: Form): Uint8Array {
  const copy = Buffer.from(
    Uint8Array.from(new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength)),
  )
  const padding = copy.length % 2 === 1 ? Buffer.alloc(1) : Buffer.alloc(0)
  const even = Buffer.concat([copy, padding])
  return big ? even.swap16() : even
}

function padded(bytes: Buffer, vr: string): Buffer {
  if (bytes.length % 2 === 0) return bytes
  const isBinary = ['UI', 'OB', 'OW', 'UN'].includes(vr)
  return Buffer.concat([bytes, Buffer.from(isBinary ? [0] : [32])])
}

function writeTag(into: Buffer, { tag, big }: { tag: string; big: boolean }): void {
  write16(into, { at: 0, value: Number.parseInt(tag.slice(0, 4), 16), big })
  write16(into, { at: 2, value: Number.parseInt(tag.slice(4), 16), big })
}

function write16(into: Buffer, o: { at: number; value: number; big: boolean }): void {
  if (o.big) into.writeUInt16BE(o.value, o.at)
  else into.writeUInt16LE(o.value, o.at)
}

function write32(into: Buffer, o: { at: number; value: number; big: boolean }): void {
  if (o.big) into.writeUInt32BE(o.value, o.at)
  else into.writeUInt32LE(o.value, o.at)
}
