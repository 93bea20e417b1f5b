// The second half of an activation: commit, active.json, requests switch. And the way back when the host dies in it.

import { rm } from 'node:fs/promises'
import { AppError, messageOf } from '../../errors.ts'
import type { GateStep } from '../../package/gate-step.ts'
import { parseVersion } from '../../package/ids.ts'
import type { Precision } from '../../package/schema.ts'
import { clearChallenger } from '../challenger/challenger.ts'
import { type Condition, getCondition } from '../conditions/conditions.ts'
import type { PreparedHost, RegistryContext } from '../home/registry-context.ts'
import { pointerPath } from '../home/store.ts'
import { isStoreThere } from '../home/store-marker.ts'
import { type Version, versionRowId } from '../versions/versions.ts'
import { updateActivation } from './activations.ts'
import { readPointer, writePointer } from './active-pointer.ts'
import { stepsOfRefusal } from './gate-steps.ts'
import { clearStale, markStale } from './stale-pointers.ts'

/** An activation under way. `condition` is as it was before it; `steps` grows. */
export interface Attempt {
  readonly condition: Condition
  readonly version: Version
  readonly id: string
  readonly steps: GateStep[]
}

/** From here on this version is the truth, whatever happens next. */
export async function commit(
  ctx: RegistryContext,
  { condition, version, id, steps, precision }: Attempt & { readonly precision: Precision },
): Promise<void> {
  await ctx.db.transaction().execute(async (trx) => {
    const rowId = await versionRowId(trx, version)
    const at = ctx.clock().toISOString()
    await updateActivation(trx, id, { at, outcome: 'activated', precision, steps })
    await trx
      .updateTable('conditions')
      .where('id', '=', condition.id)
      .set({ active_version: rowId, active_activation: id })
      .execute()
    if (condition.challenger?.version === version.id) {
      await clearChallenger(trx, { condition: condition.id, clock: ctx.clock })
    }
  })
}

export async function switchOver(
  ctx: RegistryContext,
  { prepared, ...attempt }: Attempt & { prepared: PreparedHost },
): Promise<void> {
  const { condition, version, id, steps } = attempt
  const started = performance.now()
  let detail = 'active.json written, requests switched'
  // The commit stands; active.json is repaired by the watcher or at the next start.
  if (!(await followTruth(ctx, condition.id))) {
    detail = 'requests switched, but active.json could not be written'
  }
  try {
    await prepared.switchTo(id)
  } catch (error) {
    steps.push(...stepsOfRefusal(error, performance.now() - started))
    await restorePrevious(ctx, { condition, id, steps })
    ctx.log.error({ err: error, version: version.id }, 'requests could not be switched')
    throw new AppError(
      'load-failed',
      `${version.id} stopped before it became active; the previous version stays active.`,
      { cause: messageOf(error), extra: { activation: id, steps } },
    )
  }
  steps.push({ name: 'pointer', ok: true, ms: Math.round(performance.now() - started), detail })
  await updateActivation(ctx.db, id, { steps })
  ctx.log.info({ condition: condition.id, version: version.id, activation: id }, 'activated')
}

/**
 * Makes active.json say what SQLite says: without an active version there is no such file. False when that cannot be done
 * now; the file is then known to be stale until it succeeds, and people are warned.
 */
export async function followTruth(
  ctx: Pick<RegistryContext, 'db' | 'store' | 'log'>,
  conditionId: string,
): Promise<boolean> {
  const { db, store, log } = ctx
  const { active } = await getCondition(db, conditionId)
  try {
    if (!isStoreThere(store)) throw new Error('the model store is not there')
    if (active) {
      const { version, sha256, activation, since } = active
      const pointer = { version, sha256, activation, since }
      await writePointer(store, { condition: conditionId, pointer })
    } else await rm(pointerPath(store, conditionId), { force: true })
  } catch (error) {
    const file = await readPointer(store, conditionId)
    const isNew = markStale(db, conditionId, 'text' in file ? file.text : undefined)
    if (isNew) log.error({ err: error, condition: conditionId }, 'active.json cannot be written')
    return false
  }
  clearStale(db, conditionId)
  return true
}

/** Takes the activation back: its host died between the commit and the switch. */
async function restorePrevious(
  ctx: RegistryContext,
  { condition, id, steps }: { condition: Condition; id: string; steps: readonly GateStep[] },
): Promise<void> {
  const before = condition.active
  await ctx.db.transaction().execute(async (trx) => {
    await trx
      .updateTable('conditions')
      .where('id', '=', condition.id)
      .set({
        active_version: before && (await versionRowId(trx, parseVersion(before.version))),
        active_activation: before?.activation ?? null,
      })
      .execute()
    await updateActivation(trx, id, { outcome: 'refused', steps })
  })
  await followTruth(ctx, condition.id)
}
