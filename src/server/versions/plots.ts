// /api/v1/versions/…/plots/<name>.png|pdf|svg: the plots of a version as files.
import { Hono } from 'hono'
import { versionPlot } from '../../app/models/version-plot.ts'
import type { Uses } from '../../app/services.ts'
import { getVersion } from '../../registry/versions/versions.ts'
import type { AppEnv } from '../http/app-env.ts'
import { versionOfParams } from '../http/requests.ts'
import { bytes, operation } from '../operations/operation.ts'
import { PlotParams } from './schema.ts'

const TYPES = { png: 'image/png', pdf: 'application/pdf', svg: 'image/svg+xml' } as const

export function plotRoutes(services: Uses<'db' | 'log' | 'store'>): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  operation(
    routes,
    {
      method: 'get',
      path: '/api/v1/versions/:condition/:name/:n/plots/:file',
      tag: 'versions',
      summary: 'A plot of a version as a file',
      description:
        'PNG with 300 dpi, PDF and SVG with text as text. That of the package where it has one, else drawn from its results.',
      params: PlotParams,
      answers: { 200: { ...bytes(TYPES.png, 'The plot'), alsoAs: [TYPES.pdf, TYPES.svg] } },
      errors: [[404, 'unknown-version, not-found: the version brings no such results']],
    },
    async ({ c, params: { file, ...params } }) => {
      const version = await getVersion(services.db, versionOfParams(params))
      const plot = await versionPlot(services, { version, file })
      c.header('Content-Type', TYPES[plot.format])
      c.header('Cache-Control', 'private, max-age=3600')
      c.header('Content-Disposition', `attachment; filename="${plot.fileName}"`)
      return c.body(Uint8Array.from(plot.bytes))
    },
  )
  return routes
}
