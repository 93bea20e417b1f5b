// What can be asked of an imaging worker, and the work itself. Runs in the worker's process (imaging-worker.ts).
import { createHash } from 'node:crypto'
import type { Sharp } from 'sharp'
import { AppError } from '../errors.ts'
import { decodeImage } from './decode.ts'
import { readStudyIdentity, type StudyIdentity } from './dicom/study-identity.ts'
import { type HeatmapRequest, heatmapPng } from './heatmap.ts'
import type { Passport } from './passport.ts'
import type { DecodedImage, ImageLimits } from './pixels.ts'
import { preprocess } from './preprocess.ts'
import type { Preprocessing } from './preprocessing.ts'
import { eightBit, jpegForPrint, keptPng, webpPreview } from './rendition.ts'
import { type Impression, impressionOf } from './suitability/impression.ts'

export interface ReadJob {
  readonly kind: 'read'
  readonly bytes: Uint8Array
  readonly limits: ImageLimits
  readonly preprocessing: readonly Preprocessing[]
  readonly keep: boolean
  /** Tell of the tensors before the lossless PNG is made. */
  readonly ahead?: boolean
  /** Frame of a file that holds several, counted from 1. */
  readonly frame?: number | undefined
}

export interface PreviewJob {
  readonly kind: 'preview'
  readonly bytes: Uint8Array
  readonly limits: ImageLimits
  readonly maxSide: number
}

export interface HeatmapJob extends HeatmapRequest {
  readonly kind: 'heatmap'
  readonly limits: ImageLimits
  /** An image of width x height to lay the map over; the result is then opaque. */
  readonly composite?: Uint8Array
}

export interface PrintJob {
  readonly kind: 'print'
  readonly bytes: Uint8Array
  readonly limits: ImageLimits
  readonly maxSide: number
  /** A map to lay over the picture, at whatever size that comes to have. */
  readonly heatmap?: Omit<HeatmapRequest, 'width' | 'height'> | undefined
}

/** The image with its map upon it, as bare values. */
export interface BurnJob extends HeatmapRequest {
  readonly kind: 'burn'
  readonly limits: ImageLimits
  readonly bytes: Uint8Array
}

/** Whose image a DICOM file is. */
export interface IdentifyJob {
  readonly kind: 'identify'
  readonly bytes: Uint8Array
}

export type ImagingJob = ReadJob | PreviewJob | HeatmapJob | PrintJob | BurnJob | IdentifyJob
export type JobResult = ReadImage | Uint8Array | StudyIdentity

export interface ReadImage {
  /** After orientation. */
  readonly width: number
  readonly height: number
  readonly format: DecodedImage['format']
  readonly warnings: readonly string[]
  /** Pages or frames of the file. */
  readonly frames: number
  /** What the decoder did to the pixels, and the tags that may be known. */
  readonly passport: Passport
  /** What it looks like from afar; for imageWarnings. */
  readonly impression: Impression
  /** Of the uploaded bytes, lower-case hex. */
  readonly sha256: string
  /** One for each preprocessing that was asked for: [height, width, channels]. */
  readonly tensors: readonly Float32Array[]
  /** Lossless PNG of the oriented pixels without metadata, when `keep` was asked for. */
  readonly kept?: Uint8Array
  /** Milliseconds; `decode` includes hashing and the impression, `preprocess` all tensors. */
  readonly timings: { readonly decode: number; readonly preprocess: number; readonly keep: number }
}

/** @throws AppError of decodeImage */
export async function runJob(
  job: ImagingJob,
  onPrepared: (prepared: ReadImage) => void = () => {},
): Promise<JobResult> {
  switch (job.kind) {
    case 'read':
      return read(job, onPrepared)
    case 'preview':
      return webpPreview((await decodeImage(job.bytes, job.limits)).pixels, job.maxSide)
    case 'print':
      return jpegForPrint((await decodeImage(job.bytes, job.limits)).pixels, job)
    case 'heatmap':
      return job.composite
        ? (await composed(job, job.composite)).png({ compressionLevel: 3 }).toBuffer()
        : heatmapPng(job)
    case 'burn':
      return (await composed(job, job.bytes)).raw().toBuffer()
    case 'identify':
      return readStudyIdentity(job.bytes)
  }
}

async function read(job: ReadJob, onPrepared: (prepared: ReadImage) => void): Promise<ReadImage> {
  const { bytes, limits, preprocessing, keep, frame } = job
  const started = performance.now()
  const { pixels, ...about } = await decodeImage(bytes, { ...limits, frame })
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const impression = impressionOf(pixels)
  const decoded = performance.now()
  const tensors = preprocessing.map((one) => preprocess(pixels, one))
  const preprocessed = performance.now()
  const { width, height } = pixels
  const timings = { decode: decoded - started, preprocess: preprocessed - decoded, keep: 0 }
  const prepared = { width, height, ...about, impression, sha256, tensors, timings }
  if (!keep) return prepared
  if (job.ahead) onPrepared(prepared)
  const kept = await keptPng(pixels)
  return {
    ...prepared,
    tensors: job.ahead ? [] : tensors,
    timings: { ...timings, keep: performance.now() - preprocessed },
    kept,
  }
}

/** RGB with 8 bits. */
async function composed(job: HeatmapJob | BurnJob, beneath: Uint8Array): Promise<Sharp> {
  const { pixels } = await decodeImage(beneath, job.limits)
  if (pixels.width !== job.width || pixels.height !== job.height) {
    throw new AppError('internal', 'The heatmap and its image differ in size.')
  }
  const overlay = Buffer.from(heatmapPng(job))
  return eightBit(pixels)
    .composite([{ input: overlay }])
    .removeAlpha()
    .toColourspace('srgb')
}
