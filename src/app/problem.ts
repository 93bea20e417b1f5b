// Any thrown thing as an error with a code, and as an RFC 9457 problem: the same words in an API answer, in a line of a
// batch and in a job's record.
import { AppError, diskFull, type ErrorCode, isAppError, isDiskFull } from '../errors.ts'

/** RFC 9457, with our stable `code`. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: ErrorCode
}

/** Any thrown thing as an AppError; what is not one becomes `internal` and must be logged by the caller. */
export function asAppError(error: unknown): AppError {
  if (isAppError(error) && error.code === 'disk-full') return error
  if (isDiskFull(error)) return diskFull(error)
  if (isAppError(error)) return error
  return new AppError('internal', 'An internal error occurred; see the log for details.', {
    cause: error,
  })
}

export function problemOf(error: AppError): Problem {
  return {
    ...error.extra,
    type: `urn:roentgen:problem:${error.code}`,
    title: error.title,
    status: error.status,
    detail: error.message,
    code: error.code,
  }
}
