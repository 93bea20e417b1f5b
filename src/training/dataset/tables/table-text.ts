// A table's bytes as text, in the encodings that spreadsheets save: UTF-8, UTF-16 with or without a byte-order mark, and
// Windows-1252 where the bytes are no UTF-8.

/** Of the first bytes, from which on zeros mean that a character has two bytes. */
const MIN_ZEROS = 0.3
const LOOKED_AT = 2000

export function tableText(bytes: Uint8Array): string {
  const encoding = encodingOf(bytes)
  if (encoding !== undefined) return new TextDecoder(encoding).decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('windows-1252').decode(bytes)
  }
}

function encodingOf(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  const head = bytes.subarray(0, LOOKED_AT)
  const zeros = [0, 0]
  head.forEach((byte, at) => {
    if (byte === 0) zeros[at % 2] = (zeros[at % 2] ?? 0) + 1
  })
  const least = MIN_ZEROS * (head.length / 2)
  if ((zeros[1] ?? 0) > least) return 'utf-16le'
  return (zeros[0] ?? 0) > least ? 'utf-16be' : undefined
}
