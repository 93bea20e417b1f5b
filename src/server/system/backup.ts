// /api/v1/backup: everything that the home holds, as one zip.
import { Readable } from 'node:stream'
import { Hono } from 'hono'
import type { Uses } from '../../app/services.ts'
import type { AppEnv } from '../http/app-env.ts'

export function backupRoutes(services: Uses<'backup'>): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.get('/api/v1/backup', async (c) => {
    const { stream, fileName } = await services.backup()
    c.header('Content-Type', 'application/zip')
    c.header('Content-Disposition', `attachment; filename="${fileName}"`)
    return c.body(Readable.toWeb(stream) as ReadableStream)
  })
  return routes
}
