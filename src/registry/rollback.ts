// Back to what answered before: the same order of truth as an activation, without the metric step.
import { AppError } from '../errors.ts'
import { parseVersion, type VersionRef } from '../package/ids.ts'
import { type ActivationResult, activateNow } from './activate.ts'
import { findActivation } from './activations.ts'
import { getCondition } from './conditions.ts'
import type { Db } from './database.ts'
import { exclusive } from './exclusive.ts'
import type { Actor, RegistryContext } from './registry-context.ts'
import { findVersion } from './versions.ts'

export interface RollbackRequest extends Actor {
  readonly condition: string
  /** The version before the current activation when absent; so twice returns to the start. */
  readonly to?: VersionRef | undefined
  readonly reason: string
}

/** @throws AppError `nothing-to-roll-back`, and those of `activateVersion` but `gate` and `unevaluated` */
export function rollbackCondition(
  ctx: RegistryContext,
  request: RollbackRequest,
): Promise<ActivationResult> {
  const { condition, to, ...rest } = request
  const work = async (): Promise<ActivationResult> => {
    const version = to ?? (await versionBefore(ctx.db, condition))
    return activateNow(ctx, { ...rest, condition, version, kind: 'rollback' })
  }
  return exclusive(ctx.db, { key: condition, work })
}

/** What a rollback without `to` returns to; undefined when there is nothing. */
export async function findRollbackTarget(
  db: Db,
  condition: string,
): Promise<VersionRef | undefined> {
  const { active } = await getCondition(db, condition)
  const current = active && (await findActivation(db, active.activation))
  if (!current?.previous) return undefined
  const version = await findVersion(db, parseVersion(current.previous))
  return version && version.status !== 'deleted' ? version : undefined
}

async function versionBefore(db: Db, condition: string): Promise<VersionRef> {
  const version = await findRollbackTarget(db, condition)
  if (version) return version
  const { name } = await getCondition(db, condition)
  throw new AppError(
    'nothing-to-roll-back',
    `No earlier version of ${name} can be returned to; activate one from the list instead.`,
  )
}
