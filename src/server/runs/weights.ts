// /api/v1/weights: pretrained weights that trainings can start from. Putting them there is `roentgen weights`.
import { Hono } from 'hono'
import type { Uses } from '../../app/services.ts'
import { fetchable } from '../../conversion/pretrained/published-files.ts'
import { listWeights } from '../../conversion/pretrained/weights-store.ts'
import type { AppEnv } from '../http/app-env.ts'

export function weightsRoutes({ store }: Uses<'store'>): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.get('/api/v1/weights', async (c) => {
    const items = (await listWeights(store.dataDir)).map(({ file: _, ...weights }) => weights)
    const published = fetchable().map(({ key, title, architecture }) => ({
      key,
      title,
      architecture,
    }))
    return c.json({ items, nextCursor: null, fetchable: published })
  })
  return routes
}
