// A challenger becomes the active version by the rule of its condition: through the whole gate, as policy, with the
// evidence as the first step of the line in the history. A challenge is promoted or refused once.

import { isAppError } from '../../errors.ts'
import type { GateStep } from '../../package/gate-step.ts'
import { parseVersion } from '../../package/ids.ts'
import { type ActivationResult, activateVersion } from '../activation/activate.ts'
import { getCondition } from '../conditions/conditions.ts'
import { exclusive } from '../home/exclusive.ts'
import type { RegistryContext } from '../home/registry-context.ts'
import type { Db } from '../schema/database.ts'
import { type Challenge, challengerEvidence, findChallenge } from './challenger-evidence.ts'
import { findPromotionRule, judgeEvidence } from './promotion-rule.ts'

/** undefined when there is no rule or no challenger, the rule is not met, or the gate refused (a line says so). */
export function promoteByRule(
  ctx: RegistryContext,
  condition: string,
): Promise<ActivationResult | undefined> {
  const work = (): Promise<ActivationResult | undefined> => promoteNow(ctx, condition)
  return exclusive(ctx.db, { key: ` promotion of ${condition}`, work })
}

async function promoteNow(
  ctx: RegistryContext,
  condition: string,
): Promise<ActivationResult | undefined> {
  const started = performance.now()
  const rule = await findPromotionRule(ctx.db, condition)
  const challenge = rule && (await findChallenge(ctx.db, condition))
  const { active } = await getCondition(ctx.db, condition)
  if (!rule || !challenge || !active || challenge.promotion !== null) return undefined
  const evidence = await challengerEvidence(ctx.db, { challenge, active: active.version })
  const verdict = judgeEvidence(rule, evidence)
  if (!verdict.isMet) return undefined
  const step: GateStep = {
    name: 'evidence',
    ok: true,
    ms: Math.round(performance.now() - started),
    detail: verdict.detail,
  }
  const request = {
    condition,
    version: parseVersion(challenge.version),
    reason: `promoted by the rule of ${rule.by}: ${rule.reason}`,
    by: 'promotion rule',
    via: 'policy',
    evidence: step,
  } as const
  try {
    const result = await activateVersion(ctx, request)
    await keep(ctx.db, { challenge, outcome: 'promoted', activation: result.activation.id })
    return result
  } catch (error) {
    const activation = isAppError(error) ? error.extra.activation : undefined
    // Without a line in the history nothing was decided, and the next case asks again.
    if (typeof activation !== 'string') throw error
    await keep(ctx.db, { challenge, outcome: 'refused', activation })
    ctx.log.warn({ condition, version: challenge.version }, 'the rule was met, the gate refused')
    return undefined
  }
}

async function keep(
  db: Db,
  { challenge, ...promotion }: { challenge: Challenge } & NonNullable<Challenge['promotion']>,
): Promise<void> {
  await db
    .updateTable('challenges')
    .where('id', '=', challenge.id)
    .set({ promotion: JSON.stringify(promotion) })
    .execute()
}
