// The description of the API, for programs and as a page.
import { Hono } from 'hono'
import { apiDocsPage } from '../../../views/system/api-docs.ts'
import type { AppEnv } from '../http/app-env.ts'
import { frameOf } from '../http/frame.ts'
import { openapiDocument } from '../openapi/openapi.ts'

export function openapiRoutes(): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.get('/api/v1/openapi.json', (c) => c.json(openapiDocument()))
  routes.get('/api/docs', (c) =>
    c.html(apiDocsPage({ frame: frameOf(c), openapi: openapiDocument() })),
  )
  return routes
}
