// /api/v1/conditions/:id/{activate,rollback,challenger,history}: which version answers, and what did before.

import { Hono } from 'hono'
import type { Shadow } from '../../app/diagnosis/shadow.ts'
import type { Uses } from '../../app/services.ts'
import { AppError } from '../../errors.ts'
import { activateVersion } from '../../registry/activation/activate.ts'
import { listHistory } from '../../registry/activation/activations.ts'
import { rollbackCondition } from '../../registry/activation/rollback.ts'
import { setChallenger } from '../../registry/challenger/challenger.ts'
import { challengerEvidence, findChallenge } from '../../registry/challenger/challenger-evidence.ts'
import { findPromotionRule, judgeEvidence } from '../../registry/challenger/promotion-rule.ts'
import { type Condition, getCondition } from '../../registry/conditions/conditions.ts'
import { versionOfCondition } from '../../registry/versions/aliases.ts'
import { ActivateSchema, ChallengerSchema, RollbackSchema } from '../http/api-schemas.ts'
import type { AppEnv } from '../http/app-env.ts'
import { conditionOfPath, queryLimit, queryText, readJson } from '../http/requests.ts'

export function activationRoutes(
  services: Uses<'clock' | 'db' | 'gate' | 'log' | 'store'> & { readonly shadow: Shadow },
): Hono<AppEnv> {
  const { db } = services
  const named = (condition: string, text: string) => versionOfCondition(db, { condition, text })
  const routes = new Hono<AppEnv>()
  routes.post('/api/v1/conditions/:id/activate', async (c) => {
    const condition = await getCondition(db, conditionOfPath(c))
    const { version, ...rest } = await readJson(c, ActivateSchema)
    const ref = await named(condition.id, version)
    const request = { condition: condition.id, version: ref, ...rest, ...c.var.actor }
    return c.json((await activateVersion(services, request)).activation)
  })
  routes.post('/api/v1/conditions/:id/rollback', async (c) => {
    const condition = await getCondition(db, conditionOfPath(c))
    const { to, ...rest } = await readJson(c, RollbackSchema)
    const ref = to && (await named(condition.id, to))
    const request = { condition: condition.id, to: ref || undefined, ...rest, ...c.var.actor }
    return c.json((await rollbackCondition(services, request)).activation)
  })
  routes.post('/api/v1/conditions/:id/challenger', async (c) => {
    const condition = await getCondition(db, conditionOfPath(c))
    const { version, mode, share, expected } = await readJson(c, ChallengerSchema)
    if (version !== null && mode === undefined) {
      throw new AppError('invalid', '"mode" must be "shadow" or "split".', {
        extra: { field: 'mode' },
      })
    }
    const challenger =
      version === null || mode === undefined
        ? null
        : { version: await named(condition.id, version), mode, share }
    const request = { condition: condition.id, challenger, expected, actor: c.var.actor }
    return c.json(await setChallenger(services, request))
  })
  routes.get('/api/v1/conditions/:id/challenger', async (c) => {
    const condition = await getCondition(db, conditionOfPath(c))
    return c.json(await evidenceOf(services, condition))
  })
  routes.get('/api/v1/conditions/:id/history', async (c) => {
    const { id } = await getCondition(db, conditionOfPath(c))
    const filter = { limit: queryLimit(c), cursor: queryText(c, 'cursor'), at: queryText(c, 'at') }
    return c.json(await listHistory(db, { condition: id, ...filter }))
  })
  return routes
}

/** What the challenge has shown so far. @throws AppError `not-found` when nobody challenges */
export async function evidenceOf(
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
