// How an imaging worker ended, and what its request is told. Whether the request is tried again is imaging-pool.ts.
import { AppError } from '../errors.ts'
import { wasKilled } from '../processes/killed.ts'
import { OUT_OF_MEMORY } from './imaging-worker-protocol.ts'

export interface Death {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** It was ended here, because its job took too long. */
  readonly timedOut: boolean
}

/** It says nothing about the image. */
export function isFromOutside({ timedOut, signal }: Death): boolean {
  return !timedOut && wasKilled(signal)
}

/** The image is the likely reason. */
export function imageFailed(death: Death): AppError {
  const reason = death.timedOut
    ? 'takes too long to decode'
    : death.code === OUT_OF_MEMORY
      ? 'needs too much memory to decode'
      : 'made the decoder fail'
  const message = `The image ${reason}; export it again or send a smaller rendition.`
  return new AppError('undecodable-image', message, { cause: endOf(death) })
}

export function killedTwice(death: Death): AppError {
  const message =
    'The process that reads images was killed twice; the image is not the reason. Please try again in a moment.'
  return new AppError('unavailable', message, { cause: endOf(death), retryAfterSeconds: 5 })
}

export function notStarted(death: Death): AppError {
  const message = 'The image decoder does not start on this machine; run "roentgen doctor".'
  return new AppError('unavailable', message, { cause: endOf(death) })
}

function endOf({ code, signal }: Death): Error {
  return new Error(`imaging worker ended with ${code ?? signal}`)
}
