// /api/v1/comparisons and /models/compare: several versions of a condition side by side, ranked, and to take away.
import { type Context, Hono } from 'hono'
import { ZipFile } from 'yazl'
import {
  type ModelComparisonProps,
  modelComparisonPage,
} from '../../../views/versions/comparison.ts'
import { comparisonOf } from '../../app/models/model-comparisons.ts'
import type { Uses } from '../../app/services.ts'
import { AppError } from '../../errors.ts'
import { comparisonPlots } from '../../evaluation/comparison/comparison-plots.ts'
import { comparisonFilesApart } from '../../evaluation/comparison/comparison-process.ts'
import { METRIC_NAMES, METRICS } from '../../evaluation/comparison/comparison-results.ts'
import { findBest } from '../../evaluation/comparison/summary.ts'
import { pagePlot } from '../../evaluation/plots/sheet.ts'
import { parseVersion } from '../../package/ids.ts'
import { getVersion, type Version } from '../../registry/versions/versions.ts'
import type { AppEnv } from '../http/app-env.ts'
import { frameOf } from '../http/frame.ts'
import { listChoices, problemProps } from '../http/page-data.ts'
import { queryChoice, queryText } from '../http/requests.ts'

export function modelComparisonRoutes(services: Uses<'clock' | 'db' | 'store'>): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.get('/api/v1/comparisons', async (c) =>
    c.json(await comparisonOf(services, await asked(c))),
  )
  routes.get('/api/v1/comparisons/export', async (c) => {
    const results = await comparisonOf(services, await asked(c))
    const zip = new ZipFile()
    for (const [name, content] of Object.entries(await comparisonFilesApart(results))) {
      zip.addBuffer(Buffer.from(content), name)
    }
    zip.end()
    const chunks: Buffer[] = []
    for await (const chunk of zip.outputStream) chunks.push(Buffer.from(chunk))
    c.header('Content-Type', 'application/zip')
    const file = `comparison-${results.condition}.zip`
    c.header('Content-Disposition', `attachment; filename="${file}"`)
    return c.body(Uint8Array.from(Buffer.concat(chunks)))
  })
  routes.get('/models/compare', async (c) => {
    const names = c.req.queries('version') ?? []
    const rank = queryChoice(c, { name: 'rank', of: METRIC_NAMES }) ?? 'accuracy'
    const base = {
      frame: frameOf(c),
      choices: await listChoices(services),
      condition: queryText(c, 'condition') ?? names[0]?.split('/')[0],
      chosen: names,
      rank,
      metrics: METRIC_NAMES.map((name) => ({ name, ...METRICS[name] })),
    }
    if (names.length === 0) return c.html(modelComparisonPage(base))
    try {
      const results = await comparisonOf(services, await asked(c))
      const plots = comparisonPlots(results).map((plot) => ({
        name: plot.name,
        title: plot.title,
        drawing: pagePlot(plot),
      }))
      return c.html(
        modelComparisonPage({
          ...base,
          results,
          plots,
          best: findBest(results),
        } satisfies ModelComparisonProps),
      )
    } catch (error) {
      const problem = problemProps(error)
      return c.html(modelComparisonPage({ ...base, problem }), problem.status as 422)
    }
  })
  return routes

  /** @throws AppError `invalid`, `unknown-version` */
  async function asked(c: Context<AppEnv>): Promise<Version[]> {
    const names = [...new Set(c.req.queries('version') ?? [])]
    if (names.length > 100) throw new AppError('invalid', 'These are too many versions.')
    return Promise.all(names.map((name) => getVersion(services.db, parseVersion(name))))
  }
}
