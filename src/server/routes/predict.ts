// /api/v1/predict and /compare: an image in, predictions out.
import { Hono } from 'hono'
import type { AppEnv } from '../app-env.ts'
import { compareVersions } from '../comparing.ts'
import type { Home } from '../home.ts'
import { fieldOf, readImageFields, requiredField } from '../image-fields.ts'
import { readWithVersion } from '../reading.ts'

export function predictRoutes(home: Home): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.post('/api/v1/predict', async (c) => {
    const { fields, ...image } = await readImageFields(home, { request: c.req.raw, isPage: false })
    const version = fieldOf(fields, 'version')
    const request = { ...image, version, signal: c.req.raw.signal }
    const { prediction } = await readWithVersion(home, request)
    c.header('X-Roentgen-Version', prediction.version)
    return c.json(prediction)
  })
  routes.post('/api/v1/compare', async (c) => {
    const { fields, ...image } = await readImageFields(home, { request: c.req.raw, isPage: false })
    const [a, b] = [requiredField(fields, 'a'), requiredField(fields, 'b')]
    const request = { ...image, a, b, signal: c.req.raw.signal }
    const { note: _, ...comparison } = await compareVersions(home, request)
    return c.json(comparison)
  })
  return routes
}
