// The second half of an activation: commit, active.json, requests switch. And the way back when the host dies in it.
import { rm } from 'node:fs/promises'
import { AppError, messageOf } from '../../errors.ts'
import { parseVersion } from '../../package/ids.ts'
import type { Precision } from '../../package/schema.ts'
import { clearChallenger } from '../challenger/challenger.ts'
import { type Condition, getCondition } from '../conditions/conditions.ts'
import type { GateStep, PreparedHost, RegistryContext } from '../home/registry-context.ts'
import { pointerPath } from '../home/store.ts'
import { type Version, versionRowId } from '../versions/versions.ts'
import { updateActivation } from './activations.ts'
import { writePointer } from './active-pointer.ts'
import { stepsOfRefusal } from './gate-steps.ts'

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
  try {
    await followTruth(ctx, condition.id)
  } catch (error) {
    // The commit stands; active.json is repaired by the watcher or at the next start.
    detail = 'requests switched, but active.json could not be written'
    ctx.log.error({ err: error, condition: condition.id }, detail)
  }
  try {
    await prepared.switchTo(id)
  } catch (error) {
    steps.push(...stepsOfRefusal(error, performance.now() - started))
    await restorePrevious(ctx, { condition, id, steps })
    ctx.log.error({ err: error, version: version.id }, 'requests could not be switched')
    throw new AppError(
      'load-failed',
      `${version.id} stopped before it could answer; the version before it goes on answering.`,
      { cause: messageOf(error), extra: { activation: id, steps } },
    )
  }
  steps.push({ name: 'pointer', ok: true, ms: Math.round(performance.now() - started), detail })
  await updateActivation(ctx.db, id, { steps })
  ctx.log.info({ condition: condition.id, version: version.id, activation: id }, 'activated')
}

/** Writes active.json as SQLite has it; a condition without an active version has no file to write. */
export async function followTruth(
  ctx: Pick<RegistryContext, 'db' | 'store'>,
  conditionId: string,
): Promise<void> {
  const { active } = await getCondition(ctx.db, conditionId)
  if (!active) return
  const { version, sha256, activation, since } = active
  const pointer = { version, sha256, activation, since }
  await writePointer(ctx.store, { condition: conditionId, pointer })
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
  if (before) {
    const { version, sha256, activation, since } = before
    const pointer = { version, sha256, activation, since }
    await writePointer(ctx.store, { condition: condition.id, pointer })
  } else await rm(pointerPath(ctx.store, condition.id), { force: true })
}
