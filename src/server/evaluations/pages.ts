// Pages of evaluations: the section of a version's page, the form that begins one, one whole.

import { Hono } from 'hono'
import { type VersionEvaluations, versionEvaluations } from '../../../views/evaluations/list.ts'
import { evaluationPage } from '../../../views/evaluations/show.ts'
import { links } from '../../../views/shared/links.ts'
import type { Evaluation } from '../../app/evaluations/evaluate-version.ts'
import type { EvaluationJobs } from '../../app/evaluations/evaluation-jobs.ts'
import type { Uses } from '../../app/services.ts'
import { resultPlots } from '../../evaluation/plots/result-plots.ts'
import { pagePlot } from '../../evaluation/plots/sheet.ts'
import { listDatasets } from '../../registry/runs/datasets.ts'
import { getEvaluation, listEvaluations } from '../../registry/versions/evaluations.ts'
import { getVersion, type Version } from '../../registry/versions/versions.ts'
import type { AppEnv } from '../http/app-env.ts'
import { frameOf } from '../http/frame.ts'
import { seeOther } from '../http/page-data.ts'
import { parseWith, readForm, versionOfPath } from '../http/requests.ts'
import { EvaluateSchema } from './schema.ts'

const ALL = '/models/:condition/:name/:n/evaluations'

export function evaluationPages(
  services: Uses<'db'> & { readonly evaluations: EvaluationJobs },
): Hono<AppEnv> {
  const { db } = services
  const routes = new Hono<AppEnv>()
  // Asked for by the section while an evaluation runs.
  routes.get(ALL, async (c) => {
    const version = await getVersion(db, versionOfPath(c))
    return c.html(versionEvaluations(version, await evaluationsOf(services, version)))
  })
  routes.post(ALL, async (c) => {
    const version = await getVersion(db, versionOfPath(c))
    const fields = await readForm(c)
    const [dataset, split] = [fields.get('dataset')?.trim(), fields.get('split')?.trim()]
    const request = parseWith(EvaluateSchema, { dataset, ...(split && { split }) })
    await services.evaluations.begin({ version, request, actor: c.var.actor })
    return seeOther(c, `${links.version(version.id)}#evaluations`)
  })
  routes.get(`${ALL}/:id`, async (c) => {
    const version = await getVersion(db, versionOfPath(c))
    const evaluation = (await getEvaluation(db, { version, id: c.req.param('id') })) as Evaluation
    const plots = resultPlots(evaluation.report.figures).map((plot) => {
      return { name: plot.name, title: plot.title, drawing: pagePlot(plot) }
    })
    return c.html(evaluationPage({ frame: frameOf(c), version, evaluation, plots }))
  })
  return routes
}

export async function evaluationsOf(
  services: Uses<'db'> & { readonly evaluations: EvaluationJobs },
  version: Version,
): Promise<VersionEvaluations> {
  return {
    items: (await listEvaluations(services.db, version)) as Evaluation[],
    running: await services.evaluations.find(version),
    datasets: await listDatasets(services.db),
  }
}
