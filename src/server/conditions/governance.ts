// /api/v1/conditions/:id/{aliases,promotion-rule,votes,changes}: names that point at versions, the rule by which a
// challenger is promoted, how readers voted, and what was changed about a condition.
import { Hono } from 'hono'
import type { Uses } from '../../app/services.ts'
import { promoteByRule } from '../../registry/challenger/promote-challenger.ts'
import { findPromotionRule, setPromotionRule } from '../../registry/challenger/promotion-rule.ts'
import { listChanges } from '../../registry/conditions/changes.ts'
import { getCondition } from '../../registry/conditions/conditions.ts'
import { tallyVotes } from '../../registry/paired/blind-readings.ts'
import { listAliases, moveAlias, versionOfCondition } from '../../registry/versions/aliases.ts'
import type { AppEnv } from '../http/app-env.ts'
import { conditionOfParams } from '../http/requests.ts'
import { json, operation } from '../operations/operation.ts'
import { ConditionParams } from '../operations/shared-schemas.ts'
import {
  AliasesSchema,
  AliasMoveSchema,
  ChangesSchema,
  PromotionRuleSchema,
  RuleAnswerSchema,
  VotesSchema,
} from './schema.ts'

const shared = { tag: 'conditions', params: ConditionParams }
const unknown = [404, 'unknown-condition'] as const

export function governanceRoutes(
  services: Uses<'clock' | 'db' | 'gate' | 'log' | 'store' | 'tasks'>,
): Hono<AppEnv> {
  const { db, clock } = services
  const conditionOf = (params: { id: string }) => getCondition(db, conditionOfParams(params))
  const routes = new Hono<AppEnv>()
  operation(
    routes,
    {
      ...shared,
      method: 'get',
      path: '/api/v1/conditions/:id/aliases',
      summary: 'Names that point at versions',
      description: 'condition@alias stands wherever a body, a query or a form names a version.',
      answers: { 200: json(AliasesSchema, 'In the order of their names') },
      errors: [unknown],
    },
    async ({ params, reply }) => {
      const { id } = await conditionOf(params)
      return reply(200, { items: await listAliases(db, id) })
    },
  )
  operation(
    routes,
    {
      ...shared,
      method: 'post',
      path: '/api/v1/conditions/:id/aliases',
      summary: 'Point an alias at a verified version; {"version": null} takes it away',
      json: AliasMoveSchema,
      answers: { 200: json(AliasesSchema, 'As they are now') },
      errors: [
        [404, 'unknown-condition, unknown-version'],
        [409, 'conflict, unevaluated: the version is not verified'],
        [422, 'invalid'],
      ],
    },
    async ({ c, params, body: { alias, version: text, reason }, reply }) => {
      const { id } = await conditionOf(params)
      const version = text === null ? null : await versionOfCondition(db, { condition: id, text })
      const move = { condition: id, alias, version, reason, actor: c.var.actor, clock }
      return reply(200, { items: await moveAlias(db, move) })
    },
  )
  operation(
    routes,
    {
      ...shared,
      method: 'get',
      path: '/api/v1/conditions/:id/promotion-rule',
      summary: 'The rule by which a challenger is promoted',
      answers: { 200: json(RuleAnswerSchema, 'The rule in force, or null') },
      errors: [unknown],
    },
    async ({ params, reply }) => {
      const { id } = await conditionOf(params)
      return reply(200, { rule: (await findPromotionRule(db, id)) ?? null })
    },
  )
  operation(
    routes,
    {
      ...shared,
      method: 'post',
      path: '/api/v1/conditions/:id/promotion-rule',
      summary: 'Set or end the rule by which a challenger is promoted',
      description:
        'From minCases with feedback of a reader on, when the lower end of the 95% interval of the difference of the ' +
        'fractions right is not below -margin. The promotion passes the whole gate, as policy, with the evidence as its first step.',
      json: PromotionRuleSchema,
      answers: { 200: json(RuleAnswerSchema, 'The rule in force, or null') },
      errors: [unknown, [422, 'invalid']],
    },
    async ({ c, params, body: { rule, reason }, reply }) => {
      const { id } = await conditionOf(params)
      const wanted = { condition: id, rule, reason, actor: c.var.actor, clock }
      const inForce = await setPromotionRule(db, wanted)
      services.tasks.run('a promotion by rule', () => promoteByRule(services, id))
      return reply(200, { rule: inForce })
    },
  )
  operation(
    routes,
    {
      ...shared,
      method: 'get',
      path: '/api/v1/conditions/:id/votes',
      summary: 'How readers voted in blinded readings, for each pair of versions',
      answers: { 200: json(VotesSchema, 'Most votes first') },
      errors: [unknown],
    },
    async ({ params, reply }) => {
      const { id } = await conditionOf(params)
      return reply(200, { items: await tallyVotes(db, id) })
    },
  )
  operation(
    routes,
    {
      ...shared,
      method: 'get',
      path: '/api/v1/conditions/:id/changes',
      summary: 'What was changed about a condition, by whom and why, newest first',
      answers: { 200: json(ChangesSchema, 'At most 200') },
      errors: [unknown],
    },
    async ({ params, reply }) => {
      const { id } = await conditionOf(params)
      return reply(200, { items: await listChanges(db, id) })
    },
  )
  return routes
}
