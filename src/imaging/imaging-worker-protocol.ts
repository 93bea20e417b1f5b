// The messages between the imaging pool and its workers; imports no code, so that the pool's process loads no decoder.
import type { ErrorCode } from '../errors.ts'
import type { ImagingJob, JobResult, ReadImage } from './imaging-job.ts'

export interface JobMessage {
  readonly id: number
  readonly job: ImagingJob
}

export interface JobError {
  readonly code: ErrorCode
  readonly message: string
  /** What the decoder said; for the log. */
  readonly cause: string | undefined
}

export type ReplyMessage =
  | { readonly id: number; readonly result: JobResult }
  | { readonly id: number; readonly error: JobError }
  /** What a model needs, ahead of the result, which then comes without tensors. */
  | { readonly id: number; readonly prepared: ReadImage }
  | { readonly ready: true }

/** Exit status that tells the parent why. */
export const OUT_OF_MEMORY = 70
