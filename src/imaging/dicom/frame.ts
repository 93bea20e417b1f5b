// One frame as its samples lie in the file after decompression, and the errors that every decoder of a frame shares.
import { AppError } from '../../errors.ts'
import type { ImageHeader } from './image-header.ts'

/** width * height * samples cells, pixel by pixel, unsigned as they lie; their meaning is in the header's tags. */
export interface Frame {
  readonly cells: Uint8Array | Uint16Array
  /** Three samples are red, green and blue whatever the header calls them: the decoder has converted them. */
  readonly isRgb?: boolean
  /** Bits of a sample, where the compressed image has fewer than the header allocates. */
  readonly bits?: 8
  /** Where the file contradicts itself, for the person who sent it. */
  readonly warnings?: readonly string[]
}

/** What a codestream says about itself before it is decoded. */
export interface CodedSize {
  readonly width: number
  readonly height: number
  readonly components: number
  readonly precision: number
}

/** Checked before anything is allocated for a codestream, because its header may lie as well as the file's. */
export function checkCodedSize(coded: CodedSize, header: ImageHeader): void {
  const { width, height, components, precision } = coded
  const same = width === header.width && height === header.height && components === header.samples
  if (!same) {
    throw new AppError(
      'undecodable-image',
      `The DICOM header says ${header.width} x ${header.height} pixels with ${header.samples} sample(s), ` +
        `its compressed image ${width} x ${height} with ${components}; export it again.`,
    )
  }
  if (precision < 1 || precision > 16) {
    throw new AppError(
      'unsupported-image',
      `The compressed image stores ${precision} bits a value; images of 8 to 16 bits are read.`,
    )
  }
}

export function cutOff(): AppError {
  return new AppError(
    'undecodable-image',
    'The DICOM image is cut off: it holds fewer pixels than its header says. Copy or export it again.',
  )
}

export function damagedFrame(coding: string): AppError {
  return new AppError(
    'undecodable-image',
    `The compressed image (${coding}) inside the DICOM file is damaged; copy or export it again.`,
  )
}
