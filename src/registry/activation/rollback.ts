// Back to what answered before: the same order of truth as an activation, without the metric step.
import { AppError } from '../../errors.ts'
import { formatVersion, parseVersion, type VersionRef } from '../../package/ids.ts'
import type { Precision } from '../../package/schema.ts'
import { getCondition } from '../conditions/conditions.ts'
import { exclusive } from '../home/exclusive.ts'
import type { Actor, RegistryContext } from '../home/registry-context.ts'
import type { Db } from '../schema/database.ts'
import { findVersion } from '../versions/versions.ts'
import { type ActivationResult, activateNow } from './activate.ts'
import { findActivation } from './activations.ts'

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
    const version = to
      ? await asItAnswered(ctx.db, { version: to })
      : await targetBefore(ctx.db, condition)
    const { precision } = version
    return activateNow(ctx, { ...rest, condition, version, precision, kind: 'rollback' })
  }
  return exclusive(ctx.db, { key: condition, work })
}

/** A version and which of its graphs answered. */
export interface RollbackTarget extends VersionRef {
  readonly precision: Precision
}

/** What a rollback without `to` returns to; undefined when there is nothing. */
export async function findRollbackTarget(
  db: Db,
  condition: string,
): Promise<RollbackTarget | undefined> {
  const { active } = await getCondition(db, condition)
  const current = active && (await findActivation(db, active.activation))
  if (!current?.previous) return undefined
  const version = await findVersion(db, parseVersion(current.previous))
  if (!version || version.status === 'deleted') return undefined
  return asItAnswered(db, { version, before: current.id })
}

/** In the precision that it last answered in, before a line of the history or at all; float32 when it never did. */
async function asItAnswered(
  db: Db,
  { version, before }: { readonly version: VersionRef; readonly before?: string },
): Promise<RollbackTarget> {
  const { condition, name, n } = version
  let query = db
    .selectFrom('activations')
    .select('precision')
    .where('condition', '=', condition)
    .where('version', '=', formatVersion(version))
    .where('outcome', '=', 'activated')
    .orderBy('seq', 'desc')
    .limit(1)
  if (before !== undefined) {
    query = query.where('seq', '<', (eb) =>
      eb.selectFrom('activations as line').select('line.seq').where('line.id', '=', before),
    )
  }
  const line = await query.executeTakeFirst()
  return { condition, name, n, precision: line?.precision ?? 'float32' }
}

async function targetBefore(db: Db, condition: string): Promise<RollbackTarget> {
  const target = await findRollbackTarget(db, condition)
  if (target) return target
  const { name } = await getCondition(db, condition)
  throw new AppError(
    'nothing-to-roll-back',
    `No earlier version of ${name} can be returned to; activate one from the list instead.`,
  )
}
