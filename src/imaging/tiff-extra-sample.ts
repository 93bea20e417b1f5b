// What a TIFF says about the samples beyond its colours (TIFF 6.0, ExtraSamples): libvips takes every fourth one for
// transparency, also those of which the file says that they mean nothing.

const SAMPLES_PER_PIXEL = 277
const EXTRA_SAMPLES = 338
const SHORT_BYTES = 2
const MAX_ENTRIES = 4096

/**
 * True when page `page` (counted from 1) has an extra sample that is no transparency: unspecified (0), or not described at
 * all. False where it is alpha (1 or 2), where there is none, and where the file cannot be followed.
 */
export function hasMeaninglessSample(bytes: Uint8Array, page: number): boolean {
  try {
    const tags = tagsOf(bytes, page)
    const extra = tags.get(EXTRA_SAMPLES)
    const samples = tags.get(SAMPLES_PER_PIXEL) ?? 1
    if (extra !== undefined) return extra === 0
    return samples === 2 || samples === 4
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

/** First values of the entries of one page that are whole numbers of 16 bits. */
function tagsOf(bytes: Uint8Array, page: number): ReadonlyMap<number, number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const little = bytes[0] === 0x49
  const isBig = view.getUint16(2, little) === 43
  const word = (at: number) =>
    isBig ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little)
  const [countBytes, entryBytes] = isBig ? [8, 20] : [2, 12]
  const entriesAt = (at: number) => (isBig ? word(at) : view.getUint16(at, little))
  let directory = word(isBig ? 8 : 4)
  for (let skipped = 1; skipped < page; skipped++) {
    directory = word(directory + countBytes + entriesAt(directory) * entryBytes)
  }
  const tags = new Map<number, number>()
  const count = Math.min(entriesAt(directory), MAX_ENTRIES)
  for (let i = 0; i < count; i++) {
    const at = directory + countBytes + i * entryBytes
    const valueAt = at + (isBig ? 12 : 8)
    const values = isBig
      ? Number(view.getBigUint64(at + 4, little))
      : view.getUint32(at + 4, little)
    const isInline = values * SHORT_BYTES <= (isBig ? 8 : 4)
    if (view.getUint16(at + 2, little) !== 3) continue
    tags.set(view.getUint16(at, little), view.getUint16(isInline ? valueAt : word(valueAt), little))
  }
  return tags
}
