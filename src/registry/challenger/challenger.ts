// Who challenges the active version of a condition: it passes the whole gate but the metrics, then stands beside it.
// What both say about the same images: challenger-evidence.ts.
import { randomUUID } from 'node:crypto'
import { AppError } from '../../errors.ts'
import type { VersionRef } from '../../package/ids.ts'
import { checkExpectedState, type ExpectedState } from '../activation/expected-state.ts'
import { gateSource, verifyVersion } from '../activation/gate-steps.ts'
import { recordChanges } from '../conditions/changes.ts'
import { type Condition, getCondition } from '../conditions/conditions.ts'
import { exclusive } from '../home/exclusive.ts'
import type { Actor, Clock, RegistryContext } from '../home/registry-context.ts'
import type { Db } from '../schema/database.ts'
import { getVersion, type Version, versionRowId } from '../versions/versions.ts'

export interface Challenger {
  readonly version: VersionRef
  readonly mode: 'shadow' | 'split'
  /** Fraction of the requests that it answers, above 0 and up to 1; only with `split`. */
  readonly share?: number | undefined
}

export interface ChallengerRequest {
  readonly condition: string
  /** null: nobody challenges any more. */
  readonly challenger: Challenger | null
  readonly actor: Actor
  /** The activation that the caller saw. */
  readonly expected?: ExpectedState
}

/**
 * Resolves once it stands beside the active version. Replaces a challenger that is there; the same one in the same mode
 * stays as it is. @throws AppError `unknown-condition`, `unknown-version`; `no-active-version`; `state-changed`; `unevaluated`;
 * `conflict` (it answers already, or is deleted); `invalid`; `hash-mismatch`, `load-failed`, `golden-mismatch`
 */
export function setChallenger(
  ctx: RegistryContext,
  { condition: id, challenger, actor, expected }: ChallengerRequest,
): Promise<Condition> {
  const work = async (): Promise<Condition> => {
    const condition = await getCondition(ctx.db, id)
    await checkExpectedState(ctx.db, { condition, expected })
    if (challenger) await begin(ctx, { condition, challenger, actor })
    else await end(ctx, { condition, actor })
    return getCondition(ctx.db, id)
  }
  return exclusive(ctx.db, { key: id, work })
}

async function begin(
  ctx: RegistryContext,
  { condition, challenger, actor }: { condition: Condition; challenger: Challenger; actor: Actor },
): Promise<void> {
  const share = shareOf(challenger)
  const version = await usable(ctx.db, { condition, ref: challenger.version })
  const { mode } = challenger
  const now = condition.challenger
  if (now?.version === version.id && now.mode === mode && now.share === share) return
  await verifyVersion(ctx, { version })
  const prepared = await ctx.gate.prepare(gateSource(ctx, version), {
    reuseWarm: false,
    isBackground: mode === 'shadow',
  })
  try {
    await ctx.db.transaction().execute(async (trx) => {
      await closeChallenge(trx, { condition: condition.id, clock: ctx.clock })
      await trx
        .insertInto('challenges')
        .values({
          id: `ch_${randomUUID()}`,
          condition: condition.id,
          version: version.id,
          sha256: version.sha256,
          mode,
          share,
          started_at: ctx.clock().toISOString(),
          ended_at: null,
          promotion: null,
          ...actor,
        })
        .execute()
      await trx
        .updateTable('conditions')
        .where('id', '=', condition.id)
        .set({
          challenger_version: await versionRowId(trx, version),
          challenger_mode: mode,
          challenger_share: share,
        })
        .execute()
      const values = { challenger: { version: version.id, mode, share } }
      await recordChanges(trx, { subject: condition.id, values, actor, clock: ctx.clock })
    })
  } catch (error) {
    await prepared.discard()
    throw error
  }
  await prepared.challenge()
  ctx.log.info({ condition: condition.id, version: version.id, mode, share }, 'challenger set')
}

async function end(
  ctx: RegistryContext,
  { condition, actor }: { condition: Condition; actor: Actor },
): Promise<void> {
  if (condition.challenger) {
    await ctx.db.transaction().execute(async (trx) => {
      await clearChallenger(trx, { condition: condition.id, clock: ctx.clock })
      const values = { challenger: null }
      await recordChanges(trx, { subject: condition.id, values, actor, clock: ctx.clock })
    })
  }
  await ctx.gate.endChallenger(condition.id)
}

/** The condition has no challenger any more, and its challenge is over. */
export async function clearChallenger(
  trx: Db,
  { condition, clock }: { condition: string; clock: Clock },
): Promise<void> {
  await closeChallenge(trx, { condition, clock })
  await trx
    .updateTable('conditions')
    .where('id', '=', condition)
    .set({ challenger_version: null, challenger_mode: null, challenger_share: null })
    .execute()
}

async function closeChallenge(
  trx: Db,
  { condition, clock }: { condition: string; clock: Clock },
): Promise<void> {
  await trx
    .updateTable('challenges')
    .where('condition', '=', condition)
    .where('ended_at', 'is', null)
    .set({ ended_at: clock().toISOString() })
    .execute()
}

/** null with `shadow`. */
function shareOf({ mode, share }: Challenger): number | null {
  if (mode === 'shadow') return null
  if (share !== undefined && share > 0 && share <= 1) return share
  throw new AppError('invalid', 'A challenger with mode "split" needs a share above 0 and up to 1.')
}

async function usable(
  db: Db,
  { condition, ref }: { condition: Condition; ref: VersionRef },
): Promise<Version> {
  const version = await getVersion(db, ref)
  if (version.condition !== condition.id) {
    throw new AppError('unknown-version', `${version.id} is not a version of ${condition.id}.`)
  }
  if (!condition.active) {
    throw new AppError('no-active-version', 'There is no active version to challenge.')
  }
  if (version.id === condition.active.version) {
    throw new AppError('conflict', `${version.id} is already active and cannot challenge itself.`)
  }
  if (version.status === 'deleted') {
    throw new AppError('conflict', `${version.id} was deleted and cannot be a challenger.`)
  }
  if (version.status === 'unevaluated') {
    throw new AppError(
      'unevaluated',
      `${version.id} has no metrics; only a verified version can be a challenger. Evaluate it first.`,
    )
  }
  return version
}
