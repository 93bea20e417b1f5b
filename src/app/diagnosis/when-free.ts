// People come first: work on many images has time, and waits while their requests fill the queues or a version is loaded.
import { setTimeout as after } from 'node:timers/promises'
import { asAppError } from '../problem.ts'
import type { Uses } from '../services.ts'

const PAUSE_MS = 250
/** Half a minute for one image. */
const MAX_TRIES = 120

/** Does it until it is not refused as `busy` or `loading`, for half a minute or until either signal. @throws what `work` throws */
export async function whenFree<T>(
  { leaving }: Uses<'leaving'>,
  { work, signal }: { readonly work: () => Promise<T>; readonly signal?: AbortSignal | undefined },
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      const { code } = asAppError(error)
      const passes = code === 'busy' || code === 'loading'
      if (!passes || tries === MAX_TRIES || signal?.aborted || leaving.aborted) throw error
      await after(PAUSE_MS)
    }
  }
}
