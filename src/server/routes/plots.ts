// /api/v1/versions/…/plots/<name>.png|pdf|svg: the plots of a version as files; those of its package where it has them.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Hono } from 'hono'
import { AppError } from '../../errors.ts'
import { packageDir } from '../../registry/home/store.ts'
import { getVersion, type Version } from '../../registry/versions/versions.ts'
import type { Plot } from '../../training/plots/node.ts'
import { drawFilesApart } from '../../training/plots/plot-job.ts'
import { filePlot, svgText } from '../../training/plots/sheet.ts'
import type { AppEnv } from '../app-env.ts'
import type { Home } from '../home.ts'
import { versionOfPath } from '../requests.ts'
import { plotsOf, versionResults } from '../version-results.ts'

const TYPES = { png: 'image/png', pdf: 'application/pdf', svg: 'image/svg+xml' } as const
type Format = keyof typeof TYPES

export function plotRoutes(home: Home): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.get('/api/v1/versions/:condition/:name/:n/plots/:file', async (c) => {
    const version = await getVersion(home.db, versionOfPath(c))
    const plots = plotsOf(await versionResults(home, version))
    const [name = '', ending = ''] = c.req.param('file').split('.')
    const plot = plots.find((one) => one.name === name)
    if (!plot || !(ending in TYPES)) throw noPlot(version, plots)
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
    return readFile(join(packageDir(home.store, version), path)).catch(() => undefined)
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
