// /api/v1/conditions/:id/{aliases,promotion-rule,changes}: names that point at versions, the rule by which a challenger is
// promoted, and what was changed about a condition.
import { Hono } from 'hono'
import type { Uses } from '../../app/services.ts'
import { promoteByRule } from '../../registry/challenger/promote-challenger.ts'
import { findPromotionRule, setPromotionRule } from '../../registry/challenger/promotion-rule.ts'
import { listChanges } from '../../registry/conditions/changes.ts'
import { getCondition } from '../../registry/conditions/conditions.ts'
import { listAliases, moveAlias, versionOfCondition } from '../../registry/versions/aliases.ts'
import { AliasMoveSchema, PromotionRuleSchema } from '../http/api-schemas.ts'
import type { AppEnv } from '../http/app-env.ts'
import { conditionOfPath, readJson } from '../http/requests.ts'

export function governanceRoutes(
  services: Uses<'clock' | 'db' | 'gate' | 'log' | 'store' | 'tasks'>,
): Hono<AppEnv> {
  const { db, clock } = services
  const routes = new Hono<AppEnv>()
  routes.get('/api/v1/conditions/:id/aliases', async (c) => {
    const { id } = await getCondition(db, conditionOfPath(c))
    return c.json({ items: await listAliases(db, id) })
  })
  routes.post('/api/v1/conditions/:id/aliases', async (c) => {
    const { id } = await getCondition(db, conditionOfPath(c))
    const { alias, version: text, reason } = await readJson(c, AliasMoveSchema)
    const version = text === null ? null : await versionOfCondition(db, { condition: id, text })
    const move = { condition: id, alias, version, reason, actor: c.var.actor, clock }
    return c.json({ items: await moveAlias(db, move) })
  })
  routes.get('/api/v1/conditions/:id/promotion-rule', async (c) => {
    const { id } = await getCondition(db, conditionOfPath(c))
    return c.json({ rule: (await findPromotionRule(db, id)) ?? null })
  })
  routes.post('/api/v1/conditions/:id/promotion-rule', async (c) => {
    const { id } = await getCondition(db, conditionOfPath(c))
    const { rule, reason } = await readJson(c, PromotionRuleSchema)
    const wanted = { condition: id, rule, reason, actor: c.var.actor, clock }
    const inForce = await setPromotionRule(db, wanted)
    services.tasks.run('a promotion by rule', () => promoteByRule(services, id))
    return c.json({ rule: inForce })
  })
  routes.get('/api/v1/conditions/:id/changes', async (c) => {
    const { id } = await getCondition(db, conditionOfPath(c))
    return c.json({ items: await listChanges(db, id) })
  })
  return routes
}
