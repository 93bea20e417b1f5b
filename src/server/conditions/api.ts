// /api/v1/conditions: what is diagnosed, and its settings.
import { Hono } from 'hono'
import type { Uses } from '../../app/services.ts'
import { patchCondition } from '../../registry/conditions/condition-settings.ts'
import {
  createCondition,
  getCondition,
  listConditions,
} from '../../registry/conditions/conditions.ts'
import { ConditionPatchSchema, NewConditionSchema } from '../http/api-schemas.ts'
import type { AppEnv } from '../http/app-env.ts'
import { conditionOfPath, readJson } from '../http/requests.ts'

export function conditionRoutes(services: Uses<'clock' | 'db'>): Hono<AppEnv> {
  const { db, clock } = services
  const routes = new Hono<AppEnv>()
  routes.get('/api/v1/conditions', async (c) => c.json(await listConditions(db)))
  routes.post('/api/v1/conditions', async (c) => {
    const { name, bodyPart = '', policy, gate, ...given } = await readJson(c, NewConditionSchema)
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
    return c.json(condition, 201)
  })
  routes.get('/api/v1/conditions/:id', async (c) =>
    c.json(await getCondition(db, conditionOfPath(c))),
  )
  routes.patch('/api/v1/conditions/:id', async (c) => {
    const { reason, expected, ...patch } = await readJson(c, ConditionPatchSchema)
    const id = conditionOfPath(c)
    const change = { id, patch, reason, expected, actor: c.var.actor, clock }
    return c.json(await patchCondition(db, change))
  })
  return routes
}
