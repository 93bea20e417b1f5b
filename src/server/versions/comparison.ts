// /api/v1/comparisons and /models/compare: several versions of a condition side by side, ranked, and to take away.
import { Hono } from 'hono'
import {
  type ModelComparisonProps,
  modelComparisonPage,
} from '../../../views/versions/comparison.ts'
import { comparisonZip } from '../../app/models/comparison-zip.ts'
import { comparisonOf } from '../../app/models/model-comparisons.ts'
import type { Uses } from '../../app/services.ts'
import { AppError } from '../../errors.ts'
import { comparisonPlots } from '../../evaluation/comparison/comparison-plots.ts'
import {
  ComparisonResultsSchema,
  METRIC_NAMES,
  METRICS,
} from '../../evaluation/comparison/comparison-results.ts'
import { findBest } from '../../evaluation/comparison/summary.ts'
import { pagePlot } from '../../evaluation/plots/sheet.ts'
import { parseVersion } from '../../package/ids.ts'
import { getVersion, type Version } from '../../registry/versions/versions.ts'
import type { AppEnv } from '../http/app-env.ts'
import { frameOf } from '../http/frame.ts'
import { listChoices, problemProps } from '../http/page-data.ts'
import { queryChoice, queryText } from '../http/requests.ts'
import { bytes, json, operation } from '../operations/operation.ts'
import { ComparisonQuery } from './schema.ts'

const COMPARISON = {
  method: 'get',
  tag: 'versions',
  query: ComparisonQuery,
  errors: [
    [404, 'unknown-version'],
    [422, 'invalid: fewer than two, of several conditions, or one without results'],
  ],
} as const

export function modelComparisonRoutes(services: Uses<'clock' | 'db' | 'store'>): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  operation(
    routes,
    {
      ...COMPARISON,
      path: '/api/v1/comparisons',
      summary: 'Several versions of a condition compared on their test images',
      description:
        'Figures with 95% intervals, curves, and for versions that were measured on the same images paired tests, adjusted for their number.',
      answers: { 200: json(ComparisonResultsSchema, 'comparison_results.json') },
    },
    async ({ query, reply }) =>
      reply(200, await comparisonOf(services, await asked(query.version))),
  )
  operation(
    routes,
    {
      ...COMPARISON,
      path: '/api/v1/comparisons/export',
      summary: 'The same as files: results, tables (CSV, LaTeX), plots (PNG, PDF, SVG)',
      answers: { 200: bytes('application/zip', 'One zip') },
    },
    async ({ c, query }) => {
      const results = await comparisonOf(services, await asked(query.version))
      const zip = await comparisonZip(results)
      c.header('Content-Type', 'application/zip')
      const file = `comparison-${results.condition}.zip`
      c.header('Content-Disposition', `attachment; filename="${file}"`)
      return c.body(zip)
    },
  )
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
      const results = await comparisonOf(services, await asked(c.req.queries('version')))
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
  async function asked(given: readonly string[] = []): Promise<Version[]> {
    const names = [...new Set(given)]
    if (names.length > 100) throw new AppError('invalid', 'Too many versions.')
    return Promise.all(names.map((name) => getVersion(services.db, parseVersion(name))))
  }
}
