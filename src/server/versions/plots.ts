// /api/v1/versions/…/plots/<name>.png|pdf|svg: the plots of a version as files; those of its package where it has them.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Hono } from 'hono'
import { plotsOf, versionResults } from '../../app/models/version-results.ts'
import type { Uses } from '../../app/services.ts'
import { AppError } from '../../errors.ts'
import type { Plot } from '../../evaluation/plots/node.ts'
import { drawFilesApart } from '../../evaluation/plots/plot-job.ts'
import { filePlot, svgText } from '../../evaluation/plots/sheet.ts'
import { packageDir } from '../../registry/home/store.ts'
import { getVersion, type Version } from '../../registry/versions/versions.ts'
import type { AppEnv } from '../http/app-env.ts'
import { versionOfPath } from '../http/requests.ts'

const TYPES = { png: 'image/png', pdf: 'application/pdf', svg: 'image/svg+xml' } as const
type Format = keyof typeof TYPES

export function plotRoutes(services: Uses<'db' | 'log' | 'store'>): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.get('/api/v1/versions/:condition/:name/:n/plots/:file', async (c) => {
    const version = await getVersion(services.db, versionOfPath(c))
    const plots = plotsOf(await versionResults(services, version))
    const [name = '', ending = '', ...more] = c.req.param('file').split('.')
    const plot = plots.find((one) => one.name === name)
    if (more.length > 0 || !plot || !Object.hasOwn(TYPES, ending)) throw noPlot(version, plots)
    const format = ending as Format
    const bytes =
      (await packedPlot(version, `${name}.${format}`)) ?? (await drawn(version, plot, format))
    c.header('Content-Type', TYPES[format])
    c.header('Cache-Control', 'private, max-age=3600')
    const file = `${version.condition}-${version.name}-${version.n}-${name}.${format}`
    c.header('Content-Disposition', `attachment; filename="${file}"`)
    return c.body(Uint8Array.from(bytes))
  })
  return routes

  /** As it lies in the package. */
  async function packedPlot(version: Version, file: string): Promise<Uint8Array | undefined> {
    const path = `results/${file}`
    if (!version.files.some((one) => one.path === path)) return undefined
    return readFile(join(packageDir(services.store, version), path)).catch(() => undefined)
  }
}

async function drawn({ id }: Version, plot: Plot, format: Format): Promise<Uint8Array> {
  if (format === 'svg') return Buffer.from(svgText(filePlot(plot, id)))
  return (await drawFilesApart(plot, id))[`${plot.name}.${format}`] ?? new Uint8Array()
}

function noPlot({ id }: Version, plots: readonly Plot[]): AppError {
  const names = plots.map(({ name }) => name).join(', ')
  return new AppError(
    'not-found',
    plots.length === 0
      ? `${id} brings no results that could be drawn.`
      : `${id} has no such plot; it has ${names}, each as png, pdf and svg.`,
  )
}
