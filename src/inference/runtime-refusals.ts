// Why the runtime refuses, in words.
import { AppError, isAppError } from '../errors.ts'

export function superseded(): AppError {
  return new AppError('conflict', 'A newer version was activated for this condition meanwhile.')
}

/** The version is at fault, not the moment. */
export function isRefusal(error: unknown): error is AppError {
  return (
    isAppError(error) && ['hash-mismatch', 'load-failed', 'invalid-package'].includes(error.code)
  )
}
