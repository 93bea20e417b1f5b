// What a file is, told by its bytes and never by its name. Decides what is read here and names what is not.
import { AppError } from '../errors.ts'

/** The kinds that some decoder of this room reads. */
export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'tiff' | 'dicom'

interface Signature {
  readonly at: number
  /** Latin-1 text of the bytes. */
  readonly bytes: string
}

const READ: Readonly<Record<ImageFormat, readonly Signature[]>> = {
  // PS3.10 section 7.1: 128 bytes of preamble, which may look like a TIFF, then the prefix.
  dicom: [{ at: 128, bytes: 'DICM' }],
  jpeg: [{ at: 0, bytes: '\xff\xd8\xff' }],
  png: [{ at: 0, bytes: '\x89PNG\r\n\x1a\n' }],
  webp: [{ at: 8, bytes: 'WEBP' }],
  tiff: [
    { at: 0, bytes: 'II\x2a\x00' },
    { at: 0, bytes: 'MM\x00\x2a' },
    { at: 0, bytes: 'II\x2b\x00' },
    { at: 0, bytes: 'MM\x00\x2b' },
  ],
}

const REFUSED: readonly (Signature & { readonly name: string })[] = [
  { at: 0, bytes: 'GIF8', name: 'a GIF' },
  { at: 0, bytes: 'BM', name: 'a BMP' },
  { at: 0, bytes: '%PDF', name: 'a PDF' },
  { at: 0, bytes: 'PK\x03\x04', name: 'a ZIP archive' },
  { at: 0, bytes: '\x1f\x8b', name: 'a gzip archive' },
  { at: 0, bytes: '8BPS', name: 'a Photoshop file' },
  { at: 0, bytes: '\x00\x00\x00\x0cjP  ', name: 'a JPEG 2000 image' },
  { at: 0, bytes: '\xff\x4f\xff\x51', name: 'a JPEG 2000 image' },
  { at: 0, bytes: '\x00\x00\x00\x0cJXL ', name: 'a JPEG XL image' },
  { at: 0, bytes: '\xff\x0a', name: 'a JPEG XL image' },
  { at: 0, bytes: '\x89HDF', name: 'an HDF5 file' },
]

/**
 * The kind of file that `bytes` is.
 * @throws AppError `undecodable-image` when empty, `unsupported-image` naming what it is instead of a readable image
 */
export function imageFormat(bytes: Uint8Array): ImageFormat {
  if (bytes.length === 0) throw new AppError('undecodable-image', 'The file is empty.')
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1024))
  const has = ({ at, bytes: wanted }: Signature) =>
    head.subarray(at, at + wanted.length).toString('latin1') === wanted

  for (const [format, signatures] of Object.entries(READ) as [ImageFormat, Signature[]][]) {
    if (signatures.some(has)) return format
  }
  if (looksLikeBareDicom(head)) return 'dicom'
  const name = REFUSED.find(has)?.name ?? nameOfContainer(head) ?? nameOfText(head)
  throw new AppError(
    'unsupported-image',
    `This file is ${name ?? 'not a supported image'}; send a DICOM, JPEG, PNG, WebP or TIFF file.`,
  )
}

/**
 * A data set without preamble: it opens with an element of group 0002 or 0008 in little endian, whose length is
 * plausible (explicit: two capital letters of a value representation; implicit: a length that is even and small).
 */
function looksLikeBareDicom(head: Buffer): boolean {
  if (head.length < 16) return false
  const group = head.readUInt16LE(0)
  if (group !== 0x0002 && group !== 0x0008) return false
  const explicit = /^[A-Z]{2}$/.test(head.toString('latin1', 4, 6))
  const length = head.readUInt32LE(4)
  return explicit || (length > 0 && length % 2 === 0 && length <= 256)
}

/** ISO base media files say their brand at byte 8. */
function nameOfContainer(head: Buffer): string | undefined {
  if (head.toString('latin1', 4, 8) !== 'ftyp') return undefined
  const brand = head.toString('latin1', 8, 12)
  if (/^avi[fs]$/.test(brand)) return 'an AVIF image'
  return /^(hei|hev|mif1|msf1)/.test(brand) ? 'a HEIF (HEIC) image' : 'a video'
}

function nameOfText(head: Buffer): string | undefined {
  const text = head.toString('utf8').trimStart()
  if (/^(<\?xml[^>]*>\s*)?(<!--[\s\S]*?-->\s*)*(<!DOCTYPE svg[\s\S]*)?<svg[\s>]/i.test(text)) {
    return 'an SVG drawing'
  }
  if (/<svg[\s>]/i.test(text) && /^<[?!]/.test(text)) return 'an SVG drawing'
  if (/^<(!doctype html|html|head|body|script|!--)/i.test(text)) return 'an HTML page'
  if (text.startsWith('<?xml')) return 'an XML file'
  return /^[\t\n\r\x20-\x7e]+$/.test(head.toString('latin1')) ? 'a text file' : undefined
}
