// A hold on the version that answers for a condition. Between the commit of an activation and the switch of requests lie
// some milliseconds in which the registry names the new version while the old one still answers: who has read the new
// name must not then get the old answer, so a request waits that moment out.
import { setTimeout as after } from 'node:timers/promises'
import { isAppError } from '../../errors.ts'
import type { Lease } from '../../inference/lease.ts'
import { getCondition } from '../../registry/conditions/conditions.ts'
import type { Uses } from '../services.ts'

type LeasingServices = Uses<'db' | 'runtime' | 'makeReady'>

/** A switch that takes longer than this has failed, and the activation is about to be taken back. */
const PATIENCE_MS = 500
const PAUSE_MS = 5

/** @throws AppError `no-active-version`, `busy`, `loading`, `unavailable` */
export async function leaseOfActive(services: LeasingServices, condition: string): Promise<Lease> {
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    // Asked before the lease: what was the truth then must not be older than what answers.
    const { active } = await getCondition(services.db, condition)
    const lease = await leaseOrWait(services, condition)
    const isSettled = active === null || active.activation === lease.activationId
    if (isSettled || performance.now() > until) return lease
    lease.release()
    await after(PAUSE_MS)
  }
}

/** While the first start is still activating the demonstration, a request waits for it as it waits for a host. */
async function leaseOrWait(services: LeasingServices, condition: string): Promise<Lease> {
  try {
    return await services.runtime.lease(condition)
  } catch (error) {
    if (!isAppError(error) || error.code !== 'no-active-version') throw error
    await services.makeReady(condition)
    return services.runtime.lease(condition)
  }
}
