// A host for a request of a version that was loaded before: its own host may have ended since, and the next one may be killed
// while it loads. What that request is told; starting hosts is served-version.ts.
import { isAppError } from '../errors.ts'
import { notLoadedAgain, wasKilledWhileLoading } from './host/host-errors.ts'
import type { ModelHost } from './host/model-host.ts'
import { isRefusal } from './runtime-refusals.ts'

/** Starts that one request waits for when hosts are killed while they load. */
const MAX_STARTS = 2

export interface RequestedHost {
  /** `condition/name@n` */
  readonly id: string
  readonly isByName: boolean
  readonly isStopped: () => boolean
}

/**
 * The graph was sound, so that it cannot be loaded again is a trouble of the moment: 503 and not 409. A version that was asked
 * for by name and whose files are damaged by now is refused for that.
 * @throws AppError `unavailable`, `loading`, `hash-mismatch`
 */
export async function hostForRequest(
  ready: () => Promise<ModelHost>,
  { id, isByName, isStopped }: RequestedHost,
): Promise<ModelHost> {
  for (let starts = 1; ; starts++) {
    try {
      return await ready()
    } catch (error) {
      const mayRetry = wasKilledWhileLoading(error) && !isStopped()
      if (mayRetry && starts < MAX_STARTS) continue
      const isDamaged = isAppError(error) && error.code === 'hash-mismatch'
      if (!isRefusal(error) || (isDamaged && isByName)) throw error
      throw notLoadedAgain(id, error)
    }
  }
}
