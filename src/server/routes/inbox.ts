// /api/v1/inbox: what was dropped into models/inbox and is not a version yet: arriving, in need of details, or refused.
import { Hono } from 'hono'
import type { AppEnv } from '../app-env.ts'
import type { Home } from '../home.ts'

export function inboxRoutes(home: Home): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.get('/api/v1/inbox', (c) => c.json({ items: home.inbox }))
  return routes
}
