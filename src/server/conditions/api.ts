// /api/v1/conditions: what is diagnosed, and its settings.
import { Hono } from 'hono'
import type { Uses } from '../../app/services.ts'
import { patchCondition } from '../../registry/conditions/condition-settings.ts'
import {
  createCondition,
  getCondition,
  listConditions,
} from '../../registry/conditions/conditions.ts'
import type { AppEnv } from '../http/app-env.ts'
import { conditionOfParams } from '../http/requests.ts'
import { json, operation } from '../operations/operation.ts'
import { ConditionParams } from '../operations/shared-schemas.ts'
import {
  ConditionListSchema,
  ConditionPatchSchema,
  ConditionSchema,
  NewConditionSchema,
} from './schema.ts'

const tag = 'conditions'
const params = ConditionParams

export function conditionRoutes(services: Uses<'clock' | 'db'>): Hono<AppEnv> {
  const { db, clock } = services
  const routes = new Hono<AppEnv>()
  operation(
    routes,
    {
      method: 'get',
      path: '/api/v1/conditions',
      tag,
      summary: 'All conditions',
      answers: { 200: json(ConditionListSchema, 'In the order of their names') },
    },
    async ({ reply }) => reply(200, await listConditions(db)),
  )
  operation(
    routes,
    {
      method: 'post',
      path: '/api/v1/conditions',
      tag,
      summary: 'Add a condition',
      json: NewConditionSchema,
      answers: { 201: json(ConditionSchema, 'Added') },
      errors: [
        [409, 'conflict: the id is taken'],
        [422, 'invalid'],
      ],
    },
    async ({ c, body: { name, bodyPart = '', policy, gate, ...given }, reply }) => {
      const condition = await createCondition(db, {
        condition: {
          ...given,
          name: name ?? given.id,
          bodyPart,
          ...(policy && { policy }),
          ...(gate && { gate }),
        },
        actor: c.var.actor,
        clock,
      })
      c.header('Location', `/api/v1/conditions/${condition.id}`)
      return reply(201, condition)
    },
  )
  operation(
    routes,
    {
      method: 'get',
      path: '/api/v1/conditions/:id',
      tag,
      summary: 'One condition',
      params,
      answers: { 200: json(ConditionSchema, 'The condition') },
      errors: [[404, 'unknown-condition']],
    },
    async ({ params: given, reply }) =>
      reply(200, await getCondition(db, conditionOfParams(given))),
  )
  operation(
    routes,
    {
      method: 'patch',
      path: '/api/v1/conditions/:id',
      tag,
      summary:
        'Change name, body part, policy, gate or operating point; classes while it has no version',
      params,
      json: ConditionPatchSchema,
      answers: { 200: json(ConditionSchema, 'As it is now') },
      errors: [
        [404, 'unknown-condition'],
        [409, 'conflict, state-changed'],
        [422, 'invalid, unknown-operating-point'],
      ],
    },
    async ({ c, params: given, body: { reason, expected, ...patch }, reply }) => {
      const id = conditionOfParams(given)
      const change = { id, patch, reason, expected, actor: c.var.actor, clock }
      return reply(200, await patchCondition(db, change))
    },
  )
  return routes
}
