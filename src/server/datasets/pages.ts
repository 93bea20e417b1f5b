// Pages of datasets: what there is, one whole, scan and prepare, labels that look wrong.

import { join } from 'node:path'
import { type Context, Hono } from 'hono'
import { datasetListPage } from '../../../views/datasets/list.ts'
import { datasetPage, datasetPanel } from '../../../views/datasets/show.ts'
import type { ProblemProps } from '../../../views/shared/error.ts'
import { links } from '../../../views/shared/links.ts'
import type { DatasetService } from '../../app/datasets/dataset-service.ts'
import type { Uses } from '../../app/services.ts'
import { AppError } from '../../errors.ts'
import { listConditions } from '../../registry/conditions/conditions.ts'
import { getDataset, listDatasets } from '../../registry/runs/datasets.ts'
import type { AppEnv } from '../http/app-env.ts'
import { frameOf } from '../http/frame.ts'
import { fieldOf } from '../http/image-fields.ts'
import { problemProps, seeOther } from '../http/page-data.ts'
import { wantsFragment } from '../http/problem.ts'
import { numberField, parseWith, queryText, readForm } from '../http/requests.ts'
import { picture } from '../predictions/images.ts'
import { PrepareSchema } from './schema.ts'

function linesOf(text = ''): string[] {
  return text.split(/[\r\n]+/).filter((line) => line.trim() !== '')
}

export function datasetPages(
  services: Uses<'config' | 'db' | 'imaging'> & { readonly datasets: DatasetService },
): Hono<AppEnv> {
  const { db, datasets } = services
  const routes = new Hono<AppEnv>()
  routes.get('/datasets', async (c) => c.html(datasetListPage(await listProps(c, {}))))
  routes.post('/datasets/scan', async (c) => {
    const path = (await readForm(c)).get('path') ?? ''
    try {
      const { id } = await datasets.scan(path, c.var.actor)
      return seeOther(c, links.dataset(id))
    } catch (error) {
      const problem = problemProps(error)
      return c.html(datasetListPage(await listProps(c, { problem, path })), problem.status as 422)
    }
  })
  routes.get('/datasets/:id', async (c) => {
    const props = await oneProps(c, {})
    return c.html(wantsFragment(c) ? datasetPanel(props) : datasetPage(props))
  })
  routes.post('/datasets/:id/prepare', async (c) => {
    const { id } = await getDataset(db, c.req.param('id'))
    try {
      const fields = await readForm(c)
      const wishes = parseWith(PrepareSchema, {
        condition: fieldOf(fields, 'condition'),
        maxPerClass: numberField(fields, 'maxPerClass'),
        imageSize: numberField(fields, 'imageSize'),
        seed: numberField(fields, 'seed'),
        exclude: linesOf(fields.get('exclude')),
        positive: fieldOf(fields, 'positive'),
        uncertain: fieldOf(fields, 'uncertain'),
      })
      const condition = wishes.condition ?? undefined
      await datasets.prepare(id, { ...wishes, condition, actor: c.var.actor })
      return seeOther(c, links.dataset(id))
    } catch (error) {
      const problem = problemProps(error)
      return c.html(datasetPage(await oneProps(c, { problem })), problem.status as 422)
    }
  })
  routes.post('/datasets/:id/label-check', (c) =>
    begun(c, (id) => datasets.checkLabels(id, { actor: c.var.actor })),
  )
  routes.post('/datasets/:id/exclude', (c) =>
    begun(c, async (id) => {
      const chosen = [...(await readForm(c)).keys()].filter((key) => key.startsWith('file:'))
      const files = chosen.map((key) => key.slice('file:'.length))
      return datasets.exclude(id, { files, actor: c.var.actor })
    }),
  )
  routes.get('/datasets/:id/image', async (c) => {
    const { path, labelCheck } = await getDataset(db, c.req.param('id'))
    const wanted = queryText(c, 'file')
    // Only what the page lists: a query names no other file of this machine.
    const known = labelCheck?.labels.find(({ file }) => file === wanted)
    if (!known) throw new AppError('not-found', 'There is no such image in this list.')
    const at = join(services.config.datasetsDir, path, known.file)
    return picture(services, { c, path: at, isSmall: true })
  })
  return routes

  /** Begins something that takes a while and shows the page; a refusal is shown on it. */
  async function begun(c: Context<AppEnv>, begin: (id: string) => Promise<unknown>) {
    const { id } = await getDataset(db, c.req.param('id') ?? '')
    try {
      await begin(id)
      return seeOther(c, links.dataset(id))
    } catch (error) {
      const problem = problemProps(error)
      return c.html(datasetPage(await oneProps(c, { problem })), problem.status as 422)
    }
  }

  async function listProps(c: Context<AppEnv>, shown: { problem?: ProblemProps; path?: string }) {
    const [known, folders] = await Promise.all([listDatasets(db), datasets.newFolders()])
    return { frame: frameOf(c), datasets: known, folders, ...shown }
  }

  async function oneProps(c: Context<AppEnv>, shown: { problem?: ProblemProps }) {
    const dataset = await getDataset(db, c.req.param('id') ?? '')
    const progress = await datasets.progress(dataset.id)
    const conditions = await listConditions(db)
    return { frame: frameOf(c), dataset, progress, conditions, ...shown }
  }
}
