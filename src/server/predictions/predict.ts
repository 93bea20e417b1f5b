// /api/v1/predict and /compare: an image in, predictions out.

import { Hono } from 'hono'
import { compareVersions } from '../../app/comparisons/compare-image.ts'
import type { ExampleGallery } from '../../app/diagnosis/examples.ts'
import { predictImage } from '../../app/diagnosis/predict-image.ts'
import type { Shadow } from '../../app/diagnosis/shadow.ts'
import type { Uses } from '../../app/services.ts'
import type { AppEnv } from '../http/app-env.ts'
import { fieldOf, readImageFields, requiredField } from '../http/image-fields.ts'

export function predictRoutes(
  services: Uses<'config' | 'db' | 'imaging' | 'makeReady' | 'metrics' | 'runtime' | 'store'> & {
    readonly examples: ExampleGallery
    readonly shadow: Shadow
  },
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.post('/api/v1/predict', async (c) => {
    const { fields, ...image } = await readImageFields(services, {
      request: c.req.raw,
      isPage: false,
    })
    const version = fieldOf(fields, 'version')
    const request = { ...image, version, signal: c.req.raw.signal }
    const prediction = await predictImage(services, request)
    c.header('X-Roentgen-Version', prediction.version)
    return c.json(prediction)
  })
  routes.post('/api/v1/compare', async (c) => {
    const { fields, ...image } = await readImageFields(services, {
      request: c.req.raw,
      isPage: false,
    })
    const [a, b] = [requiredField(fields, 'a'), requiredField(fields, 'b')]
    const request = { ...image, a, b, signal: c.req.raw.signal }
    const { note: _, ...comparison } = await compareVersions(services, request)
    return c.json(comparison)
  })
  return routes
}
