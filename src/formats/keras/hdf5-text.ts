// Text out of HDF5: h5py marks byte strings as ASCII and puts UTF-8 into them; the library reads those byte by byte.

/** The byte behind each character that the library's "ascii", which is windows-1252, makes of bytes above 127. */
const BYTES = new Map<string, number>(
  Array.from({ length: 128 }, (_, index) => [
    new TextDecoder('windows-1252').decode(new Uint8Array([index + 128])),
    index + 128,
  ]),
)
const HIGH = /[^\0-\x7f]/

/** `text` as it was read byte by byte; the UTF-8 that those bytes are, or `text` itself when they are none. */
export function utf8Of(text: string): string {
  if (!HIGH.test(text)) return text
  const bytes = Uint8Array.from(text, (letter) => BYTES.get(letter) ?? letter.charCodeAt(0) & 0xff)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return text
  }
}
