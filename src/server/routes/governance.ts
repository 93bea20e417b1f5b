// /api/v1/conditions/:id/{aliases,promotion-rule,changes}: names that point at versions, the rule by which a challenger is
// promoted, and what was changed about a condition.
import { Hono } from 'hono'
import { promoteByRule } from '../../registry/challenger/promote-challenger.ts'
import { findPromotionRule, setPromotionRule } from '../../registry/challenger/promotion-rule.ts'
import { listChanges } from '../../registry/conditions/changes.ts'
import { getCondition } from '../../registry/conditions/conditions.ts'
import { listAliases, moveAlias } from '../../registry/versions/aliases.ts'
import { AliasMoveSchema, PromotionRuleSchema } from '../api-schemas.ts'
import type { AppEnv } from '../app-env.ts'
import type { Home } from '../home.ts'
import { conditionOfPath, readJson } from '../requests.ts'
import { versionOfCondition } from './activations.ts'

export function governanceRoutes(home: Home): Hono<AppEnv> {
  const { db, clock } = home
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
    home.chores.run('a promotion by rule', () => promoteByRule(home, id))
    return c.json({ rule: inForce })
  })
  routes.get('/api/v1/conditions/:id/changes', async (c) => {
    const { id } = await getCondition(db, conditionOfPath(c))
    return c.json({ items: await listChanges(db, id) })
  })
  return routes
}
