// What a server does by the clock: it forgets what has expired, keeps no more than the settings say, and looks at every file
// of every package once a day.
import { isClockDoubted } from '../registry/home/clock-watch.ts'
import { expirePredictions } from '../registry/predictions/predictions.ts'
import { verifyAll } from '../registry/versions/verify-all.ts'
import type { Uses } from './services.ts'
import { applyRetention, pruneServingCopies } from './serving-upkeep.ts'
import { sweepStaging } from './sweep-staging.ts'

const OFTEN_MS = 10 * 60_000
const DAY_MS = 24 * 60 * 60_000

/** Once now, except the look at every file, and again and again until the home is left. */
export async function scheduleMaintenance(
  services: Uses<'clock' | 'config' | 'db' | 'jobs' | 'leaving' | 'log' | 'runtime' | 'store'>,
): Promise<void> {
  every(services, { ms: OFTEN_MS, work: () => leaveByTheClock(services) })
  every(services, { ms: DAY_MS, work: () => verifyAll(services, { signal: services.leaving }) })
  every(services, { ms: OFTEN_MS, work: () => pruneServingCopies(services) })
  await leaveByTheClock(services)
  await pruneServingCopies(services)
}

/** What has had its time, unless time has jumped. */
export async function leaveByTheClock(
  services: Uses<'clock' | 'config' | 'db' | 'jobs' | 'log' | 'store'>,
): Promise<void> {
  if (await isClockDoubted(services)) return
  await applyRetention(services)
  await expirePredictions(services, services)
  await services.jobs.forgetOld()
  await sweepStaging(services)
}

/** A failure is logged and ends nothing. */
function every(
  { leaving, log }: Uses<'leaving' | 'log'>,
  { ms, work }: { readonly ms: number; readonly work: () => Promise<unknown> },
): void {
  if (leaving.aborted) return
  const timer = setInterval(() => {
    void work().catch((error: unknown) => {
      if (!leaving.aborted) log.error({ err: error }, 'housekeeping failed')
    })
  }, ms)
  timer.unref()
  leaving.addEventListener('abort', () => clearInterval(timer))
}
