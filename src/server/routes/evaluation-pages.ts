// Pages of evaluations: the section of a version's page, the form that begins one, one whole.
import { Hono } from 'hono'
import { evaluationPage } from '../../../views/evaluation-show.ts'
import { links } from '../../../views/links.ts'
import { type VersionEvaluations, versionEvaluations } from '../../../views/version-evaluations.ts'
import { listDatasets } from '../../registry/runs/datasets.ts'
import { getEvaluation, listEvaluations } from '../../registry/versions/evaluations.ts'
import { getVersion, type Version } from '../../registry/versions/versions.ts'
import { resultPlots } from '../../training/plots/result-plots.ts'
import { pagePlot } from '../../training/plots/sheet.ts'
import type { AppEnv } from '../app-env.ts'
import type { Evaluation } from '../evaluating.ts'
import { beginEvaluation, runningEvaluation } from '../evaluation-jobs.ts'
import { frameOf } from '../frame.ts'
import type { Home } from '../home.ts'
import { seeOther } from '../page-data.ts'
import { parseWith, readForm, versionOfPath } from '../requests.ts'
import { EvaluateSchema } from './evaluations.ts'

const ALL = '/models/:condition/:name/:n/evaluations'

export function evaluationPages(home: Home): Hono<AppEnv> {
  const { db } = home
  const routes = new Hono<AppEnv>()
  // Asked for by the section while an evaluation runs.
  routes.get(ALL, async (c) => {
    const version = await getVersion(db, versionOfPath(c))
    return c.html(versionEvaluations(version, await evaluationsOf(home, version)))
  })
  routes.post(ALL, async (c) => {
    const version = await getVersion(db, versionOfPath(c))
    const fields = await readForm(c)
    const [dataset, split] = [fields.get('dataset')?.trim(), fields.get('split')?.trim()]
    const wish = parseWith(EvaluateSchema, { dataset, ...(split && { split }) })
    await beginEvaluation(home, { version, wish, actor: c.var.actor })
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

export async function evaluationsOf(home: Home, version: Version): Promise<VersionEvaluations> {
  return {
    items: (await listEvaluations(home.db, version)) as Evaluation[],
    running: runningEvaluation(home, version),
    datasets: await listDatasets(home.db),
  }
}
