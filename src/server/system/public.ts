// Scripts and styles of the pages. An address that carries the product's version may be cached for ever.
import { readFile } from 'node:fs/promises'
import { extname, join, normalize, sep } from 'node:path'
import { Hono } from 'hono'
import { PUBLIC_DIR } from '../../app/product.ts'
import { AppError } from '../../errors.ts'
import type { AppEnv } from '../http/app-env.ts'

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.txt': 'text/plain; charset=utf-8',
}

export function publicRoutes(): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.get('/favicon.ico', (c) => c.redirect('/public/favicon.svg'))
  routes.get('/public/*', async (c) => {
    const path = normalize(join(PUBLIC_DIR, c.req.path.slice('/public/'.length)))
    const type = TYPES[extname(path)]
    const isInside = path.startsWith(PUBLIC_DIR.endsWith(sep) ? PUBLIC_DIR : PUBLIC_DIR + sep)
    const bytes = isInside && type ? await readFile(path).catch(() => undefined) : undefined
    if (!bytes || !type) throw new AppError('not-found', 'There is no such file.')
    const isStamped = c.req.query('v') !== undefined
    c.header('Content-Type', type)
    c.header('Cache-Control', isStamped ? 'public, max-age=31536000, immutable' : 'no-cache')
    return c.body(new Uint8Array(bytes))
  })
  return routes
}
