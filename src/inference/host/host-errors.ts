// What a caller is told when a host cannot answer.
import { AppError, isAppError } from '../../errors.ts'
import type { HostError } from './host-messages.ts'

/** @param id `condition/name@n` */
export function notLoaded(id: string, cause: Error): AppError {
  const message = `${id} could not be loaded: its process ended while loading.`
  return new AppError('load-failed', message, { cause })
}

/** It may be tried again on the next host. */
export function gone(id: string, cause: Error): AppError {
  const message = `The process of ${id} ended before responding; try again.`
  return new AppError('unavailable', message, { cause, retryAfterSeconds: 1 })
}

/** Its process was killed from outside while it was being loaded: that says nothing of the version. */
export function killedWhileLoading(id: string, cause: unknown): AppError {
  const message = `The process of ${id} was killed while it was being loaded; please try again.`
  return new AppError('unavailable', message, {
    cause,
    retryAfterSeconds: 5,
    extra: { killedWhileLoading: true },
  })
}

export function wasKilledWhileLoading(error: unknown): boolean {
  return isAppError(error) && error.extra.killedWhileLoading === true
}

/** It was loaded before from the same files and cannot be loaded now. */
export function notLoadedAgain(id: string, cause: AppError): AppError {
  const message = `${id} cannot be loaded again just now: ${cause.message}`
  return new AppError('unavailable', message, { cause, retryAfterSeconds: 10 })
}

export function excess(code: 'load-failed' | 'unavailable', sentence: string): AppError {
  const extra = { excess: true }
  return new AppError(code, sentence, {
    extra,
    ...(code === 'unavailable' && { retryAfterSeconds: 30 }),
  })
}

/** The model itself took too long or too much: another try would too. */
export function isExcess(error: unknown): boolean {
  return isAppError(error) && error.extra.excess === true
}

export function asAppError({ code, message, cause }: HostError): AppError {
  return new AppError(code, message, { cause: new Error(cause) })
}
