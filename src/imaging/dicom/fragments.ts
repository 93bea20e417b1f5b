// Encapsulated pixel data (PS3.5 A.4): from items to the bytes of one frame.
import { AppError } from '../../errors.ts'
import { valueBytes } from './attributes.ts'
import type { Attributes } from './data-set.ts'

interface Fragment {
  /** From the first byte after the basic offset table. */
  readonly offset: number
  readonly bytes: Uint8Array
}

const ITEM = 0xe000fffe
const END = 0xe0ddfffe
const MAX_FRAGMENTS = 100_000
/** First two bytes of a JPEG, JPEG-LS, and of a JPEG 2000 codestream. */
const STARTS = new Set([0xffd8, 0xff4f])

export interface CodedFrame {
  readonly bytes: Uint8Array
  readonly warnings: readonly string[]
}

/**
 * The coded bytes of frame `index`, counted from 0. An offset table is believed only where each offset is the start of a
 * fragment; else each fragment is a frame, or a frame begins where a codestream does.
 * @throws AppError `undecodable-image` when items are cut off or do not say where the frame is
 */
export function encapsulatedFrame(
  attributes: Attributes,
  { index, frames }: { readonly index: number; readonly frames: number },
): CodedFrame {
  const { table, fragments } = readFragments(attributes)
  if (fragments.length === 0) throw broken('holds no pixels')
  const { own, warnings } = fragmentsOf({ attributes, table, fragments, index, frames })
  const [first] = own
  if (!first) throw broken(`does not say where frame ${index + 1} lies`)
  const bytes = own.length === 1 ? first.bytes : Buffer.concat(own.map((one) => one.bytes))
  return { bytes, warnings }
}

interface Wanted {
  readonly attributes: Attributes
  readonly table: readonly number[]
  readonly fragments: readonly Fragment[]
  readonly index: number
  readonly frames: number
}

function fragmentsOf({ attributes, table, fragments, index, frames }: Wanted): {
  own: readonly Fragment[]
  warnings: string[]
} {
  const offsets = extendedOffsets(attributes) ?? table
  const isTrue = pointAtFragments(offsets, { fragments, frames })
  const warnings = offsets.length > 0 && !isTrue ? [WRONG_TABLE] : []
  if (isTrue) {
    const from = offsets[index] ?? 0
    const to = offsets[index + 1] ?? Number.POSITIVE_INFINITY
    return { own: fragments.filter(({ offset }) => offset >= from && offset < to), warnings }
  }
  if (fragments.length === frames) return { own: fragments.slice(index, index + 1), warnings }
  // No table to go by: a frame begins where a codestream does.
  const starts = fragments.flatMap(({ bytes }, i) =>
    STARTS.has(((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)) ? [i] : [],
  )
  // A frame of RLE has no such start; a single one is all there is.
  if (starts[0] !== 0) return { own: frames === 1 ? fragments : [], warnings }
  if (starts.length !== frames) warnings.push(otherCount(frames, starts.length))
  return {
    own: index < starts.length ? fragments.slice(starts[index], starts[index + 1]) : [],
    warnings,
  }
}

const WRONG_TABLE =
  'The offset table of the DICOM file points beside its frames; they were found by their own beginnings.'

function otherCount(said: number, found: number): string {
  return `The DICOM header says ${said} frame(s), the file holds ${found}; check that this is the right one.`
}

function pointAtFragments(
  offsets: readonly number[],
  { fragments, frames }: Pick<Wanted, 'fragments' | 'frames'>,
): boolean {
  if (offsets.length < frames) return false
  const starts = new Set(fragments.map(({ offset }) => offset))
  return offsets
    .slice(0, frames)
    .every(
      (offset, i) =>
        starts.has(offset) && (i === 0 ? offset === 0 : offset > (offsets[i - 1] ?? 0)),
    )
}

/** (7FE0,0001): 64-bit offsets for frames beyond 4 GiB, used by newer writers instead of the basic table. */
function extendedOffsets(attributes: Attributes): number[] | undefined {
  const value = valueBytes(attributes, 'x7fe00001')
  if (!value) return undefined
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  const count = Math.min(MAX_FRAGMENTS, Math.floor(value.length / 8))
  return Array.from({ length: count }, (_, i) => Number(view.getBigUint64(i * 8, true)))
}

function readFragments({ bytes, elements }: Attributes): {
  table: number[]
  fragments: Fragment[]
} {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const fragments: Fragment[] = []
  let table: number[] | undefined
  let at = elements.x7fe00010?.dataOffset ?? bytes.length
  let origin = at
  while (at + 8 <= bytes.length) {
    const tag = view.getUint32(at, true)
    const length = view.getUint32(at + 4, true)
    if (tag === END) break
    if (tag !== ITEM) throw broken('is damaged between its fragments')
    const end = at + 8 + length
    if (end > bytes.length) throw broken('is cut off')
    if (table) fragments.push({ offset: at - origin, bytes: bytes.subarray(at + 8, end) })
    else {
      const entries = Math.min(MAX_FRAGMENTS, length >> 2)
      table = Array.from({ length: entries }, (_, i) => view.getUint32(at + 8 + i * 4, true))
      origin = end
    }
    if (fragments.length > MAX_FRAGMENTS) throw broken('has too many fragments')
    at = end
  }
  return { table: table ?? [], fragments }
}

function broken(what: string): AppError {
  return new AppError(
    'undecodable-image',
    `The compressed DICOM image ${what}; copy or export it again.`,
  )
}
