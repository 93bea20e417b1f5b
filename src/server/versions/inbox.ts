// /api/v1/inbox: what was dropped into models/inbox and is not a version yet: arriving, in need of details, or refused.
import { Hono } from 'hono'
import type { Uses } from '../../app/services.ts'
import type { AppEnv } from '../http/app-env.ts'

export function inboxRoutes(services: Uses<'inbox'>): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.get('/api/v1/inbox', (c) => c.json({ items: services.inbox }))
  return routes
}
