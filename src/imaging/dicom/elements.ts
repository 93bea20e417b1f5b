// The elements of a DICOM data set (PS3.5 section 7), located without reading their values: nothing here turns a patient's
// name into a string. Tolerant as archives need it (pydicom and dcmtk read the same files), strict about lengths.
import { AppError } from '../../errors.ts'

export interface Element {
  /** Undefined where the file is implicit. */
  readonly vr: string | undefined
  readonly dataOffset: number
  /** Bytes; of fragments and sequences without a length: up to their delimiter. */
  readonly length: number
  readonly hadUndefinedLength: boolean
  /** Of a sequence. */
  readonly items?: readonly Elements[]
}

/** By tag, spelled x00280010. */
export type Elements = Readonly<Record<string, Element | undefined>>

export interface WalkOptions {
  /** Where the data set begins. */
  readonly start: number
  /** As its transfer syntax says; how the first element looks counts more. */
  readonly explicit: boolean
  readonly bigEndian: boolean
}

export interface Walked {
  readonly elements: Elements
  readonly bigEndian: boolean
}

const PIXEL_DATA = 'x7fe00010'
const ITEM = 'xfffee000'
const END_OF_ITEM = 'xfffee00d'
const END_OF_SEQUENCE = 'xfffee0dd'
const UNDEFINED_LENGTH = 0xffffffff
const MAX_DEPTH = 32
/** Of the whole file; an enhanced image of thousands of frames has some hundred thousand. */
const MAX_ELEMENTS = 500_000

/** PS3.5 table 7.1-1: two reserved bytes, then a length of 32 bits. */
const LONG_VRS = new Set('OB OD OF OL OV OW SQ SV UC UN UR UT UV'.split(' '))
const SHORT_VRS = new Set(
  'AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US'.split(' '),
)

/**
 * All elements up to and including the pixel data.
 * @throws AppError `undecodable-image` when an element reaches past the end of the file
 */
export function walkElements(bytes: Uint8Array, options: WalkOptions): Walked {
  const bigEndian = actualByteOrder(bytes, options)
  const walker = new Walker(bytes, bigEndian)
  const explicit = walker.looksExplicit(options.start, options.explicit)
  return { elements: walker.topLevel(options.start, explicit), bigEndian }
}

export function damagedHeader(): AppError {
  return new AppError(
    'undecodable-image',
    'The DICOM file is cut off or damaged before its pixels begin; copy or export it again.',
  )
}

/** A data set begins with a low group: read in the wrong order it would be a high one. */
function actualByteOrder(bytes: Uint8Array, { start, bigEndian }: WalkOptions): boolean {
  const [first = 0, second = 0] = bytes.subarray(start, start + 2)
  const [declared, other] = bigEndian
    ? [first * 256 + second, second * 256 + first]
    : [second * 256 + first, first * 256 + second]
  return declared >= 0x0100 && other > 0 && other < 0x0100 ? !bigEndian : bigEndian
}

interface Header {
  readonly tag: string
  readonly vr: string | undefined
  readonly dataOffset: number
  readonly length: number
}

interface Range {
  readonly end: number
  readonly explicit: boolean
  readonly depth: number
}

class Walker {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #little: boolean
  #at = 0
  #count = 0

  constructor(bytes: Uint8Array, bigEndian: boolean) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#little = !bigEndian
  }

  /** Files contradict their own header: a known VR followed by a length that fits is explicit, and no VR is implicit. */
  looksExplicit(at: number, declared: boolean): boolean {
    if (at + 8 > this.#bytes.length) return declared
    const vr = this.#text(at + 4, 2)
    if (!SHORT_VRS.has(vr) && !LONG_VRS.has(vr)) return /^[A-Z]{2}$/.test(vr) && declared
    const { dataOffset, length } = this.#header(at, true)
    return length === UNDEFINED_LENGTH || dataOffset + length <= this.#bytes.length
  }

  topLevel(start: number, explicit: boolean): Elements {
    this.#at = start
    const { elements } = this.#set({ end: this.#bytes.length, explicit, depth: 0 })
    return elements
  }

  /** Reads elements until `end`, a delimiter of the item that holds them, or the pixel data. */
  #set({ end, explicit, depth }: Range): { elements: Elements } {
    if (depth > MAX_DEPTH) throw damagedHeader()
    const elements: Record<string, Element> = {}
    while (this.#at + 8 <= end) {
      const header = this.#header(this.#at, explicit)
      if (header.tag === END_OF_ITEM || header.tag === END_OF_SEQUENCE) {
        // Where no item is open, some writers leave delimiters behind: they hold nothing.
        if (depth > 0) return { elements }
        this.#at += 8
        continue
      }
      this.#count += 1
      if (this.#count > MAX_ELEMENTS || header.tag === ITEM) throw damagedHeader()
      this.#at = header.dataOffset
      const isPixelData = depth === 0 && header.tag === PIXEL_DATA
      const element = isPixelData
        ? this.#pixelData(header)
        : this.#element(header, { end, explicit, depth })
      elements[header.tag] ??= element
      if (isPixelData) return { elements }
    }
    if (this.#at < end && depth === 0 && this.#hasContent(this.#at, end)) throw damagedHeader()
    return { elements }
  }

  #pixelData({ vr, dataOffset, length }: Header): Element {
    const hadUndefinedLength = length === UNDEFINED_LENGTH
    const known = hadUndefinedLength ? this.#bytes.length - dataOffset : length
    return { vr, dataOffset, length: known, hadUndefinedLength }
  }

  #element({ tag, vr, dataOffset, length }: Header, { end, explicit, depth }: Range): Element {
    if (length === UNDEFINED_LENGTH) {
      // PS3.5 A.4: only sequences and fragments have no length; of unknown VR it is a sequence (CP-246).
      const isFragments = vr !== undefined && vr !== 'SQ' && vr !== 'UN'
      const items = isFragments
        ? this.#skipFragments(end)
        : this.#items({ end, explicit: explicit && vr !== 'UN', depth, isOpen: true })
      return { vr, dataOffset, length: this.#at - dataOffset, hadUndefinedLength: true, ...items }
    }
    const to = dataOffset + length
    if (to > end) throw damagedHeader()
    const items = this.#closedItems({ tag, vr, dataOffset, length }, { end: to, explicit, depth })
    this.#at = to
    return { vr, dataOffset, length, hadUndefinedLength: false, ...items }
  }

  /** Of a sequence with a length; of unknown VR, what begins with an item and can be read as items is one. */
  #closedItems({ vr, dataOffset, length }: Header, range: Range): { items?: readonly Elements[] } {
    const isSequence = vr === 'SQ'
    const mayBe = (vr === undefined || vr === 'UN') && length >= 8 && this.#tag(dataOffset) === ITEM
    if (!isSequence && !mayBe) return {}
    const explicit = range.explicit && vr !== 'UN'
    try {
      return this.#items({ ...range, explicit, isOpen: false })
    } catch (error) {
      if (isSequence) throw error
      return {}
    }
  }

  #items(range: Range & { readonly isOpen: boolean }): { items: readonly Elements[] } {
    const { end, depth, isOpen } = range
    const items: Elements[] = []
    while (this.#at + 8 <= end) {
      const tag = this.#tag(this.#at)
      if (tag === END_OF_SEQUENCE) {
        this.#at += 8
        if (isOpen) return { items }
        continue
      }
      if (tag === END_OF_ITEM) {
        this.#at += 8
        continue
      }
      // A sequence that was never ended is over where something else begins.
      if (tag !== ITEM) {
        if (isOpen) return { items }
        throw damagedHeader()
      }
      this.#count += 1
      if (this.#count > MAX_ELEMENTS) throw damagedHeader()
      const length = this.#view.getUint32(this.#at + 4, this.#little)
      this.#at += 8
      const isOpenItem = length === UNDEFINED_LENGTH
      const to = isOpenItem ? end : this.#at + length
      if (to > end) throw damagedHeader()
      const explicit = this.looksExplicit(this.#at, range.explicit)
      items.push(this.#set({ end: to, explicit, depth: depth + 1 }).elements)
      if (!isOpenItem) this.#at = to
      else if (this.#at + 8 <= end && this.#tag(this.#at) === END_OF_ITEM) this.#at += 8
    }
    if (isOpen) throw damagedHeader()
    return { items }
  }

  /** Icons and private data may be compressed, too. */
  #skipFragments(end: number): object {
    while (this.#at + 8 <= end) {
      const tag = this.#tag(this.#at)
      const length = this.#view.getUint32(this.#at + 4, this.#little)
      this.#at += 8
      if (tag === END_OF_SEQUENCE) return {}
      if (tag !== ITEM || this.#at + length > end) throw damagedHeader()
      this.#at += length
    }
    throw damagedHeader()
  }

  #header(at: number, explicit: boolean): Header {
    const tag = this.#tag(at)
    const vr = this.#text(at + 4, 2)
    // Delimiters and items have no VR; an element without one in an explicit file is implicit (as pydicom takes it).
    if (!explicit || tag.startsWith('xfffe') || !/^[A-Z]{2}$/.test(vr)) {
      const length = this.#view.getUint32(at + 4, this.#little)
      return { tag, vr: undefined, dataOffset: at + 8, length }
    }
    if (!this.#isLong(at, vr)) {
      const length = this.#view.getUint16(at + 6, this.#little)
      return { tag, vr, dataOffset: at + 8, length }
    }
    if (at + 12 > this.#bytes.length) throw damagedHeader()
    const length = this.#view.getUint32(at + 8, this.#little)
    return { tag, vr, dataOffset: at + 12, length }
  }

  /** VRs that the standard gets in future have the long form (PS3.5 section 6.2), told by their reserved zeros. */
  #isLong(at: number, vr: string): boolean {
    if (LONG_VRS.has(vr)) return true
    return !SHORT_VRS.has(vr) && this.#view.getUint16(at + 6, this.#little) === 0
  }

  #tag(at: number): string {
    const group = this.#view.getUint16(at, this.#little)
    const element = this.#view.getUint16(at + 2, this.#little)
    return `x${(group * 65536 + element).toString(16).padStart(8, '0')}`
  }

  #text(at: number, length: number): string {
    let text = ''
    for (let i = at; i < at + length; i++) text += String.fromCharCode(this.#bytes[i] ?? 0)
    return text
  }

  #hasContent(from: number, to: number): boolean {
    return this.#bytes.subarray(from, to).some((byte) => byte !== 0)
  }
}
