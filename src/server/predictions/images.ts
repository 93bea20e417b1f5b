// Pictures for pages: the kept image of a result and the examples. Always drawn anew from pixels, so that nothing of an
// uploaded file's own bytes is ever sent back.
import { readFile } from 'node:fs/promises'
import { type Context, Hono } from 'hono'
import type { ExampleGallery } from '../../app/diagnosis/examples.ts'
import type { Uses } from '../../app/services.ts'
import { AppError } from '../../errors.ts'
import { getPrediction, keptImagePath } from '../../registry/predictions/predictions.ts'
import type { AppEnv } from '../http/app-env.ts'
import { queryChoice } from '../http/requests.ts'

const THUMBNAIL_PX = 160
/** Above this no screen shows more; WebP itself ends at 16383. */
const FULL_PX = 4096

export function imageRoutes(
  services: Uses<'db' | 'imaging' | 'store'> & { readonly examples: ExampleGallery },
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.get('/predictions/:id/image', async (c) => {
    const isSmall = isThumbnail(c)
    return keptPicture(services, { c, prediction: c.req.param('id'), isSmall })
  })
  routes.get('/examples/:id', async (c) => {
    const example = await services.examples.find(c.req.param('id'))
    if (!example) throw new AppError('not-found', 'This example no longer exists.')
    return picture(services, { c, path: example.path, isSmall: isThumbnail(c) })
  })
  return routes
}

function isThumbnail(c: Context<AppEnv>): boolean {
  return queryChoice(c, { name: 'size', of: ['thumb'] }) === 'thumb'
}

/** @throws AppError `gone`, `unknown-prediction` */
export async function keptPicture(
  services: Uses<'db' | 'imaging' | 'store'>,
  { c, prediction, isSmall }: { c: Context<AppEnv>; prediction: string; isSmall: boolean },
): Promise<Response> {
  const path = keptImagePath(services, await getPrediction(services.db, prediction))
  if (!path) throw new AppError('gone', 'The image of this result is no longer stored.')
  return picture(services, { c, path, isSmall })
}

/** @throws AppError `gone` when the file is not there, and those of imaging */
export async function picture(
  services: Uses<'imaging'>,
  { c, path, isSmall }: { c: Context<AppEnv>; path: string; isSmall: boolean },
): Promise<Response> {
  const file = await readFile(path).catch((cause: unknown) => {
    throw new AppError('gone', 'This image is no longer stored.', { cause })
  })
  const maxSide = isSmall ? THUMBNAIL_PX : FULL_PX
  const { bytes, type } = await services.imaging.preview(file, { maxSide })
  c.header('Content-Type', type)
  c.header('Cache-Control', 'private, max-age=3600, immutable')
  return c.body(new Uint8Array(bytes))
}
