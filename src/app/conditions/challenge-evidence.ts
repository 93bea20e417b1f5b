// What a challenge has shown so far, with the rule that judges it: the same for programs and pages.
import { AppError } from '../../errors.ts'
import { challengerEvidence, findChallenge } from '../../registry/challenger/challenger-evidence.ts'
import { findPromotionRule, judgeEvidence } from '../../registry/challenger/promotion-rule.ts'
import type { Condition } from '../../registry/conditions/conditions.ts'
import type { Shadow } from '../diagnosis/shadow.ts'
import type { Uses } from '../services.ts'

/** @throws AppError `not-found` when the condition has no challenger */
export async function challengeEvidence(
  services: Uses<'db'> & { readonly shadow: Shadow },
  condition: Condition,
) {
  const challenge = await findChallenge(services.db, condition.id)
  if (!challenge || !condition.active) {
    throw new AppError('not-found', `${condition.name} has no challenger.`)
  }
  const evidence = await challengerEvidence(services.db, {
    challenge,
    active: condition.active.version,
  })
  const rule = await findPromotionRule(services.db, condition.id)
  return {
    ...evidence,
    rule: rule ? { ...rule, ...judgeEvidence(rule, evidence) } : null,
    droppedSinceStart: services.shadow.dropped,
  }
}
