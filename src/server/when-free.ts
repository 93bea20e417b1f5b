// People come first: work on many images has time, and waits while their requests fill the queues or a version is loaded.
import { setTimeout as after } from 'node:timers/promises'
import type { Home } from './home.ts'
import { asAppError } from './problem.ts'

const PAUSE_MS = 250
/** Half a minute for one image. */
const MOST_TRIES = 120

/** Does it until it is not refused as `busy` or `loading`, for half a minute or until either signal. @throws what `work` throws */
export async function whenFree<T>(
  { leaving }: Pick<Home, 'leaving'>,
  { work, signal }: { readonly work: () => Promise<T>; readonly signal?: AbortSignal | undefined },
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      const { code } = asAppError(error)
      const passes = code === 'busy' || code === 'loading'
      if (!passes || tries === MOST_TRIES || signal?.aborted || leaving.aborted) throw error
      await after(PAUSE_MS)
    }
  }
}
