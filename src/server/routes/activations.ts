// /api/v1/conditions/:id/{activate,rollback,challenger,history}: which version answers, and what did before.
import { Hono } from 'hono'
import { AppError } from '../../errors.ts'
import type { VersionRef } from '../../package/ids.ts'
import { activateVersion } from '../../registry/activation/activate.ts'
import { listHistory } from '../../registry/activation/activations.ts'
import { rollbackCondition } from '../../registry/activation/rollback.ts'
import { setChallenger } from '../../registry/challenger/challenger.ts'
import { challengerEvidence, findChallenge } from '../../registry/challenger/challenger-evidence.ts'
import { findPromotionRule, judgeEvidence } from '../../registry/challenger/promotion-rule.ts'
import { type Condition, getCondition } from '../../registry/conditions/conditions.ts'
import { resolveVersion } from '../../registry/versions/aliases.ts'
import { ActivateSchema, ChallengerSchema, RollbackSchema } from '../api-schemas.ts'
import type { AppEnv } from '../app-env.ts'
import type { Home } from '../home.ts'
import { conditionOfPath, queryLimit, queryText, readJson } from '../requests.ts'

export function activationRoutes(home: Home): Hono<AppEnv> {
  const { db } = home
  const named = (condition: string, text: string) => versionOfCondition(db, { condition, text })
  const routes = new Hono<AppEnv>()
  routes.post('/api/v1/conditions/:id/activate', async (c) => {
    const condition = await getCondition(db, conditionOfPath(c))
    const { version, ...wishes } = await readJson(c, ActivateSchema)
    const ref = await named(condition.id, version)
    const request = { condition: condition.id, version: ref, ...wishes, ...c.var.actor }
    return c.json((await activateVersion(home, request)).activation)
  })
  routes.post('/api/v1/conditions/:id/rollback', async (c) => {
    const condition = await getCondition(db, conditionOfPath(c))
    const { to, reason } = await readJson(c, RollbackSchema)
    const ref = to && (await named(condition.id, to))
    const request = { condition: condition.id, to: ref || undefined, reason, ...c.var.actor }
    return c.json((await rollbackCondition(home, request)).activation)
  })
  routes.post('/api/v1/conditions/:id/challenger', async (c) => {
    const condition = await getCondition(db, conditionOfPath(c))
    const { version, mode, share } = await readJson(c, ChallengerSchema)
    if (version !== null && mode === undefined) {
      throw new AppError('invalid', '"mode" must be "shadow" or "split".', {
        extra: { field: 'mode' },
      })
    }
    const challenger =
      version === null || mode === undefined
        ? null
        : { version: await named(condition.id, version), mode, share }
    const request = { condition: condition.id, challenger, actor: c.var.actor }
    return c.json(await setChallenger(home, request))
  })
  routes.get('/api/v1/conditions/:id/challenger', async (c) => {
    const condition = await getCondition(db, conditionOfPath(c))
    return c.json(await evidenceOf(home, condition))
  })
  routes.get('/api/v1/conditions/:id/history', async (c) => {
    const { id } = await getCondition(db, conditionOfPath(c))
    const filter = { limit: queryLimit(c), cursor: queryText(c, 'cursor'), at: queryText(c, 'at') }
    return c.json(await listHistory(db, { condition: id, ...filter }))
  })
  return routes
}

/** What the challenge has shown so far. @throws AppError `not-found` when nobody challenges */
export async function evidenceOf(home: Home, condition: Condition) {
  const challenge = await findChallenge(home.db, condition.id)
  if (!challenge || !condition.active) {
    throw new AppError('not-found', `${condition.name} has no challenger.`)
  }
  const evidence = await challengerEvidence(home.db, {
    challenge,
    active: condition.active.version,
  })
  const rule = await findPromotionRule(home.db, condition.id)
  return {
    ...evidence,
    rule: rule ? { ...rule, ...judgeEvidence(rule, evidence) } : null,
    droppedSinceStart: home.shadow.dropped,
  }
}

/** As `condition/name@n` or `condition@alias`. @throws AppError `unknown-version` when the text is none of this condition */
export async function versionOfCondition(
  db: Home['db'],
  { condition, text }: { condition: string; text: string },
): Promise<VersionRef> {
  const ref = await resolveVersion(db, text)
  if (ref.condition === condition) return ref
  throw new AppError(
    'unknown-version',
    `"${text.slice(0, 160)}" is not a version of ${condition}: write ${condition}/name@number.`,
  )
}
