// /api/v1/inbox: what was dropped into models/inbox and is not a version yet: arriving, in need of details, or refused.
import { Hono } from 'hono'
import type { Uses } from '../../app/services.ts'
import type { AppEnv } from '../http/app-env.ts'
import { json, operation } from '../operations/operation.ts'
import { InboxSchema } from './schema.ts'

export function inboxRoutes(services: Uses<'inbox'>): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  operation(
    routes,
    {
      method: 'get',
      path: '/api/v1/inbox',
      tag: 'versions',
      summary: 'What was dropped into models/inbox and is not a version yet, and why',
      answers: { 200: json(InboxSchema, 'What lies there') },
    },
    ({ reply }) => reply(200, { items: services.inbox }),
  )
  return routes
}
