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
import { json, operation } from '../operations/operation.ts'
import { IdParams } from '../operations/shared-schemas.ts'
import {
  DeliveriesQuery,
  DeliveriesSchema,
  MadeNotificationSchema,
  NotificationListSchema,
  NotificationSchema,
  TestedSchema,
} from './schema.ts'

const LOG_LINES = 100

const tag = 'notifications'
const params = IdParams
const unknown = [404, 'not-found'] as const

export function notificationRoutes(
  services: Uses<'clock' | 'config' | 'db'> & { readonly post: NotificationSender },
): Hono<AppEnv> {
  const { db, clock, post } = services
  const routes = new Hono<AppEnv>()
  operation(
    routes,
    {
      method: 'get',
      path: '/api/v1/notifications',
      tag,
      summary: 'Whom Roentgen tells when a training or a comparison ends',
      answers: { 200: json(NotificationListSchema, 'Oldest first') },
    },
    async ({ reply }) => reply(200, { items: await listTargets(db) }),
  )
  operation(
    routes,
    {
      method: 'post',
      path: '/api/v1/notifications',
      tag,
      summary: 'Tell a webhook, a Slack or Discord channel, or an e-mail address',
      description:
        'A webhook’s requests carry Roentgen-Signature: t=<seconds>,v1=<hex>, the HMAC-SHA-256 of "<seconds>.<body>" with ' +
        'the secret that is given out here once. Addresses in private networks are refused unless ROENTGEN_NOTIFY_PRIVATE is 1.',
      json: NewTargetSchema,
      answers: { 201: json(MadeNotificationSchema, 'Set up') },
      errors: [[422, 'invalid']],
    },
    async ({ c, body, reply }) => {
      const target = checkTarget(body, rulesOf(services))
      return reply(201, await addTarget(db, { target, actor: c.var.actor, clock }))
    },
  )
  operation(
    routes,
    {
      method: 'get',
      path: '/api/v1/notifications/deliveries',
      tag,
      summary: 'The log of what was sent, and what waits for another try',
      query: DeliveriesQuery,
      answers: { 200: json(DeliveriesSchema, 'Newest first') },
      errors: [[422, 'invalid']],
    },
    async ({ query: { target, limit = LOG_LINES }, reply }) =>
      reply(200, { items: await listDeliveries(db, { target, limit }) }),
  )
  operation(
    routes,
    {
      method: 'get',
      path: '/api/v1/notifications/:id',
      tag,
      summary: 'One of them',
      params,
      answers: { 200: json(NotificationSchema, 'As it is') },
      errors: [unknown],
    },
    async ({ params: { id }, reply }) => reply(200, await getTarget(db, id)),
  )
  operation(
    routes,
    {
      method: 'patch',
      path: '/api/v1/notifications/:id',
      tag,
      summary: 'Change its events, or switch it on or off',
      params,
      json: TargetChangeSchema,
      answers: { 200: json(NotificationSchema, 'As it is now') },
      errors: [unknown, [422, 'invalid']],
    },
    async ({ params: { id }, body: change, reply }) => reply(200, await post.change(id, change)),
  )
  operation(
    routes,
    {
      method: 'delete',
      path: '/api/v1/notifications/:id',
      tag,
      summary: 'Delete it with its log',
      params,
      answers: { 204: { description: 'Deleted' } },
      errors: [unknown],
    },
    async ({ params: { id }, reply }) => {
      await deleteTarget(db, id)
      return reply(204)
    },
  )
  operation(
    routes,
    {
      method: 'post',
      path: '/api/v1/notifications/:id/test',
      tag,
      summary: 'Send a test now',
      params,
      answers: { 200: json(TestedSchema, 'What the far end said') },
      errors: [unknown, [503, 'unavailable: it did not arrive, and why']],
    },
    async ({ params: { id }, reply }) => reply(200, { detail: await post.test(id) }),
  )
  return routes
}

/** What the settings allow. */
export function rulesOf({ config }: Uses<'config'>) {
  const { allowsPrivate, mailServer } = config.notifications
  return { allowsPrivate, hasMail: mailServer !== undefined }
}
