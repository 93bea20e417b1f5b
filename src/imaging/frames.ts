// Which frame of a multi-frame file is read: the first unless another is asked for.
import { AppError } from '../errors.ts'

/** Counted from 1. @throws AppError `invalid` when the file has no such frame */
export function chosenFrame(wanted: number | undefined, frames: number): number {
  const frame = wanted ?? 1
  if (Number.isInteger(frame) && frame >= 1 && frame <= frames) return frame
  throw new AppError(
    'invalid',
    frames === 1
      ? 'The file holds a single frame; leave the frame out.'
      : `The file holds ${frames} frames; choose one from 1 to ${frames}.`,
    { extra: { field: 'frame' } },
  )
}

/** A sentence that says so where nobody chose among several frames. */
export function moreFrames(frames: number, wanted: number | undefined): string[] {
  if (frames === 1 || wanted !== undefined) return []
  return [`The file holds ${frames} pages or frames; only the first is read.`]
}
