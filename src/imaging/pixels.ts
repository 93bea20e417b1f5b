// The one shape that every decoder gives and that preprocessing takes.
import type { Passport } from './passport.ts'

/** Pixels after orientation: row-major, channels interleaved, top-left first. `data` has width * height * channels values. */
export interface Pixels {
  readonly width: number
  readonly height: number
  /** 1 is grey (0 black), 3 is RGB. */
  readonly channels: 1 | 3
  readonly data: Uint8Array | Uint16Array
  /** The value that means white, and tells the type of `data`. */
  readonly maxValue: 255 | 65535
}

export interface DecodedImage {
  readonly pixels: Pixels
  readonly format: 'jpeg' | 'png' | 'webp' | 'tiff' | 'dicom'
  /** Sentences for the person who sent the file, e.g. that only the first page was read. */
  readonly warnings: readonly string[]
  /** Pages or frames of the file; one of them is in `pixels`. */
  readonly frames: number
  /** What the decoder did; preprocessing is not part of it. */
  readonly passport: Passport
}

export interface ImageLimits {
  /** Largest file. */
  readonly maxBytes: number
  /** Largest width * height. */
  readonly maxPixels: number
}
