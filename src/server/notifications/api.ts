// /api/v1/notifications: whom to tell when a training or a comparison ends, a test of each, and the log of what was sent.

import { Hono } from 'hono'
import {
  checkTarget,
  NewTargetSchema,
  TargetChangeSchema,
} from '../../app/notifications/notification-request.ts'
import type { NotificationSender } from '../../app/notifications/notification-sender.ts'
import type { Uses } from '../../app/services.ts'
import { listDeliveries } from '../../registry/notifications/notification-deliveries.ts'
import {
  addTarget,
  deleteTarget,
  getTarget,
  listTargets,
} from '../../registry/notifications/notification-targets.ts'
import type { AppEnv } from '../http/app-env.ts'
import { queryNumber, queryText, readJson } from '../http/requests.ts'

const LOG_LINES = 100

export function notificationRoutes(
  services: Uses<'clock' | 'config' | 'db'> & { readonly post: NotificationSender },
): Hono<AppEnv> {
  const { db, clock, post } = services
  const routes = new Hono<AppEnv>()
  routes.get('/api/v1/notifications', async (c) => c.json({ items: await listTargets(db) }))
  routes.post('/api/v1/notifications', async (c) => {
    const target = checkTarget(await readJson(c, NewTargetSchema), rulesOf(services))
    return c.json(await addTarget(db, { target, actor: c.var.actor, clock }), 201)
  })
  routes.get('/api/v1/notifications/deliveries', async (c) => {
    const limit = queryNumber(c, { name: 'limit', min: 1, max: 1000 }) ?? LOG_LINES
    return c.json({ items: await listDeliveries(db, { target: queryText(c, 'target'), limit }) })
  })
  routes.get('/api/v1/notifications/:id', async (c) =>
    c.json(await getTarget(db, c.req.param('id'))),
  )
  routes.patch('/api/v1/notifications/:id', async (c) => {
    const change = await readJson(c, TargetChangeSchema)
    return c.json(await post.change(c.req.param('id'), change))
  })
  routes.delete('/api/v1/notifications/:id', async (c) => {
    await deleteTarget(db, c.req.param('id'))
    return c.body(null, 204)
  })
  routes.post('/api/v1/notifications/:id/test', async (c) =>
    c.json({ detail: await post.test(c.req.param('id')) }),
  )
  return routes
}

/** What the settings allow. */
export function rulesOf({ config }: Uses<'config'>) {
  const { allowsPrivate, mailServer } = config.notifications
  return { allowsPrivate, hasMail: mailServer !== undefined }
}
