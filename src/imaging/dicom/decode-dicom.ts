// A DICOM file to pixels, warnings and passport: header, one frame, its decoder, its rendering. Runs on hostile input, so it
// belongs into an imaging worker; nothing but what passport-tags.ts allows leaves it as text.
import { AppError, isAppError } from '../../errors.ts'
import { chosenFrame, moreFrames } from '../frames.ts'
import type { DecodedImage, ImageLimits } from '../pixels.ts'
import { findText, representation } from './attributes.ts'
import { decodeCodestream } from './codecs/codestreams.ts'
import { decodeJpegFrame } from './codecs/jpeg.ts'
import { rleFrame } from './codecs/rle.ts'
import { renderColour, renderPalette } from './colour-image.ts'
import { type DicomFile, readDicomFile } from './data-set.ts'
import { encapsulatedFrame } from './fragments.ts'
import type { Frame } from './frame.ts'
import { type RenderedFrame, renderGrey } from './grey-image.ts'
import { readGreyRules } from './grey-values.ts'
import { type ImageHeader, isGrey, readImageHeader } from './image-header.ts'
import { nativeFrame } from './native-frame.ts'
import { passportTags, tagWarnings } from './passport-tags.ts'

/** Of a compressed image with 8 bits a sample, whatever the header allocates for it. */
const EIGHT_BITS = { bitsAllocated: 8, bitsStored: 8, highBit: 7 } as const

export interface DicomOptions extends Pick<ImageLimits, 'maxPixels'> {
  /** Counted from 1. */
  readonly frame?: number | undefined
}

/** @throws AppError `unsupported-image`, `undecodable-image`, `too-many-pixels`, `upload-too-large`, `invalid` */
export async function decodeDicom(bytes: Uint8Array, options: DicomOptions): Promise<DecodedImage> {
  try {
    return await decode(bytes, options)
  } catch (error) {
    if (isAppError(error)) throw error
    // A file that no rule above foresaw.
    throw new AppError(
      'undecodable-image',
      'The DICOM file is damaged in a way that cannot be read; export it again.',
      error instanceof Error ? { cause: error } : {},
    )
  }
}

async function decode(bytes: Uint8Array, options: DicomOptions): Promise<DecodedImage> {
  const file = readDicomFile(bytes)
  const header = readImageHeader(file, options)
  const { frames } = header
  const index = chosenFrame(options.frame, frames) - 1
  const frame = await readFrame(file, { header, index })
  const shown = frame.bits === 8 ? { ...header, ...EIGHT_BITS } : header
  const { pixels, steps, warnings } = render(frame, { file, header: shown, index })
  const tags = passportTags(file.attributes, header)
  const lossy = findText(file.attributes, 'x00282110') === '01'
  return {
    pixels,
    format: 'dicom',
    frames,
    warnings: [
      ...moreFrames(frames, options.frame),
      ...tagWarnings(tags),
      ...(frame.warnings ?? []),
      ...warnings,
    ],
    passport: {
      steps: [
        ...(frames > 1 ? [`frame ${index + 1} of ${frames} chosen`] : []),
        `decoded: ${file.syntax.name}${lossy ? ' (compressed with loss before)' : ''}`,
        ...steps,
      ],
      tags,
    },
  }
}

interface Chosen {
  readonly header: ImageHeader
  /** Counted from 0. */
  readonly index: number
}

async function readFrame(
  { attributes, syntax }: DicomFile,
  { header, index }: Chosen,
): Promise<Frame> {
  const { bigEndian } = syntax
  const pixelData = attributes.elements.x7fe00010
  const undefinedLength = pixelData?.hadUndefinedLength === true
  if (!pixelData || undefinedLength !== syntax.encapsulated) {
    throw new AppError(
      'undecodable-image',
      'The DICOM file contradicts itself about whether its pixels are compressed; export it again.',
    )
  }
  if (!syntax.encapsulated) {
    const end = pixelData.dataOffset + pixelData.length
    const bytes = attributes.bytes.subarray(pixelData.dataOffset, end)
    const pixels = { bytes, bigEndian, representation: representation(attributes, 'x7fe00010') }
    return nativeFrame(pixels, { header, index })
  }
  const { bytes: coded, warnings } = encapsulatedFrame(attributes, { index, frames: header.frames })
  const frame = await decodeFrame(coded, { syntax, header })
  return { ...frame, warnings: [...warnings, ...(frame.warnings ?? [])] }
}

async function decodeFrame(
  coded: Uint8Array,
  { syntax, header }: { readonly syntax: DicomFile['syntax']; readonly header: ImageHeader },
): Promise<Frame> {
  const { bigEndian } = syntax
  switch (syntax.coding) {
    case 'native':
      return nativeFrame(
        { bytes: coded, bigEndian, representation: undefined },
        { header: { ...header, frames: 1 }, index: 0 },
      )
    case 'rle':
      return rleFrame(coded, header)
    case 'jpeg':
    case 'jpeg-lossless':
      return decodeJpegFrame(coded, header)
    default:
      return decodeCodestream(coded, { kind: syntax.coding, header })
  }
}

function render(
  frame: Frame,
  { file, header, index }: Chosen & { readonly file: DicomFile },
): RenderedFrame {
  const { attributes, syntax } = file
  if (isGrey(header.photometric)) {
    const aligned = syntax.coding !== 'native' && syntax.coding !== 'rle'
    return renderGrey(frame, readGreyRules(attributes, { header, index, aligned }))
  }
  if (header.photometric === 'PALETTE COLOR') {
    return renderPalette(frame, { attributes, header })
  }
  return renderColour(frame, header)
}
