// The page of notifications: set one up, try it, switch it off, read the log.

import { type Context, Hono } from 'hono'
import { type NotificationsProps, notificationsPage } from '../../../views/notifications/list.ts'
import { links } from '../../../views/shared/links.ts'
import { checkTarget, NewTargetSchema } from '../../app/notifications/notification-request.ts'
import type { NotificationSender } from '../../app/notifications/notification-sender.ts'
import type { Uses } from '../../app/services.ts'
import { listDeliveries } from '../../registry/notifications/notification-deliveries.ts'
import {
  addTarget,
  deleteTarget,
  getTarget,
  listTargets,
  NOTIFICATION_EVENTS,
} from '../../registry/notifications/notification-targets.ts'
import type { AppEnv } from '../http/app-env.ts'
import { frameOf } from '../http/frame.ts'
import { problemProps, seeOther } from '../http/page-data.ts'
import { parseWith, readForm } from '../http/requests.ts'
import { rulesOf } from './api.ts'

const LOG_LINES = 50

export function notificationPages(
  services: Uses<'clock' | 'config' | 'db'> & { readonly post: NotificationSender },
): Hono<AppEnv> {
  const { db, clock, post } = services
  const routes = new Hono<AppEnv>()
  routes.get(links.notifications, async (c) => c.html(await shown(c, {})))
  routes.post(links.notifications, async (c) => {
    const fields = await readForm(c)
    try {
      const wish = parseWith(NewTargetSchema, requestOf(fields))
      const target = checkTarget(wish, rulesOf(services))
      const made = await addTarget(db, { target, actor: c.var.actor, clock })
      // A secret is shown once, so this page is the answer itself; the others begin with a redirection.
      return made.secret === null
        ? seeOther(c, links.notifications)
        : c.html(await shown(c, { made: { name: made.name, secret: made.secret } }), 201)
    } catch (error) {
      const problem = problemProps(error)
      return c.html(await shown(c, { problem, fields }), problem.status as 422)
    }
  })
  routes.post(`${links.notifications}/:id/test`, async (c) => {
    try {
      const { name } = await getTarget(db, c.req.param('id'))
      return c.html(
        await shown(c, { tested: { name, detail: await post.test(c.req.param('id')) } }),
      )
    } catch (error) {
      const problem = problemProps(error)
      return c.html(await shown(c, { problem }), problem.status as 503)
    }
  })
  routes.post(`${links.notifications}/:id/switch`, async (c) => {
    const id = c.req.param('id')
    const { enabled } = await getTarget(db, id)
    await post.change(id, { enabled: !enabled })
    return seeOther(c, links.notifications)
  })
  routes.post(`${links.notifications}/:id/delete`, async (c) => {
    await deleteTarget(db, c.req.param('id'))
    return seeOther(c, links.notifications)
  })
  return routes

  async function shown(
    c: Context<AppEnv>,
    more: Pick<NotificationsProps, 'problem' | 'made' | 'tested' | 'fields'>,
  ) {
    return notificationsPage({
      frame: frameOf(c),
      targets: await listTargets(db),
      deliveries: await listDeliveries(db, { limit: LOG_LINES }),
      hasMail: rulesOf(services).hasMail,
      ...more,
    })
  }
}

function requestOf(fields: ReadonlyMap<string, string>) {
  return {
    kind: fields.get('kind'),
    name: fields.get('name'),
    address: fields.get('address'),
    events: NOTIFICATION_EVENTS.filter((event) => fields.has(event)),
  }
}
