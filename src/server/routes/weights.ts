// /api/v1/weights: pretrained weights that trainings can start from. Putting them there is `roentgen weights`.
import { Hono } from 'hono'
import { fetchable } from '../../training/weights/published-files.ts'
import { listWeights } from '../../training/weights/weights-store.ts'
import type { AppEnv } from '../app-env.ts'
import type { Home } from '../home.ts'

export function weightsRoutes({ store }: Home): Hono<AppEnv> {
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
