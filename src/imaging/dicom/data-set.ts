// The attributes of a DICOM file up to its pixel data, walked by dicom-parser under a limit. Values are read on request
// (attributes.ts): nothing here turns a patient's name into a string.
import { inflateRawSync } from 'node:zlib'
import dicomParser, { type Element } from 'dicom-parser'
import { AppError } from '../../errors.ts'
import { type TransferSyntax, transferSyntax } from './transfer-syntax.ts'

/** A data set, or an item of one of its sequences. */
export interface Attributes {
  /** The whole file, inflated where it was deflated; elements point into it. */
  readonly bytes: Uint8Array
  readonly bigEndian: boolean
  /** By dicom-parser's spelling of a tag: x00280010. */
  readonly elements: Readonly<Record<string, Element | undefined>>
}

export interface DicomFile {
  readonly syntax: TransferSyntax
  readonly attributes: Attributes
}

/** Most bytes before the pixel data: tables, icons and functional groups of any real file are far smaller. */
const MAX_HEADER_BYTES = 8 * 1024 * 1024
/** Most bytes that a deflated data set may grow to. */
const MAX_INFLATED_BYTES = 512 * 1024 * 1024
const PIXEL_DATA = 'x7fe00010'

/** @throws AppError `unsupported-image`, `undecodable-image` or `upload-too-large` */
export function readDicomFile(file: Uint8Array): DicomFile {
  const start = latin1(file, 128, 4) === 'DICM' ? 132 : 0
  const meta = readMeta(file, start)
  const looksExplicit = /^[A-Z]{2}$/.test(latin1(file, meta.end + 4, 2))
  const syntax = transferSyntax(meta.transferSyntax, { looksExplicit })
  const deflated = syntax.deflated
  const bytes = deflated ? inflated(file.subarray(meta.end)) : file
  const { explicit, bigEndian } = syntax
  const elements = walk(bytes, { start: deflated ? 0 : meta.end, explicit, bigEndian })
  return { syntax, attributes: { bytes, bigEndian, elements } }
}

/** The group 0002, which is explicit little endian whatever follows. Absent in files without header. */
function readMeta(
  bytes: Uint8Array,
  start: number,
): { end: number; transferSyntax: string | undefined } {
  let found: string | undefined
  let end = start
  try {
    const parser = dicomParser.littleEndianByteArrayParser
    const stream = new dicomParser.ByteStream(parser, bytes, start)
    while (end + 8 <= bytes.length && (bytes[end] ?? 0) === 2 && bytes[end + 1] === 0) {
      const { tag, dataOffset, length } = dicomParser.readDicomElementExplicit(stream)
      if (tag === 'x00020010') found = latin1(bytes, dataOffset, Math.min(length, 64))
      end = stream.position
    }
  } catch {
    throw damaged()
  }
  return { end, transferSyntax: found?.replace(/[\0 ]+$/, '') || undefined }
}

function inflated(bytes: Uint8Array): Uint8Array {
  try {
    return inflateRawSync(bytes, { maxOutputLength: MAX_INFLATED_BYTES })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') throw damaged()
    throw new AppError(
      'upload-too-large',
      `The deflated DICOM file grows to more than ${MAX_INFLATED_BYTES / 1024 / 1024} MiB; send it uncompressed or smaller.`,
    )
  }
}

interface Walk {
  readonly start: number
  readonly explicit: boolean
  readonly bigEndian: boolean
}

function walk(file: Uint8Array, { start, explicit, bigEndian }: Walk): Record<string, Element> {
  const bytes = file.subarray(0, start + MAX_HEADER_BYTES)
  const dataSet = { elements: {} as Record<string, Element>, warnings: [], byteArray: bytes }
  const parser = bigEndian
    ? dicomParser.bigEndianByteArrayParser
    : dicomParser.littleEndianByteArrayParser
  const parse = explicit
    ? dicomParser.parseDicomDataSetExplicit
    : dicomParser.parseDicomDataSetImplicit
  try {
    const stream = new dicomParser.ByteStream(parser, bytes, start)
    parse(dataSet as unknown as Parameters<typeof parse>[0], stream, bytes.length, {
      untilTag: PIXEL_DATA,
    })
  } catch {
    // What it throws may hold the data set, so it is not passed on as a cause.
    if (bytes.length === file.length) throw damaged()
    const limit = MAX_HEADER_BYTES / 1024 / 1024
    throw new AppError(
      'undecodable-image',
      `The DICOM header is damaged, or longer than ${limit} MiB; export the image again.`,
    )
  }
  return dataSet.elements
}

function damaged(): AppError {
  return new AppError(
    'undecodable-image',
    'The DICOM file is cut off or damaged before its pixels begin; copy or export it again.',
  )
}

function latin1(bytes: Uint8Array, at: number, length: number): string {
  return Buffer.from(bytes.subarray(at, at + length)).toString('latin1')
}
