// A request that came while the server starts waits for it, but not for ever.
import { AppError } from '../errors.ts'

const PATIENCE_MS = 10_000

/** @throws AppError `loading` when it takes longer than ten seconds */
export async function waitFor(promise: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const error = new AppError('loading', 'Roentgen is still starting; try again in a moment.', {
      retryAfterSeconds: 2,
    })
    timer = setTimeout(() => reject(error), PATIENCE_MS)
  })
  try {
    await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
