// The image pixel module (PS3.3 C.7.6.3): what the samples are, checked before one of them is touched.
import { AppError } from '../../errors.ts'
import type { ImageLimits } from '../pixels.ts'
import { decimals, findCode, findWord } from './attributes.ts'
import type { Attributes, DicomFile } from './data-set.ts'

const COLOURS = [
  'MONOCHROME1',
  'MONOCHROME2',
  'PALETTE COLOR',
  'RGB',
  'YBR_FULL',
  'YBR_FULL_422',
  'YBR_ICT',
  'YBR_RCT',
] as const
export type Photometric = (typeof COLOURS)[number]

export interface ImageHeader {
  readonly width: number
  readonly height: number
  readonly samples: 1 | 3
  readonly photometric: Photometric
  /** Bits of a cell: 1, 8 or 16. */
  readonly bitsAllocated: 1 | 8 | 16
  readonly bitsStored: number
  readonly highBit: number
  readonly signed: boolean
  /** Colours lie plane by plane instead of pixel by pixel. */
  readonly planar: boolean
  readonly frames: number
  /** Stored values that mean background, both ends included. */
  readonly padding: { readonly low: number; readonly high: number } | undefined
}

/** @throws AppError `unsupported-image`, `undecodable-image` or `too-many-pixels` */
export function readImageHeader(
  { attributes, syntax }: DicomFile,
  { maxPixels }: Pick<ImageLimits, 'maxPixels'>,
): ImageHeader {
  checkForPixels(attributes)
  const [height, width] = [findWord(attributes, 'x00280010'), findWord(attributes, 'x00280011')]
  if (!width || !height) throw broken('says no size (Rows and Columns)')
  if (width * height > maxPixels) {
    throw new AppError(
      'too-many-pixels',
      `The DICOM image has ${width} x ${height} pixels; at most ${(maxPixels / 1e6).toFixed(1)} million are read.`,
    )
  }
  const photometric = readPhotometric(attributes)
  const samples = findWord(attributes, 'x00280002') ?? (isGrey(photometric) ? 1 : 3)
  const expected = isGrey(photometric) || photometric === 'PALETTE COLOR' ? 1 : 3
  if (samples !== 1 && samples !== 3) throw broken('does not have one or three samples a pixel')
  if (samples !== expected) throw broken('contradicts itself about its colours')

  const bitsAllocated = findWord(attributes, 'x00280100') ?? 0
  if (bitsAllocated !== 1 && bitsAllocated !== 8 && bitsAllocated !== 16) {
    throw new AppError(
      'unsupported-image',
      `The DICOM image stores ${bitsAllocated} bits a value; images of 8 to 16 bits are read.`,
    )
  }
  if (bitsAllocated === 1 && syntax.coding !== 'native') throw broken('compresses single bits')
  const bitsStored = findWord(attributes, 'x00280101') || bitsAllocated
  const highBit = findWord(attributes, 'x00280102') ?? bitsStored - 1
  if (bitsStored > bitsAllocated || highBit >= bitsAllocated || highBit < bitsStored - 1) {
    throw broken('contradicts itself about its bits')
  }
  const signed = findWord(attributes, 'x00280103') === 1
  const frames = decimals(attributes, 'x00280008')[0] ?? 1
  return {
    width,
    height,
    samples,
    photometric,
    bitsAllocated,
    bitsStored,
    highBit,
    signed,
    planar: samples === 3 && findWord(attributes, 'x00280006') === 1,
    frames: Number.isInteger(frames) && frames >= 1 ? frames : 1,
    padding: readPadding(attributes, { signed, bitsStored }),
  }
}

export function isGrey(photometric: Photometric): boolean {
  return photometric === 'MONOCHROME1' || photometric === 'MONOCHROME2'
}

function checkForPixels({ elements }: Attributes): void {
  if (elements.x7fe00010) return
  const floats = elements.x7fe00008 ?? elements.x7fe00009
  throw new AppError(
    'unsupported-image',
    floats
      ? 'The DICOM file holds floating-point values, whose white and black are not defined; export a rendered image.'
      : 'The DICOM file holds no picture (it may be a report, a plan or an index); send the image itself.',
  )
}

function readPhotometric(attributes: Attributes): Photometric {
  const text = findCode(attributes, 'x00280004')
  const found = COLOURS.find((one) => one === text)
  if (found) return found
  throw new AppError(
    'unsupported-image',
    'The DICOM image has no supported photometric interpretation (monochrome, palette, RGB or YBR).',
  )
}

/** The value lies as US or SS; its bits are taken as those of a sample are. */
function readPadding(
  attributes: Attributes,
  o: { signed: boolean; bitsStored: number },
): ImageHeader['padding'] {
  const value = findWord(attributes, 'x00280120')
  if (value === undefined) return undefined
  const limit = findWord(attributes, 'x00280121') ?? value
  const [one, other] = [toSigned(value, o), toSigned(limit, o)]
  return { low: Math.min(one, other), high: Math.max(one, other) }
}

function toSigned(word: number, { signed }: { signed: boolean }): number {
  return signed && word >= 0x8000 ? word - 0x10000 : word
}

function broken(what: string): AppError {
  return new AppError(
    'undecodable-image',
    `The DICOM image ${what}; export it again from the archive.`,
  )
}
