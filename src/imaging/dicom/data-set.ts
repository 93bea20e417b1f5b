// The attributes of a DICOM file up to its pixel data. Where they lie is elements.ts; values are read on request
// (attributes.ts): nothing here turns a patient's name into a string.
import { inflateRawSync } from 'node:zlib'
import { AppError } from '../../errors.ts'
import { damagedHeader, type Elements, walkElements } from './elements.ts'
import { type TransferSyntax, transferSyntax } from './transfer-syntax.ts'

/** A data set, or an item of one of its sequences. */
export interface Attributes {
  /** The whole file, inflated where it was deflated; elements point into it. */
  readonly bytes: Uint8Array
  readonly bigEndian: boolean
  readonly elements: Elements
}

export interface DicomFile {
  readonly syntax: TransferSyntax
  readonly attributes: Attributes
}

/** Most bytes that a deflated data set may grow to. */
const MAX_INFLATED_BYTES = 512 * 1024 * 1024
const LONG_VR = /^(O[BDFLVW]|SQ|SV|U[CNRTV])$/

/** @throws AppError `unsupported-image`, `undecodable-image` or `upload-too-large` */
export function readDicomFile(file: Uint8Array): DicomFile {
  const start = latin1(file, 128, 4) === 'DICM' ? 132 : 0
  const meta = readMeta(file, start)
  const looksExplicit = /^[A-Z]{2}$/.test(latin1(file, meta.end + 4, 2))
  const declared = transferSyntax(meta.transferSyntax, { looksExplicit })
  const bytes = declared.deflated ? inflated(file.subarray(meta.end)) : file
  const { explicit } = declared
  const from = declared.deflated ? 0 : meta.end
  const { elements, bigEndian } = walkElements(bytes, {
    start: from,
    explicit,
    bigEndian: declared.bigEndian,
  })
  return { syntax: { ...declared, bigEndian }, attributes: { bytes, bigEndian, elements } }
}

/** The group 0002, which is explicit little endian whatever follows. Absent in files without header. */
function readMeta(
  bytes: Uint8Array,
  start: number,
): { end: number; transferSyntax: string | undefined } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let found: string | undefined
  let at = start
  while (at + 8 <= bytes.length && view.getUint16(at, true) === 2) {
    const isLong = LONG_VR.test(latin1(bytes, at + 4, 2))
    if (isLong && at + 12 > bytes.length) throw damagedHeader()
    const length = isLong ? view.getUint32(at + 8, true) : view.getUint16(at + 6, true)
    const data = at + (isLong ? 12 : 8)
    if (data + length > bytes.length) throw damagedHeader()
    if (view.getUint16(at + 2, true) === 0x0010) found = latin1(bytes, data, Math.min(length, 64))
    at = data + length
  }
  return { end: at, transferSyntax: found?.replace(/[\0 ]+$/, '') || undefined }
}

function inflated(bytes: Uint8Array): Uint8Array {
  try {
    return inflateRawSync(bytes, { maxOutputLength: MAX_INFLATED_BYTES })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') throw damagedHeader()
    throw new AppError(
      'upload-too-large',
      `The deflated DICOM file grows to more than ${MAX_INFLATED_BYTES / 1024 / 1024} MiB; send it uncompressed or smaller.`,
    )
  }
}

function latin1(bytes: Uint8Array, at: number, length: number): string {
  return Buffer.from(bytes.subarray(at, at + length)).toString('latin1')
}
