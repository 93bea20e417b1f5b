// Back to what answered before: the same order of truth as an activation, without the metric step.
import { AppError } from '../../errors.ts'
import { formatVersion, parseVersion, type VersionRef } from '../../package/ids.ts'
import type { Precision } from '../../package/schema.ts'
import { type Condition, getCondition } from '../conditions/conditions.ts'
import { exclusive } from '../home/exclusive.ts'
import type { Actor, RegistryContext } from '../home/registry-context.ts'
import type { Db } from '../schema/database.ts'
import { findVersion, getVersion } from '../versions/versions.ts'
import { type ActivationResult, activateNow } from './activate.ts'
import { findActivation } from './activations.ts'
import { checkExpectedState, type ExpectedState } from './expected-state.ts'

export interface RollbackRequest extends Actor {
  readonly condition: string
  /** One that has answered; the version before the current activation when absent, so twice returns to the start. */
  readonly to?: VersionRef | undefined
  readonly reason: string
  /** The activation that the caller saw. */
  readonly expected?: ExpectedState
}

/** @throws AppError `never-active`, `nothing-to-roll-back`, `state-changed`, and those of `activateVersion` but `gate` and `unevaluated` */
export function rollbackCondition(
  ctx: RegistryContext,
  request: RollbackRequest,
): Promise<ActivationResult> {
  const { condition, to, expected, ...rest } = request
  const work = async (): Promise<ActivationResult> => {
    // Before the target is determined: the target of another state is not what the caller chose.
    const now = await getCondition(ctx.db, condition)
    await checkExpectedState(ctx.db, { condition: now, expected })
    const version = to ? await targetNamed(ctx.db, now, to) : await targetBefore(ctx.db, condition)
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

/** In the precision that it last answered in, before a line of the history or at all; undefined when it never did. */
async function asItAnswered(
  db: Db,
  { version, before }: { readonly version: VersionRef; readonly before?: string },
): Promise<RollbackTarget | undefined> {
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
  return line && { condition, name, n, precision: line.precision ?? 'float32' }
}

/** @throws AppError `never-active`: everything else is an activation, with its whole gate */
async function targetNamed(db: Db, condition: Condition, to: VersionRef): Promise<RollbackTarget> {
  const version = await getVersion(db, to)
  // The version of now, in the precision of before, is what a rollback without a name returns to.
  const before = await findRollbackTarget(db, condition.id)
  if (before && formatVersion(before) === version.id) return before
  const target =
    version.condition === condition.id ? await asItAnswered(db, { version }) : undefined
  if (target) return target
  throw new AppError(
    'never-active',
    `${version.id} has never answered for ${condition.name}, so it cannot be rolled back to; activate it instead.`,
  )
}

async function targetBefore(db: Db, condition: string): Promise<RollbackTarget> {
  const target = await findRollbackTarget(db, condition)
  if (target) return target
  const { name } = await getCondition(db, condition)
  throw new AppError(
    'nothing-to-roll-back',
    `No earlier version of ${name} can be rolled back to; activate one from the list instead.`,
  )
}
