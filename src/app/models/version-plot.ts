// One plot of a version as a file: that of its package where it has it, else drawn from its results.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../errors.ts'
import type { Plot } from '../../evaluation/plots/node.ts'
import { drawFilesApart } from '../../evaluation/plots/plot-job.ts'
import { filePlot, svgText } from '../../evaluation/plots/sheet.ts'
import { packageDir } from '../../registry/home/store.ts'
import type { Version } from '../../registry/versions/versions.ts'
import type { Uses } from '../services.ts'
import { plotsOf, versionResults } from './version-results.ts'

const FORMATS = ['png', 'pdf', 'svg'] as const
export type PlotFormat = (typeof FORMATS)[number]

export interface PlotFile {
  readonly bytes: Uint8Array
  readonly format: PlotFormat
  /** For who keeps it: with condition, name and number of the version. */
  readonly fileName: string
}

/** `file`: `roc.svg`. @throws AppError `not-found` */
export async function versionPlot(
  services: Uses<'db' | 'log' | 'store'>,
  { version, file }: { readonly version: Version; readonly file: string },
): Promise<PlotFile> {
  const plots = plotsOf(await versionResults(services, version))
  const [name = '', ending = '', ...more] = file.split('.')
  const plot = plots.find((one) => one.name === name)
  const format = FORMATS.find((one) => one === ending)
  if (more.length > 0 || !plot || !format) throw noPlot(version, plots)
  const packed = await packedPlot(services, { version, file: `${name}.${format}` })
  return {
    bytes: packed ?? (await drawn(version, plot, format)),
    format,
    fileName: `${version.condition}-${version.name}-${version.n}-${name}.${format}`,
  }
}

/** As it lies in the package. */
async function packedPlot(
  { store }: Uses<'store'>,
  { version, file }: { readonly version: Version; readonly file: string },
): Promise<Uint8Array | undefined> {
  const path = `results/${file}`
  if (!version.files.some((one) => one.path === path)) return undefined
  return readFile(join(packageDir(store, version), path)).catch(() => undefined)
}

async function drawn({ id }: Version, plot: Plot, format: PlotFormat): Promise<Uint8Array> {
  if (format === 'svg') return Buffer.from(svgText(filePlot(plot, id)))
  return (await drawFilesApart(plot, id))[`${plot.name}.${format}`] ?? new Uint8Array()
}

function noPlot({ id }: Version, plots: readonly Plot[]): AppError {
  const names = plots.map(({ name }) => name).join(', ')
  return new AppError(
    'not-found',
    plots.length === 0
      ? `${id} has no results to plot.`
      : `${id} has no such plot; it has ${names}, each as png, pdf and svg.`,
  )
}
